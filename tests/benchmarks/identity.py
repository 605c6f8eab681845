"""Who is who, one default for all: python tests/benchmarks/identity.py [--cache FOLDER] [scenes] [sets] [world]

Detector yolo26n INT8; embedders the one that ships and person-reidentification-retail-0277. The labelled scenes
("tracks" are single-camera tracks before they are split by appearance, the rest is over all cameras, PETS also by
person), the labelled re-identification sets as tracklets of two pictures or more, of a network's own sets the people
kept out of its training, and five synthetic worlds of different length, with that detector and with the world's truth
instead (oracle). Writes results/identity.json beside this file,
part by part; --cache keeps runs and vectors, so that a repetition does only what is due.
"""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from labelled_sets import EMBEDDERS, SHARED, labelled

from vidreid.evaluation.grouping import score_grouping
from vidreid.evaluation.identity import evaluate_identity
from vidreid.evaluation.run import followed, rows, score_identity, score_tracking
from vidreid.evaluation.truth import read_truth
from vidreid.footage.cameras import Site, read_site
from vidreid.identity.association import Sightings, associate
from vidreid.identity.constraints import Presence, cannot_link
from vidreid.pipeline.cards import card_of
from vidreid.pipeline.progress import Lines
from vidreid.pipeline.results import Run
from vidreid.pipeline.run import Options, run
from vidreid.store.folder import RunFolder
from vidreid.world import write_world
from vidreid.world.sites import SITES

OUT = Path(__file__).parent / "results" / "identity.json"
OURS, THEIRS = "slim-afa", "person-reidentification-retail-0277"
NETWORKS = (OURS, THEIRS)
DETECTORS = {"yolo26n-int8": str(SHARED / "weights/detector/yolo26n_int8_openvino_model"), "oracle": "oracle"}
PROMISES = (0.02, 0.05, 0.1)
SCENES = {
    "pets_s2l1": (["vtest=vtest.avi"], {}),
    "campus4": (["c0=c0.mp4", "c1=c1.mp4"], {"partial": True, "distractors": ["c1:319,73,14,50"]}),
    "lab4": (["cam1=cam1.mp4", "cam2=cam2.mp4"], {"partial": True}),
}
SETS = {  # and of whom each network may be judged only by people kept out of its training
    "market_test_tracklets": (),
    "cuhk03_pair1": (OURS,),
}
WORLDS = {0: 40.0, 1: 30.0, 2: 50.0, 3: 60.0, 4: 45.0}  # seconds by seed


def footage(scene):
    folder = SHARED / "data/footage" / scene
    return folder, [word.replace("=", f"={folder}/") for word in SCENES[scene][0]]


def settings(network, detector="yolo26n-int8", **more):
    wanted = "slim-afa" if network == OURS else str(EMBEDDERS[network])
    return {"detection": {"detector": DETECTORS[detector]}, "embedding": {"embedder": wanted}, **more}


def scene_row(scene, cache):
    folder, words = footage(scene)
    how = SCENES[scene][1]
    first = cache / f"{scene}-{OURS}"
    run(RunFolder(first), read_site(words), settings(OURS, matching={"split": False}), Options(), Lines(sys.stderr))
    _, tracks = score_tracking(first, folder, **how)
    row = {"tracks": {name: _rounded(score.as_dict(), ("mota", "idf1", "hota")) for name, score in tracks.items()}}
    for network in NETWORKS:
        target = cache / f"{scene}-{network}"
        if not target.exists():
            shutil.copytree(first, target)  # detections are the same
        run(RunFolder(target), Site(), settings(network, matching={"split": True}), Options(), Lines(sys.stderr))
        row[network] = identity_row(target, folder, **how)
        if scene == "pets_s2l1":
            _, person = score_identity(target, folder, by_person=True, **how)
            row[network] |= _rounded(person.as_dict(), ("purity", "completeness"))
            row[network]["by_person_idf1"] = round(person.idf1, 3)
    return row


def identity_row(target, truth, **how):
    _, score = score_identity(target, truth, **how)
    names = ("idf1", "hota", "purity", "completeness", "cross_pair_precision", "cross_pair_recall")
    return _rounded(score.as_dict(), names) | {"violated": violated(Run(target))}


