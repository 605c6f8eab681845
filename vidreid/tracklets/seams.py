"""Joins the tracks of two neighbouring segments one to one: in the overlap both saw the same frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from vidreid.types import Array, Boxes

LEAST = 0.5  # mean IoU over common frames from which two tracks of one overlap are one


@dataclass(frozen=True)
class OverlapRows:
    """Boxes that one segment has of the overlap: ``frames`` (n,), ``tracks`` (n,), ``boxes`` (n, 4)."""

    frames: Array
    tracks: Array
    boxes: Boxes


def join_seam(before: OverlapRows, after: OverlapRows) -> list[tuple[int, int]]:
    """Pairs (track before, track after) that are one person: assignment on mean IoU over common frames."""
    lefts, left_of = np.unique(before.tracks, return_inverse=True)
    rights, right_of = np.unique(after.tracks, return_inverse=True)
    if not len(lefts) or not len(rights):
        return []
    total = np.zeros((len(lefts), len(rights)))
    count = np.zeros_like(total)
    for frame in np.intersect1d(before.frames, after.frames):
        i, j = np.flatnonzero(before.frames == frame), np.flatnonzero(after.frames == frame)
        cells = np.ix_(left_of[i], right_of[j])
        total[cells] += iou(before.boxes[i], after.boxes[j])
        count[cells] += 1
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    rows, columns = linear_sum_assignment(-mean)
    return [(int(lefts[r]), int(rights[c])) for r, c in zip(rows, columns, strict=True) if mean[r, c] >= LEAST]


def iou(a: Boxes, b: Boxes) -> Array:
    """Intersection over union of boxes (n, 4) and (m, 4): (n, m)."""
    corner = np.maximum(a[:, None, :2], b[None, :, :2])
    inner = np.clip(np.minimum(a[:, None, 2:], b[None, :, 2:]) - corner, 0, None).prod(2)
    sizes = (a[:, 2:] - a[:, :2]).prod(1)[:, None] + (b[:, 2:] - b[:, :2]).prod(1)[None] - inner
    return np.asarray(inner / np.maximum(sizes, 1e-9))
