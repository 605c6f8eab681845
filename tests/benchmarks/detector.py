"""Detectors beside YOLO26n INT8 on the same pictures: python tests/benchmarks/detector.py [NAME|PATH ...]

Ours by default. COCO's average precision, recall and false positives from the score of a run on; tracks of PETS09-S2L1
by the default tracker, before any re-identification; and frames a second, in turn in this one process. Prints what it
finds and writes results/detector.json beside this file.
"""

import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from vidreid.engines.registry import shipped
from vidreid.evaluation.run import score_tracking
from vidreid.footage.cameras import read_site
from vidreid.pipeline.progress import Lines, Silent
from vidreid.pipeline.run import Options, run
from vidreid.store.folder import RunFolder
from vidreid.training.detector.scoring import open_detector, open_sets, score_set
from vidreid.types import Frame
from vidreid.world import write_world

SHARED = Path(__file__).resolve().parents[3] / "shared"
FOOTAGE = SHARED / "data/footage"
PEOPLE = SHARED / "data/detect/people.tar"
PETS = FOOTAGE / "pets_s2l1"
BASELINE = SHARED / "weights/detector/yolo26n_int8_openvino_model"
PARTIAL = ("korea_crossing", "pennfudan", "street_ped")  # of people.tar, as its README says
WORLD = {"seed": 5, "seconds": 30.0}  # another day than that of the demo
SHOWN = ("pictures", "boxes", "ap50", "ap", "recall", "false_positives")
TIMED, ROUNDS = 200, 5  # frames, and how often a detector sees them


def labelled_sets(folder):
    """Every set to score, the pictures without people once more together, and the world filmed into ``folder``."""
    write_world(folder / "world", **WORLD)
    scenes, _ = open_sets([str(root) for root in (PETS, FOOTAGE / "campus4", FOOTAGE / "lab4", folder / "world")])
    pictures, _ = open_sets([str(PEOPLE)], PARTIAL)
    empty = [pair for pair in chain.from_iterable(one.pictures for one in pictures) if not len(pair[1])]
    peopled = [one for one in pictures if any(len(boxes) for _, boxes in one.pictures)]
    return [*scenes, *peopled, replace(pictures[0], name="without people", pictures=empty, partial=False)]


def tracks(wanted, folder):
    """MOTA, IDF1 and HOTA on PETS09-S2L1."""
    target = RunFolder(folder)
    settings = {
        "detection": {"detector": wanted},
        "embedding": {"embedder": "colours"},
        "matching": {"split": False},
    }
    run(target, read_site([f"vtest={PETS / 'vtest.avi'}"]), settings, Options(), Lines(sys.stderr))
    _, scores = score_tracking(target.path, PETS)
    return _rounded(scores["vtest"].as_dict(), ("mota", "idf1", "hota"))


def speeds(detectors, pets):
    """Frames a second of each detector, the median over rounds in which they take turns."""
    frames = [Frame("vtest", n, 0, 0, 0.0, pets.read(key)) for n, (key, _) in enumerate(islice(pets.pictures, TIMED))]
    found = [[] for _ in detectors]
    for _ in range(ROUNDS):
        for one, rates in zip(detectors, found, strict=True):
            began = time.perf_counter()
            count = sum(1 for _ in one.detector.detect(frames))
            rates.append(count / (time.perf_counter() - began))
    return [round(statistics.median(rates), 1) for rates in found]


def _rounded(scores, names):
    return {name: scores[name] if scores[name] is None else round(scores[name], 4) for name in names}


def measure(names, folder):
    """A row a detector, by its name."""
    sets = labelled_sets(folder)
    with ExitStack() as stack:
        detectors = [stack.enter_context(open_detector(name)) for name in names]
        rates = speeds(detectors, sets[0])
        found = {
            one.name: {"score": one.score, "fps": fps, "sets": {}} for one, fps in zip(detectors, rates, strict=True)
        }
        for labelled in sets:
            for one in detectors:
                score = _rounded(score_set(one, labelled, Silent()).as_dict(), SHOWN)
                found[one.name]["sets"][labelled.name] = score
                print(one.name, labelled.name, json.dumps(score), flush=True)
    for (name, row), wanted in zip(found.items(), names, strict=True):
        row["tracks"] = tracks(wanted, folder / name)
        print(name, json.dumps(row["tracks"]), f"{row['fps']} frames/s", flush=True)
    return found


def main(wanted):
    names = [str(BASELINE), *(wanted or [name for name, entry in shipped().items() if entry.kind == "detector"])]
    with tempfile.TemporaryDirectory() as folder:
        found = measure(names, Path(folder))
    out = Path(__file__).parent / "results" / "detector.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
