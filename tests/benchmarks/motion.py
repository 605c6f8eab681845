"""What the motion gate gains and what it loses: python tests/benchmarks/motion.py [NAME ...]

`track` with and without the gate, in turn in one process, on footage that is empty 80 % of the time: people of the
development footage put one after another into its empty picture (emptied.py), and the synthetic world with one person.
Then on real footage of little motion, as it is. A tracklet of 1 s or longer is lost if less than half of its boxes
are found with the gate (IoU 0.5); it is a person's if most of its boxes are those of labels, where there are any.
Prints a table and writes results/motion.json beside this file.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from emptied import compose

from vidreid.footage.cameras import read_site
from vidreid.pipeline.networks import Tools, find_networks
from vidreid.pipeline.plan import plan_camera, segment_states
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.run import Options, run
from vidreid.pipeline.segment import SegmentWork, process_segment
from vidreid.posix import cores
from vidreid.settings import Settings
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_part
from vidreid.world.film import write_world

SHARED = Path(__file__).resolve().parents[3] / "shared"
DETECTOR = SHARED / "weights/detector/yolo26n_int8_openvino_model"
DATA = SHARED / "data/footage"
WALKS = {  # file, labels, who walks
    "vtest": (DATA / "pets_s2l1/vtest.avi", DATA / "pets_s2l1/gt/vtest.txt", [7, 8, 16, 18, 17]),
    "campus4-c0": (DATA / "campus4/c0.mp4", DATA / "campus4/gt/c0.txt", [4, 5]),
    "campus4-c1": (DATA / "campus4/c1.mp4", DATA / "campus4/gt/c1.txt", [4, 5]),
    "lab4-cam1": (DATA / "lab4/cam1.mp4", DATA / "lab4/gt/cam1.txt", [2]),
    "lab4-cam2": (DATA / "lab4/cam2.mp4", DATA / "lab4/gt/cam2.txt", [2]),
}
WORLDS = {"world-north": "north", "world-yard": "yard"}
PLAIN = {name: DATA / "unlabelled" / f"{name}.mp4" for name in ("one_by_one", "porch_night")}
ROUNDS = int(os.environ.get("ROUNDS", "3"))
VISIBLE = 0.3  # share of a person from which the world's truth counts
SAME = 0.5  # IoU


@dataclass
class Boxes:
    """Boxes of tracks or labels: frames (n,), ids (n,), boxes (n, 4)."""

    frames: np.ndarray
    ids: np.ndarray
    boxes: np.ndarray

    def found_in(self, other):
        """For each box, whether the other has one in its place (n,)."""
        order = np.argsort(other.frames, kind="stable")
        starts = np.searchsorted(other.frames[order], [self.frames, self.frames + 1]).T
        pairs = zip(self.boxes, starts, strict=True)
        return np.array([_iou(box, other.boxes[order[a:b]]).max(initial=0) >= SAME for box, (a, b) in pairs], bool)


class Side:
    """`track` on one file, with the gate or without; ingest is done, the networks are compiled."""

    def __init__(self, file, folder, gate):
        overrides = {
            "detection": {"detector": str(DETECTOR), "motion_gate": gate},
            "embedding": {"embedder": "colours"},
        }
        self.folder = RunFolder(folder)
        site = read_site([f"c={file}"])
        run(self.folder, site, overrides, Options(until="ingest"), Silent())
        self.settings = Settings(**overrides)
        networks = find_networks(self.settings, {camera.name: camera for camera in site.cameras}, offline=True)
        self.identities = networks.identities
        self.tools = Tools(networks, self.settings, cores())
        self.plan = plan_camera(self.folder, self.folder.read().cameras[0], self.settings)

    def track(self):
        """Frames a second of the whole file, and frames that were not looked at."""
        start = time.perf_counter()
        skipped = 0
        for state in segment_states(self.folder, self.plan, self.settings, self.identities):
            footage = Path(self.plan.record.files[state.segment.file].path)
            file = self.plan.files[state.segment.file]
            work = SegmentWork(self.folder.path, footage, file, state.segment, state.track_inputs, None)
            skipped += process_segment(self.tools, lambda camera, count: None, work).get("skipped", 0)
        return self.plan.frames / (time.perf_counter() - start), skipped

    def tracks(self):
        """Boxes of all segments; each segment has ids of its own."""
        parts = [
            (number, read_part(self.folder.track("c", segment.name), schema.TRACKS).to_pandas())
            for number, segment in enumerate(self.plan.segments)
        ]
        columns = [
            (part["frame"], part["track"] + 1_000_000 * number, part[["x1", "y1", "x2", "y2"]])
            for number, part in parts
        ]
        return Boxes(*(np.concatenate([np.asarray(column) for column in one]) for one in zip(*columns, strict=True)))

    def seconds(self):
        return np.array([self.plan.files[0].seconds(i) for i in range(self.plan.frames)])


def _iou(box, others):
    corner = np.maximum(box[:2], others[:, :2])
    inner = np.clip(np.minimum(box[2:], others[:, 2:]) - corner, 0, None).prod(1)
    return inner / ((box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1) - inner)


def losses(plain, gated, truth, seconds):
    """What of the tracklets of 1 s or longer is lost, and the share of labels that is found on either side."""
    kept = plain.found_in(gated)
    person = plain.found_in(truth) if truth else np.ones(len(kept), bool)
    row = {"tracklets": 0, "lost_persons": 0, "lost_false": 0, "boxes": len(kept), "boxes_kept": float(kept.mean())}
    for track in np.unique(plain.ids):
        mine = plain.ids == track
        if np.ptp(seconds[plain.frames[mine]]) >= 1:
            row["tracklets"] += 1
            if kept[mine].mean() < 0.5:
                row["lost_persons" if person[mine].mean() >= 0.5 else "lost_false"] += 1
    if truth:
        row["occupied"] = len(np.unique(truth.frames)) / len(seconds)
        row["recall"] = float(truth.found_in(plain).mean())
        row["recall_gated"] = float(truth.found_in(gated).mean())
    return row


def measure(name, file, truth, folder):
    sides = [Side(file, folder / f"{name}-{gate}", gate) for gate in (False, True)]
    for side in sides[1:]:
        side.track()  # warms both
    rows = []
    for _ in range(ROUNDS):
        (plain, _), (gated, skipped) = (side.track() for side in sides)
        rows.append({"plain_fps": plain, "gated_fps": gated, "ratio": gated / plain})
        print(name, {key: round(value, 2) for key, value in rows[-1].items()}, flush=True)
    found = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
    found["looked_at"] = 1 - skipped / sides[0].plan.frames
    found |= losses(sides[0].tracks(), sides[1].tracks(), truth, sides[0].seconds())
    for side in sides:
        side.tools.close()
    return {key: round(value, 4) for key, value in found.items()}


def footage(name, folder):
    """The file of that name and its truth, None where it has no labels."""
    if name in PLAIN:
        return PLAIN[name], None
    if name in WALKS:
        source, labels, persons = WALKS[name]
        target = folder / f"{name}.mp4"
        return target, Boxes(*compose(source, labels, target, persons=persons))
    world = folder / "world"
    if not world.exists():
        write_world(world, seed=5, seconds=200, cameras=3, people=1, size=(640, 360))
    rows = np.loadtxt(world / "gt" / f"{WORLDS[name]}.txt", delimiter=",", ndmin=2)
    rows = rows[rows[:, 8] >= VISIBLE]
    corners = np.concatenate((rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]), 1)
    return world / f"{WORLDS[name]}.mp4", Boxes(rows[:, 0].astype(int) - 1, rows[:, 1].astype(int), corners)


def main(names):
    out = Path(__file__).parent / "results" / "motion.json"
    found = json.loads(out.read_text()) if out.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            found[name] = measure(name, *footage(name, Path(folder)), Path(folder))
            print(name, found[name], flush=True)
            out.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:] or [*WALKS, *WORLDS, *PLAIN])
