"""Every tracker of configs/trackers on the development footage: python tests/benchmarks/trackers.py [NAME ...]

Tracks of single cameras, before any re-identification: as the tracker gives them ("raw") and with what the pipeline
adds offline, joins by motion and boxes between ("joined"). Appearance, for the trackers that compare it, is
person-reidentification-retail-0288. Prints a table and writes results/trackers.json beside this file.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidreid.detection.yolo import Yolo
from vidreid.embedding.network import NetworkEmbedder
from vidreid.engines.runtimes import openvino
from vidreid.engines.weights import find_model
from vidreid.evaluation.mot import Rows
from vidreid.evaluation.tracking import evaluate_tracking
from vidreid.evaluation.truth import parse_distractor, read_truth
from vidreid.footage.decode import SegmentDecoder
from vidreid.footage.probe import probe
from vidreid.footage.segments import cut
from vidreid.footage.thinning import frame_rate
from vidreid.pipeline.networks import find_tracker, tracker_names
from vidreid.tracking import boxmot
from vidreid.tracklets.joins import Track, interpolate, join_by_motion
from vidreid.types import Crop, Detections

SHARED = Path(__file__).resolve().parents[3] / "shared"
SCENES = {"pets_s2l1": ("vtest",), "campus4": ("c0", "c1"), "lab4": ("cam1", "cam2")}
SCORE = 0.05  # faint detections continue tracks
EASEL = parse_distractor("c1:319,73,14,50")


@dataclass
class Footage:
    """A camera's frames with their detections; ``times`` (n,) seconds of all frames."""

    camera: str
    rate: float
    times: np.ndarray
    steps: list


def detect(shared, scene, camera, *, embedder=None):
    """Decode a camera and find its people, with a vector each where an embedder is given."""
    file = (
        shared
        / "data/footage"
        / scene
        / json.loads((_scene(shared, scene) / "scene.json").read_text())["cameras"][camera]
    )
    video = probe(file)
    (segment,) = cut(camera, [video], seconds=300, overlap=4)
    engine = openvino.load(_network(shared, "detector/yolo26n_int8_openvino_model", "detector"), streams=2)
    steps = list(Yolo(lambda size: engine, score=SCORE).detect(SegmentDecoder(file, video, segment).frames()))
    engine.close()
    if embedder is not None:
        steps = [(frame, _with_vectors(frame, found, embedder)) for frame, found in steps]
    times = np.array([video.seconds(position) for position in range(len(video.pts))])
    return Footage(camera, frame_rate(video), times, steps)


def _scene(shared, scene):
    return shared / "data/footage" / scene


def _network(shared, path, kind):
    return find_model(str(shared / "weights" / path), kind, offline=True, announce=print)


def _with_vectors(frame, found, embedder):
    if not len(found):
        return Detections(found.boxes, found.scores, np.zeros((0, embedder.spec.dim), np.float32))
    vectors = embedder.embed([[Crop(frame.image, box, 1.0)] for box in found.boxes])
    return Detections(found.boxes, found.scores, vectors)


def follow(name, footage, *, dim=None):
    """Tracks of one camera by the tracker ``name`` of configs/trackers, and the seconds it took."""
    config = find_tracker(name)
    needs = boxmot.needs_vectors(config.name, config.options)
    tracker = boxmot.make(config.name, config.options, rate=footage.rate, dim=dim if needs else None)
    began = time.perf_counter()
    answers = [tracker.update(found, frame) for frame, found in footage.steps]
    seconds = time.perf_counter() - began
    frames = np.repeat([frame.index for frame, _ in footage.steps], [len(answer.ids) for answer in answers])
    ids = np.concatenate([answer.ids for answer in answers])
    boxes = np.concatenate([answer.boxes for answer in answers])
    tracks = [
        Track(int(key), frames[ids == key], footage.times[frames[ids == key]], boxes[ids == key])
        for key in np.unique(ids)
    ]
    return tracks, seconds


def raw(tracks):
    """Tracks as rows for the evaluation."""
    return _rows((track.key, track.frames, track.boxes) for track in tracks)


def joined(tracks, times):
    """The same after the joins by motion, with interpolated boxes between."""
    by_key = {track.key: track for track in tracks}
    every = np.arange(len(times))
    filled = []
    for group in join_by_motion(tracks):
        frames = np.concatenate([by_key[key].frames for key in group])
        boxes = np.concatenate([by_key[key].boxes for key in group])
        filled.append((group[0], *interpolate(frames, times[frames], boxes, every, times)[:2]))
    return _rows(filled)


def _rows(parts):
    parts = [(frames + 1, np.full(len(frames), key + 1), boxes) for key, frames, boxes in parts]
    if not parts:
        return Rows(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 4), np.float32))
    return Rows(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def score(shared, scene, camera, rows):
    """The scores of one camera; partial labels are scored by their rules."""
    truth = read_truth(_scene(shared, scene), [camera], distractors=[EASEL] if camera == "c1" else [])
    return evaluate_tracking(truth, {camera: rows}, partial=truth.partial)[camera]


def measure(shared, names):
    """For each tracker and camera: scores raw and joined, and frames per second of the tracker alone."""
    model = _network(shared, "reid/person-reidentification-retail-0288/FP16", "embedder")
    embedder = NetworkEmbedder(openvino.load(model, streams=2), model.spec)
    results = {name: {} for name in names}
    for scene, cameras in SCENES.items():
        for camera in cameras:
            footage = detect(shared, scene, camera, embedder=embedder)
            for name in names:
                tracks, seconds = follow(name, footage, dim=embedder.spec.dim)
                results[name][camera] = {
                    "scene": scene,
                    "fps": round(len(footage.steps) / seconds, 1),
                    "raw": score(shared, scene, camera, raw(tracks)).as_dict(),
                    "joined": score(shared, scene, camera, joined(tracks, footage.times)).as_dict(),
                }
                print(line(name, camera, results[name][camera]), flush=True)
    return results


def line(name, camera, result):
    """One row of the table."""
    columns = [
        "".join(f"{result[kind][metric]:7.3f}" for metric in ("mota", "idf1", "hota"))
        + f"{result[kind]['id_switches']:4d}"
        for kind in ("raw", "joined")
    ]
    return f"{name:<12}{camera:<6} {'  |'.join(columns)}  |{result['fps']:7.0f}"


def main():
    if not SHARED.is_dir():
        sys.exit(f"needs the development data in {SHARED.name}, beside the repository")
    names = sys.argv[1:] or tracker_names()
    scores = "   MOTA   IDF1   HOTA  sw"
    print(f"{'':<19}raw{'':<24}|joined\n{'tracker':<12}{'camera':<6} {scores}  |{scores}  |frames/s")
    results = measure(SHARED, names)
    target = Path(__file__).parent / "results/trackers.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
