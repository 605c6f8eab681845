"""Two tracks on one person: a detector that boxes somebody twice, or a part of him beside the whole.

Of the labelled people of the project's footage no two are so for long: of 6,000 stretches of 12 boxes of somebody two
lay inside another one's boxes, and of 3,000 of 25 boxes none. Two who walk one behind the other drift apart and
are each seen alone; a duplicate moves with the box that it doubles, and hardly exists without it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidreid.tracklets.assemble import Assembled, split
from vidreid.tracklets.contacts import Way
from vidreid.types import Array

INSIDE = 0.75  # share of the smaller box that the other covers
MOST = 0.8  # share of their common boxes for which that must hold
DOUBLED = 0.5  # share of the shorter way's boxes that the longer one must have too
LOCKED = 0.06  # heights over which each side of the one ranges as seen from the other, without the outer fifth


def find_duplicates(ways: Sequence[Way]) -> dict[int, int]:
    """The ways of one camera that double a longer one: way -> the one to keep, which doubles none itself."""
    firsts, lasts = (np.array([way.frames[place] for way in ways], np.int64) for place in (0, -1))
    order = np.array(sorted(range(len(ways)), key=lambda number: (-len(ways[number].frames), number)), np.int64)
    kept: dict[int, int] = {}
    for place, number in enumerate(order.tolist()):
        longer = order[:place]
        together = longer[(firsts[longer] <= lasts[number]) & (lasts[longer] >= firsts[number])]
        for other in together.tolist():
            if other not in kept and doubles(ways[number], ways[other]):
                kept[number] = other
                break
    return kept


def doubles(shorter: Way, longer: Way) -> bool:
    """Whether the boxes of the one are a second set of the other's."""
    _, mine, theirs = np.intersect1d(shorter.frames, longer.frames, assume_unique=True, return_indices=True)
    if not len(mine) or len(mine) < DOUBLED * len(shorter.frames):
        return False
    one, other = shorter.boxes[mine].astype(np.float64), longer.boxes[theirs].astype(np.float64)
    return bool((_cover(one, other) >= INSIDE).mean() >= MOST and _drift(one, other) <= LOCKED)


def _cover(one: Array, other: Array) -> Array:
    """(n,) the share of the smaller of each pair of boxes (n, 4) that the other covers."""
    corner = np.maximum(one[:, :2], other[:, :2])
    inner = np.clip(np.minimum(one[:, 2:], other[:, 2:]) - corner, 0, None).prod(1)
    smaller = np.minimum((one[:, 2:] - one[:, :2]).prod(1), (other[:, 2:] - other[:, :2]).prod(1))
    return np.asarray(inner / np.maximum(smaller, 1e-9))


def _drift(one: Array, other: Array) -> float:
    """How far the sides of the one range as seen from the other, in heights, without the outer fifth."""
    height = np.maximum(one[:, 3] - one[:, 1], other[:, 3] - other[:, 1])
    sides = np.quantile((one - other) / np.maximum(height, 1e-9)[:, None], [0.1, 0.9], axis=0)
    return float((sides[1] - sides[0]).max())


def beyond(duplicate: Assembled, longer: Assembled) -> list[Assembled]:
    """What of a duplicate lies before the first and after the last box of the way that it doubles."""
    first, last = int(longer.frames[0]), int(longer.frames[-1])
    parts = split(duplicate, [first, last + 1])
    return [part for part in parts if part.frames[-1] < first or part.frames[0] > last]
