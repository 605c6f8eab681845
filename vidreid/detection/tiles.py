"""Square tiles for small people in large frames, and one set of boxes from several overlapping views."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidreid.types import Array, Boxes, Detections

OVERLAP = 0.2  # of a tile's side: a person up to that size is whole in one tile
SAME = 0.5  # IoU, or share of the smaller box, from which two views saw one person


def tiles(width: int, height: int, side: int) -> list[tuple[int, int, int, int]]:
    """The whole frame, then tiles x1, y1, x2, y2 that cover it; none where the frame is no larger than a tile."""
    whole = (0, 0, width, height)
    if side == 0 or max(width, height) <= side:
        return [whole]
    parts = [(x, y) for y in _starts(height, side) for x in _starts(width, side)]
    return [whole, *((x, y, min(x + side, width), min(y + side, height)) for x, y in parts)]


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = int(np.ceil((length - side) / (side * (1 - OVERLAP)))) + 1
    return [int(start) for start in np.linspace(0, length - side, count)]


def merge(views: Sequence[Detections]) -> Detections:
    """Boxes of all views, best first; one that a better one overlaps, or mostly holds, is dropped."""
    boxes = np.concatenate([view.boxes for view in views])
    scores = np.concatenate([view.scores for view in views])
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    for row in order:
        if not kept or overlap(boxes[row], boxes[kept]).max() < SAME:
            kept.append(int(row))
    return Detections(boxes[kept], scores[kept])


def overlap(box: Array, others: Boxes) -> Array:
    """The larger of IoU and share of the smaller box that lies in the other, of one box with each of (n, 4)."""
    corner = np.maximum(box[:2], others[:, :2])
    inner = np.clip(np.minimum(box[2:], others[:, 2:]) - corner, 0, None).prod(1)
    size, sizes = (box[2:] - box[:2]).prod(), (others[:, 2:] - others[:, :2]).prod(1)
    return np.asarray(inner / np.maximum(np.minimum(size, sizes), 1e-9))