def violated(opened):
    """Pairs of tracklets of one identity that one camera sees at once."""
    rows = [row for row in opened.tracklets().to_pylist() if row["identity"] is not None]
    apart = cannot_link([Presence(row["camera"], row["first"], row["last"]) for row in rows])
    return sum(rows[i]["identity"] == rows[j]["identity"] for i, others in enumerate(apart) for j in others if i < j)


def set_rows(name, cache):
    """Achieved against promised, by network and promise."""
    rows = {}
    for network in NETWORKS:
        one = labelled(network, name, held_out=network in SETS[name], cache=cache)
        sightings = Sightings(one.vectors, one.cameras, [np.zeros(0, np.int64)] * len(one.vectors))
        card = card_of(network, one.vectors.shape[1])
        rows[network] = {
            "people": int(one.identities.max()) + 1,
            "tracklets": len(one.vectors),
            "promises": {str(promise): set_row(one, associate(sightings, card, promise)) for promise in PROMISES},
        }
    return rows


def set_row(one, found):
    scores = score_grouping(found.clusters, one.identities + 1, one.cameras).as_dict()
    names = ("pair_precision", "pair_recall", "pair_f1", "b3_f1", "purity", "completeness")
    expected = found.expected
    return {
        **_rounded(scores, names),
        "pairs": scores["pairs"],
        "achieved": [scores["wrong_pairs"], scores["mixed"], scores["split"]],
        "expected": [round(number, 1) for number in (expected.wrong, expected.mixed, expected.split)],
    }


def world_row(seed, seconds, cache):
    site = cache / f"world-{seed}-{seconds:g}"
    listing = site / "cameras.yaml"
    if not listing.is_file():
        write_world(site, seed=seed, seconds=seconds)
    row = {"seconds": seconds}
    for detector in DETECTORS:
        target = cache / f"{site.name}-{detector}"
        run(RunFolder(target), read_site([str(listing)]), settings(OURS, detector), Options(), Lines(sys.stderr))
        row[detector] = identity_row(target, site) | {"ceiling": ceiling(target, site)}
    return row


def ceiling(target, site):
    """The IDF1 that these tracklets would have if each were given its true person."""
    opened, people = Run(target), followed(target, site).people
    tracklets = {camera: rows(opened, camera, "tracklet") for camera in opened.cameras}
    best = {camera: best_of(camera, boxes, people) for camera, boxes in tracklets.items()}
    truth = read_truth(site, opened.cameras, distractors=[], by_person=False)
    ids = {camera: boxes.ids for camera, boxes in tracklets.items()}
    return round(evaluate_identity(truth, best, ids, partial=False).idf1, 3)


def best_of(camera, boxes, people):
    """A camera's boxes by person; of two at once of one person, the longer tracklet is that person."""
    found, taken = boxes.ids + 10_000 * (1 + list(SITES).index(camera)), set()
    for number in sorted(set(boxes.ids.tolist()), key=lambda number: -(boxes.ids == number).sum()):
        own = boxes.ids == number
        person = people.get(f"{camera}/{number:06d}", 0)
        places = {(person, frame) for frame in boxes.frame[own].tolist()}
        if person > 0 and not places & taken:
            found[own] = person
            taken |= places
    return replace(boxes, ids=found)


def _rounded(scores, names):
    return {name: None if scores[name] is None else round(scores[name], 3) for name in names}


def main():
    parts = {
        "scenes": (list(SCENES), scene_row),
        "sets": (list(SETS), set_rows),
        "world": (list(WORLDS), lambda seed, cache: world_row(seed, WORLDS[seed], cache)),
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", choices=[[], *parts], default=[])
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    found = json.loads(OUT.read_text()) if OUT.is_file() else {}
    with tempfile.TemporaryDirectory() as scratch:
        for part in given.parts or parts:
            names, measure = parts[part]
            found[part] = {str(name): measure(name, given.cache or Path(scratch)) for name in names}
            OUT.write_text(json.dumps({key: found[key] for key in parts if key in found}, indent=1) + "\n")
            print(json.dumps(found[part], indent=1), flush=True)


if __name__ == "__main__":
    main()
