"""The labelled sets beside the repository as tracklets of two pictures or more, with the vectors of an embedder."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from vidreid.evaluation.cards import Labelled
from vidreid.evaluation.distances import prepared
from vidreid.training.datasets import DISTRACTOR
from vidreid.training.embeddings import from_embedder
from vidreid.training.identity import groups
from vidreid.training.retrieval import open_dataset

SHARED = Path(__file__).resolve().parents[3] / "shared"
REID = SHARED / "data" / "reid"
EMBEDDERS = {
    "slim-afa": "shipped",
    "person-reidentification-retail-0277": SHARED
    / "weights/reid/person-reidentification-retail-0277/FP16/person-reidentification-retail-0277.xml",
    "person-reidentification-retail-0288": SHARED
    / "weights/reid/person-reidentification-retail-0288/FP16/person-reidentification-retail-0288.xml",
    "osnet-x0-25-msmt17": SHARED / "weights/reid/osnet_x0_25_msmt17.onnx",
}
HALVED = 4  # pictures from which a tracklet has two halves, as in a run


def labelled(embedder, name, *, held_out, cache, halves=False):
    """The set of a name as `Labelled`; ``held_out`` leaves out the people of its training part, and ``halves`` are
    made where they are asked for.

    What an embedder made of it is kept in the folder ``cache``.
    """
    marks = ["-held-out"] * held_out + ["-halves"] * halves
    file = cache / f"{embedder}-{name}{''.join(marks)}.npz"
    if not file.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(file, **_embedded(embedder, name, held_out, halves))
    found = np.load(file)
    places = {key: np.unique(found[key], return_inverse=True)[1] for key in ("identities", "cameras")}
    who = f"{len(np.unique(found['identities']))} people" + (" kept out of training" if held_out else "")
    return Labelled(
        f"{name}: {who}, {len(found['vectors'])} tracklets", found["vectors"], **places, halves=found["halves"]
    )


def _embedded(embedder, name, held_out, halves):
    dataset = open_dataset(str(REID / f"{name}.csv.gz"), None, tracklets=True)
    whole = [one for one in groups(dataset, least=2, held_out=held_out)[0] if one.identity != DISTRACTOR]
    long = [one for one in whole if halves and len(one.pictures) >= HALVED]
    sides = [replace(one, pictures=one.pictures[part]) for one in long for part in _middle(one)]
    source = from_embedder(str(EMBEDDERS[embedder]))
    vectors = source.vectors(dataset, [*whole, *sides], dataset.protocol, print)
    unit = prepared(vectors, "cosine", source.branches)
    return {
        "vectors": unit[: len(whole)],
        "halves": unit[len(whole) :].reshape(-1, 2, unit.shape[1]),
        "identities": [one.identity for one in whole],
        "cameras": [one.camera for one in whole],
    }


def _middle(one):
    half = len(one.pictures) // 2
    return slice(half), slice(half, None)
