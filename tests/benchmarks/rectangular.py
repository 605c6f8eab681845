"""An INT8 detector of our own building at rectangular sizes, beside `ultralytics track`.

python tests/benchmarks/rectangular.py [PART...], parts being clips, cameras and accuracy. The engine is `vidreid engine
build yolo26n --precision int8` at 384x640 and 480x640. `ultralytics track` has its own INT8 network at 640x640, and so
has the accuracy's other side. What is compared takes turns in this one process, ratios are medians over rounds. Two
cameras: one file as two cameras, and twice as one camera. Writes results/rectangular.json.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from speed import DETECTOR, EMBEDDER, FILES, SHARED, Scene, seconds, ultralytics_track

from vidreid.evaluation.run import score_tracking
from vidreid.footage.cameras import read_site
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.run import Options, run
from vidreid.store.folder import RunFolder

ROUNDS = 2
FOOTAGE = SHARED / "data/footage"
CLIPS = {"one_by_one": FOOTAGE / "unlabelled/one_by_one.mp4", **FILES}
CAMPUS = {"partial": True, "distractors": ["c1:319,73,14,50"]}
LABELLED = {
    "pets_s2l1": (["vtest"], FOOTAGE / "pets_s2l1", "avi", {}),
    "campus4": (["c0", "c1"], FOOTAGE / "campus4", "mp4", CAMPUS),
}


def build(folder):
    """The engine, by the program's own command."""
    weights = SHARED / "weights/detector/yolo26n_dequant.pt"
    sizes = ["--size", "480x640", "--size", "384x640"]
    words = ["vidreid", "engine", "build", "yolo26n", "--runtime", "openvino", "--precision", "int8", *sizes]
    program = [str(Path(sys.executable).with_name(words[0])), *words[1:]]
    told = [*program, "--weights", str(weights), "--output", str(folder), "--json"]
    return json.loads(subprocess.run(told, check=True, stdout=subprocess.PIPE).stdout)["folder"]


def overrides(detector):
    return {"detection": {"detector": str(detector)}, "embedding": {"embedder": str(EMBEDDER)}}


def speeds(name, engine, folder):
    square = Scene(name, CLIPS[name], folder / "square")
    ours = Scene(name, CLIPS[name], folder / "ours", overrides(engine))
    square.track()
    ours.track()
    rows = []
    for _ in range(ROUNDS):
        row = {
            "square_fps": square.frames / seconds(square.track),
            "rectangular_fps": ours.frames / seconds(ours.track),
            "ultralytics_fps": ultralytics_track(CLIPS[name]),
        }
        row["times_ultralytics"] = row["rectangular_fps"] / row["ultralytics_fps"]
        rows.append(row)
        print(name, {key: round(value, 2) for key, value in row.items()}, flush=True)
    square.tools.close()
    ours.tools.close()
    return {key: round(statistics.median(row[key] for row in rows), 3) for key in rows[0]}


def accuracy(detector, folder):
    found = {}
    for name, (cameras, root, suffix, options) in LABELLED.items():
        site = read_site([f"{camera}={root / camera}.{suffix}" for camera in cameras])
        run(RunFolder(folder / name), site, overrides(detector), Options(), Silent())
        _, scores = score_tracking(folder / name, root, **options)
        for camera, score in scores.items():
            figures = {key: round(getattr(score, key), 4) for key in ("mota", "idf1", "hota", "recall", "precision")}
            found[f"{name} {camera}"] = figures
    return found


def of_two_cameras(folder):
    """Frames a second of two cameras at once, over those of one camera with as many frames."""
    file = FILES["vtest"]
    twice = folder / "again.avi"
    twice.write_bytes(file.read_bytes())
    ratios = []
    for number in range(ROUNDS):
        rates = []
        for words in ([f"c0={file}", f"c0={twice}"], [f"c0={file}", f"c1={twice}"]):
            place = RunFolder(folder / f"{number}-{len(rates)}")
            report = run(place, read_site(words), overrides(DETECTOR), Options(until="track"), Silent())
            rates.append(report.frames / report.seconds)
        ratios.append(rates[1] / rates[0])
        print("one camera, two cameras", [round(rate, 2) for rate in rates], flush=True)
    return round(statistics.median(ratios), 3)


def main(parts):
    out = Path(__file__).parent / "results" / "rectangular.json"
    found = json.loads(out.read_text()) if out.is_file() else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "cameras" in parts:
            found["two_cameras_over_one"] = of_two_cameras(folder)
        engine = build(folder / "engines") if parts != ["cameras"] else None
        clips = [clip for clip in CLIPS if clip in parts]
        found["speed"] = {**found.get("speed", {}), **{clip: speeds(clip, engine, folder / clip) for clip in clips}}
        if "accuracy" in parts:
            square, ours = accuracy(DETECTOR, folder / "square"), accuracy(engine, folder / "rectangular")
            found["accuracy"] = {"square": square, "rectangular": ours}
    out.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:] or [*CLIPS, "cameras", "accuracy"])
