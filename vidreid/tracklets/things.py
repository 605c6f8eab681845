"""Things that a detector takes for people: a sign, an easel, a coat on its stand.

What never moves at all is no person: of somebody who stands, sits or sleeps, the detector's box still breathes. On the
project's footage the sides of a person's box range over at least 0.09 of its height within two seconds, a seated one's
too; an easel's over 0.03 within 15 s. A box that the detector is sure of is left alone, whatever it does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidreid.tracklets.seams import iou
from vidreid.types import Array, Boxes

STILL = 0.05  # heights within which 9 in 10 positions of each side of a thing's box lie
SECONDS = 2.0  # how long that must last
SURE = 0.6  # median score from which a box is a person's
SAME = 0.6  # IoU with a thing from which another way is the same thing, seen for a moment


def find_things(times: Sequence[Array], boxes: Sequence[Boxes], scores: Sequence[Array]) -> Array:
    """Mask (ways,) of the ways of one camera that are things, no people.

    Of each way ``times`` (n,) seconds, ``boxes`` (n, 4) and ``scores`` (n,) of the detector, n at least 1. A short way
    is a thing where it lies still on one that is.
    """
    count = len(boxes)
    still = np.array([_range(each) < STILL for each in boxes], bool).reshape(count)
    unsure = np.array([np.median(each) < SURE for each in scores], bool).reshape(count)
    lasting = np.array([each[-1] - each[0] >= SECONDS for each in times], bool).reshape(count)
    things = still & unsure & lasting
    usual = np.array([np.median(each, axis=0) for each in boxes], np.float32).reshape(count, 4)
    there = (iou(usual, usual[things]) >= SAME).any(1)
    return np.asarray(things | (there & still & unsure))


def _range(boxes: Boxes) -> float:
    """The widest range of a side's position, without the outer tenth, in heights."""
    sides = np.quantile(boxes, [0.05, 0.95], axis=0)
    height = float(np.median(boxes[:, 3] - boxes[:, 1]))
    return float((sides[1] - sides[0]).max()) / max(height, 1e-9)
