"""A network of clips in a whole run: from its weights to the vectors in the run folder."""

import json
import shutil

import numpy as np
import pytest
import torch

import vidreid
from vidreid.embedding.network import person
from vidreid.embedding.pooling import normalize
from vidreid.networks import MEAN, STD, average
from vidreid.networks.backbones import slim
from vidreid.networks.weights.onnx import Normalised
from vidreid.pipeline.segment import _clips
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_part
from vidreid.training.packing import pack

SIZE = (32, 16)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(5)
    return average.build(slim.build(slim.Settings((4, 6, 8, 10), (1, 1, 1, 2))), average.Settings()).eval()


def test_a_packed_network_of_clips_tells_people_apart_in_a_run(network, say, site, tmp_path):
    pack(network, tmp_path / "tiny", frames=3, size=SIZE)
    run = tmp_path / "run"
    words = ("--detector", "oracle", "--embedder", tmp_path / "tiny")
    answer = say("run", site / "cameras.yaml", "--output", run, *words)
    assert answer.status == 0, answer.err
    assert json.loads((run / "run.json").read_text())["networks"]["embedder"]["name"] == "tiny"

    folder, lengths = RunFolder(run), set()
    for part in sorted(run.glob("crops/*/*.parquet")):
        camera, segment = part.parent.name, part.stem
        vectors = read_part(folder.embed(camera, segment), schema.VECTORS).to_pylist()
        clips = list(_clips(read_part(part, schema.CROPS)))
        assert len(vectors) == len(clips) > 0
        for row, (track, number, crops) in zip(vectors, clips, strict=True):
            assert (row["track"], row["run"]) == (track, number)
            lengths.add(len(crops))
            # Some processors compute with eight bits of mantissa.
            np.testing.assert_allclose(row["vector"], by_torch(network, crops), atol=0.02)
    assert {1, 4} & lengths  # shorter and longer than T: parts of 3 and the rest
    assert max(lengths) == 4


def by_torch(network, crops):
    """What torch says of a run of crops in clips of three, the last one filled with its own crops, and their mean."""
    places = [0, 1, 2, 3, 3, 3] if len(crops) == 4 else [place % len(crops) for place in range(3)]
    pictures = torch.from_numpy(np.stack([person(crops[place], SIZE) for place in places]))
    with torch.inference_mode():
        found = Normalised(network, MEAN, STD)(pictures.unflatten(0, (-1, 3))).numpy()
    return normalize(normalize(found).mean(0)[None])[0]


def test_a_run_says_what_binds_the_use_of_its_network(finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    record = json.loads((run / "run.json").read_text())
    record["networks"]["embedder"]["name"] = "slim-afa"
    (run / "run.json").write_text(json.dumps(record))
    note = "embedder slim-afa: trained on data for research only (Market-1501, CUHK01, CUHK03)"
    assert note in vidreid.open_run(run).summary().notes
    assert not [line for line in vidreid.open_run(finished).summary().notes if line.startswith("embedder")]
