"""Who was seen side by side: two people for certain, whom nobody chose for their looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vidreid.types import Array

TOGETHER = 1.0  # seconds in company
APART = 0.1  # IoU that two boxes never reach meanwhile
MOST = 20_000  # pairs: more would say nothing new


def surely_two(ways: Sequence[tuple[Array, Array]], elapsed: Callable[[Array], Array]) -> Array:
    """Pairs (k, 2) int64 of ways (frames (n,), boxes (n, 4)) of one camera that are surely two people.

    In common for `TOGETHER` seconds or longer, from their first common frame to their last, and never closer than
    `APART`: one person whom a detector boxed twice would be. ``elapsed`` gives the seconds of frames.
    """
    found: list[tuple[int, int]] = []
    order = sorted(range(len(ways)), key=lambda i: (int(ways[i][0][0]), i))
    present: list[int] = []
    for one in order:
        start = ways[one][0][0]
        present = [other for other in present if ways[other][0][-1] >= start]
        for other in present:
            if len(found) < MOST and _side_by_side(ways[one], ways[other], elapsed):
                found.append((min(one, other), max(one, other)))
        present.append(one)
    return np.array(sorted(found), np.int64).reshape(-1, 2)


def _side_by_side(one: tuple[Array, Array], other: tuple[Array, Array], elapsed: Callable[[Array], Array]) -> bool:
    frames, here, there = np.intersect1d(one[0], other[0], assume_unique=True, return_indices=True)
    if not len(frames):
        return False
    first, last = elapsed(frames[[0, -1]])
    return bool(last - first >= TOGETHER and _overlap(one[1][here], other[1][there]).max() < APART)


def _overlap(boxes: Array, others: Array) -> Array:
    """IoU (n,) of boxes (n, 4), each with the other of its row."""
    low, high = np.maximum(boxes[:, :2], others[:, :2]), np.minimum(boxes[:, 2:], others[:, 2:])
    common = np.maximum(high - low, 0).prod(1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1) + (others[:, 2:] - others[:, :2]).prod(1)
    return np.asarray(common / np.maximum(areas - common, 1e-9))
