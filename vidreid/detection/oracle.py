"""A detector for the synthetic world only: it reads the truth and errs like a real one.

It sees no pixels. It is for tests and demonstrations of what comes after detection, never a measure of anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np

from vidreid.errors import InputError
from vidreid.types import Array, Detections, Frame

JITTER = 0.025  # standard deviation of each edge, in shares of the box's width or height
FALSE_RATE = 0.01  # false positives a frame
FAINT = 0.3  # visibility at which half of the people are missed
SMALL = 18.0  # pixels of height at which half of the people are missed
BEST_RECALL = 0.98


@dataclass(frozen=True, slots=True)
class _Truth:
    """One camera's MOT file, by frame: rows of frame ``i`` are ``rows[first[i]:first[i + 1]]``."""

    rows: Array
    first: Array

    def at(self, index: int) -> tuple[Array, Array]:
        """Boxes x1, y1, x2, y2 (n, 4) and visibilities (n,) at a 0-based frame index."""
        if index + 1 >= len(self.first):
            return np.empty((0, 4)), np.empty(0)
        rows = self.rows[self.first[index] : self.first[index + 1]]
        return np.concatenate((rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]), axis=1), rows[:, 8]


class Oracle:
    """Detections from the world's truth: jitter, misses and false positives, the same for a frame whatever was before.

    ``truth`` maps a camera to its MOT file (``frame,id,x,y,w,h,conf,class,visibility``, frames from 1). A person is
    found with the probability ``0.98 s((visibility - 0.3) / 0.07) s((height - 18) / 3)``, s the logistic function and
    height in pixels: about 98 % of those who are 40 pixels tall and not hidden. Edges are off by 2.5 % of the box's
    side (standard deviation), scores lie in 0.25..0.99 and grow with visibility and height, one frame in a hundred
    holds a false positive of low score. Randomness is keyed by seed, camera and frame index alone.
    """

    def __init__(self, truth: Mapping[str, Path], seed: int = 0) -> None:
        self._truth = {camera: _read(camera, path) for camera, path in truth.items()}
        self._seed = seed

    def detect(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        """Raises `InputError` at a frame of a camera without truth."""
        for frame in frames:
            if frame.camera not in self._truth:
                raise InputError(f"{frame.camera}: no truth for this camera", "the oracle works on the synthetic world")
            boxes, visibility = self._truth[frame.camera].at(frame.index)
            height, width = frame.size
            rng = np.random.default_rng((self._seed, crc32(frame.camera.encode()), frame.index))
            yield frame, _perceived(boxes, visibility, (width, height), rng)


def _perceived(boxes: Array, visibility: Array, size: tuple[int, int], rng: np.random.Generator) -> Detections:
    count = len(boxes)
    tall = boxes[:, 3] - boxes[:, 1]
    sides = np.column_stack((boxes[:, 2] - boxes[:, 0], tall))
    chance = BEST_RECALL * _logistic((visibility - FAINT) / 0.07) * _logistic((tall - SMALL) / 3)
    found = rng.random(count) < chance
    shaken = boxes + JITTER * np.tile(sides, 2) * rng.standard_normal((count, 4))
    scores = 0.35 + 0.55 * np.sqrt(visibility) * np.minimum(1, tall / 60) + 0.05 * rng.standard_normal(count)
    false, faint = _imagined(size, rng)
    kept = np.concatenate((shaken[found], false))
    kept = np.clip(kept, 0, np.tile(size, 2))
    sure = np.clip(np.concatenate((scores[found], faint)), 0.25, 0.99)
    return Detections(kept.astype(np.float32), sure.astype(np.float32))


def _imagined(size: tuple[int, int], rng: np.random.Generator) -> tuple[Array, Array]:
    """False positives: upright boxes anywhere, with low scores."""
    count = int(rng.random() < FALSE_RATE)
    tall = size[1] * rng.uniform(0.15, 0.4, count)
    x, y = rng.uniform(0, 0.9, (2, count)) * np.array(size)[:, None]
    return np.column_stack((x, y, x + 0.4 * tall, y + tall)), rng.uniform(0.25, 0.55, count)


def _read(camera: str, path: Path) -> _Truth:
    try:
        rows = np.loadtxt(path, delimiter=",", ndmin=2) if path.stat().st_size else np.empty((0, 9))
    except (OSError, ValueError) as error:
        raise InputError(f"{camera}: {path}: no MOT file: {error}", "write the world anew") from error
    if rows.shape[1] < 9:
        raise InputError(f"{camera}: {path}: {rows.shape[1]} columns instead of 9", "write the world anew")
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    frames = int(rows[-1, 0]) if len(rows) else 0
    return _Truth(rows, np.searchsorted(rows[:, 0], np.arange(1, frames + 2)))


def _logistic(value: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-value)))
