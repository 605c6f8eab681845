"""Tracks and identities on the labelled scenes, one default for all: python tests/benchmarks/identity.py

Detector yolo26n INT8, embedder person-reidentification-retail-0277. "tracks" are single-camera tracks before any
re-identification (matching.split off), "identity" is over all cameras; PETS also by person (persons.csv).
Prints a table and writes results/identity.json beside this file.
"""

import json
import sys
import tempfile
from pathlib import Path

from vidreid.evaluation.run import score_identity, score_tracking
from vidreid.footage.cameras import read_site
from vidreid.pipeline.progress import Lines
from vidreid.pipeline.run import Options, run
from vidreid.store.folder import RunFolder

SHARED = Path(__file__).resolve().parents[3] / "shared"
OVERRIDES = {
    "detection": {"detector": str(SHARED / "weights/detector/yolo26n_int8_openvino_model")},
    "embedding": {
        "embedder": str(
            SHARED / "weights/reid/person-reidentification-retail-0277/FP16/person-reidentification-retail-0277.xml"
        )
    },
}
SCENES = {
    "pets_s2l1": (["vtest=vtest.avi"], {}),
    "campus4": (["c0=c0.mp4", "c1=c1.mp4"], {"partial": True, "distractors": ["c1:319,73,14,50"]}),
    "lab4": (["cam1=cam1.mp4", "cam2=cam2.mp4"], {"partial": True}),
}


def footage(scene):
    folder = SHARED / "data/footage" / scene
    return folder, [word.replace("=", f"={folder}/") for word in SCENES[scene][0]]


def measure(scene, output):
    folder, words = footage(scene)
    how = SCENES[scene][1]
    target = RunFolder(output / scene)
    whole = {**OVERRIDES, "matching": {"split": False}}
    run(target, read_site(words), whole, Options(), Lines(sys.stderr))
    _, tracks = score_tracking(target.path, folder, **how)
    run(target, [], {"matching": {"split": True}}, Options(), Lines(sys.stderr))
    _, identity = score_identity(target.path, folder, **how)
    row = {
        "tracks": {
            name: {key: round(score.as_dict()[key], 3) for key in ("mota", "idf1", "hota")}
            for name, score in tracks.items()
        },
        "identity_idf1": round(identity.idf1, 3),
        "identity_hota": round(identity.hota, 3),
    }
    if scene == "pets_s2l1":
        _, person = score_identity(target.path, folder, by_person=True, **how)
        row["by_person_idf1"] = round(person.idf1, 3)
    return row


def main(scenes):
    with tempfile.TemporaryDirectory() as name:
        found = {scene: measure(scene, Path(name)) for scene in scenes}
    out = Path(__file__).parent / "results" / "identity.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:] or list(SCENES))
