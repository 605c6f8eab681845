"""How near `run --dry-run` comes to the true time and disk: python tests/benchmarks/estimate.py [CLIP...]

For each clip a dry run, then the run itself from a folder in which only ingest is done, with 5, 10 and all frames a
second, in turn in this one process. The machine should have nothing else to do. Writes results/estimate.json: seconds
and megabytes, told and true, and the one over the other.
"""

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from speed import DETECTOR, FILES, SHARED

from vidreid.footage.cameras import Site, read_site
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.prospect import choices, prepare
from vidreid.pipeline.run import Options, run
from vidreid.pipeline.status import run_status
from vidreid.store.folder import RunFolder

OUT = Path(__file__).parent / "results" / "estimate.json"
CLIPS = {**FILES, "campus4_c0": SHARED / "data/footage/campus4/c0.mp4"}
NETWORKS = {"detection": {"detector": str(DETECTOR)}, "embedding": {"embedder": "slim-afa"}}
STORED = ("track", "crops", "embed")


def clip_rows(clip, folder):
    told_in = RunFolder(folder / clip)
    site = read_site([f"{clip}={CLIPS[clip]}"])
    rows = {}
    for choice in choices(prepare(told_in, site, NETWORKS, Options(), Silent()), Silent()):
        fps = "all" if choice.fps is None else choice.fps
        target = RunFolder(shutil.copytree(told_in.path, folder / f"{clip}-{fps}"))
        started = time.perf_counter()
        run(target, Site(), {"decoding": {"fps": fps}}, Options(), Silent())
        seconds = time.perf_counter() - started
        stored = run_status(target).bytes
        rows[str(fps)] = row(choice, seconds, sum(stored[stage] for stage in STORED))
        print(clip, fps, rows[str(fps)], flush=True)
    return rows


def row(choice, seconds, size):
    return {
        "told_s": round(choice.seconds, 1),
        "true_s": round(seconds, 1),
        "time_ratio": round(choice.seconds / seconds, 3),
        "told_mb": round(choice.bytes / 1e6, 2),
        "true_mb": round(size / 1e6, 2),
        "disk_ratio": round(choice.bytes / size, 3),
    }


def main(clips):
    found = json.loads(OUT.read_text()) if OUT.is_file() else {}
    with tempfile.TemporaryDirectory() as folder:
        for clip in clips:
            found[clip] = clip_rows(clip, Path(folder))
    OUT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:] or list(CLIPS))
