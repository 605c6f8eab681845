"""What fewer frames a second cost: python tests/benchmarks/frame_rates.py [SCENE...]

The labelled scenes with the networks that ship, looked at 5 and 10 times a second and at every frame. Scores are of
every labelled frame: boxes between those looked at are interpolated, as every export does. Per scene the rate of its
footage, tracking of each camera (its tracklets), identities over all cameras by person, and the bytes of the run's
parts for each second of a camera. Writes configs/frame_rates.json, which the program carries and `run --dry-run`
prints.
"""

import json
import sys
import tempfile
from pathlib import Path
from statistics import fmean

from identity import SCENES, footage

from vidreid.evaluation.run import score_identity, score_tracking
from vidreid.footage.cameras import read_site
from vidreid.footage.thinning import frame_rate
from vidreid.pipeline.progress import Lines
from vidreid.pipeline.results import Run
from vidreid.pipeline.run import Options, run
from vidreid.pipeline.status import run_status
from vidreid.store.folder import RunFolder

OUT = Path(__file__).resolve().parents[2] / "configs" / "frame_rates.json"
RATES = {"5": 5.0, "10": 10.0, "all": "all"}
NETWORKS = {"detection": {"detector": "detector-yolo26n"}, "embedding": {"embedder": "slim-afa"}}


def scene_row(scene, folder):
    labels, words = footage(scene)
    how = SCENES[scene][1]
    return {name: rate_row(folder / f"{scene}-{name}", labels, words, fps, how) for name, fps in RATES.items()}


def rate_row(target, labels, words, fps, how):
    run(RunFolder(target), read_site(words), {**NETWORKS, "decoding": {"fps": fps}}, Options(), Lines(sys.stderr))
    _, tracks = score_tracking(target, labels, **how)
    # In PETS people leave and return under new ids, which no system can know.
    _, people = score_identity(target, labels, by_person=labels.name == "pets_s2l1", **how)
    opened = Run(target)
    files = [file for camera in opened.cameras for file in opened.files(camera)]
    seconds = sum(opened.timeline(camera).duration for camera in opened.cameras)
    stored = run_status(RunFolder(target)).bytes
    return {
        "footage_fps": round(fmean(map(frame_rate, files)), 2),
        "tracks_mota": round(fmean(score.mota for score in tracks.values()), 3),
        "tracks_idf1": round(fmean(score.idf1 for score in tracks.values()), 3),
        "people_idf1": round(people.idf1, 3),
        "bytes_per_second": round(sum(stored[stage] for stage in ("track", "crops", "embed")) / seconds),
    }


def main(scenes):
    found = json.loads(OUT.read_text()) if OUT.is_file() else {}
    with tempfile.TemporaryDirectory() as folder:
        for scene in scenes:
            found[scene] = scene_row(scene, Path(folder))
            print(scene, json.dumps(found[scene], indent=1), flush=True)
            OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:] or list(SCENES))
