"""People who walk at constant speed before a textured wall, as a detector without faults would see them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidreid.types import Detections, Frame

CONFIGS = {path.stem: path for path in (Path(__file__).parents[2] / "configs/trackers").glob("*.yaml")}
HEIGHT, WIDTH, DIM = 120, 160, 16


@dataclass(frozen=True)
class Walker:
    """Starts at ``x`` (pixels), walks ``speed`` pixels per second; seen from ``first`` to ``last`` second."""

    x: float
    y: float
    speed: float
    first: float = 0.0
    last: float = np.inf
    score: float = 0.9

    def box(self, time):
        left = self.x + self.speed * time
        return [left, self.y, left + 16, self.y + 40]


def scene(walkers, times, *, hidden=(np.inf, np.inf)):
    """One ``(Detections, Frame)`` a time; in the time span ``hidden`` nobody is seen."""
    wall = np.random.default_rng(7).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    looks = np.random.default_rng(8).normal(size=(len(walkers), DIM)).astype(np.float32)
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    steps = []
    for index, time in enumerate(times):
        blind = hidden[0] < time < hidden[1]
        seen = [n for n, walker in enumerate(walkers) if not blind and walker.first <= time <= walker.last]
        boxes = np.array([walkers[n].box(time) for n in seen], np.float32).reshape(-1, 4)
        scores = np.array([walkers[n].score for n in seen], np.float32)
        image = wall.copy()
        for left, top, right, bottom in boxes.astype(int):
            image[top:bottom, max(left, 0) : right] = 200
        frame = Frame(camera="c1", index=index, file=0, pts=index, time=float(time), image=image)
        steps.append((Detections(boxes, scores, looks[seen]), frame))
    return steps


def follow(tracker, steps):
    return [tracker.update(detections, frame) for detections, frame in steps]


def ids(answers):
    """Every id that was given, in order of its first frame."""
    return list(dict.fromkeys(int(each) for answer in answers for each in answer.ids))
