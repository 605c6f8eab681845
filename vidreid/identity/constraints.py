"""What no likeness can overrule: nobody is twice in one picture, nor in two places faster than one can walk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array

from vidreid.types import Array

MICRO = 1_000_000
TOGETHER = "together in one camera"
TRAVEL = "travel time"


@dataclass(frozen=True, slots=True)
class Presence:
    """Where a tracklet was: its camera, frame indices of its first and last box, and their times.

    Times are UTC microseconds, None where the camera's clock is unknown.
    """

    camera: str
    first: int
    last: int
    start_us: int | None = None
    end_us: int | None = None


def cannot_link(presences: Sequence[Presence], limits: Mapping[tuple[str, str], float] | None = None) -> list[Array]:
    """For each tracklet the sorted positions (k,) int32 of those that it cannot be.

    In one camera: common frames. In two cameras that ``limits`` names, in either order, with the least seconds
    from one to the other: at once, or one after the other with less time between. Tracklets without known time
    take part in nothing between cameras; `reason` says which of the two keeps a pair apart. Time and memory grow
    with the number of pairs kept apart, not with that of all pairs.
    """
    cameras = np.array([presence.camera for presence in presences])
    rows = {camera: np.flatnonzero(cameras == camera).astype(np.int32) for camera in np.unique(cameras).tolist()}
    frames = _spans([(presence.first, presence.last) for presence in presences])
    pairs = [_within(own, frames[own]) for own in rows.values()]
    times = _spans([(p.start_us or 0, p.end_us or 0) for p in presences])
    known = np.array([_timed(presence) for presence in presences], bool)
    timed = {camera: own[known[own]] for camera, own in rows.items()}
    for (one, other), seconds in (limits or {}).items():
        if one in timed and other in timed:
            # A gap of just the limit is allowed; a common instant never is, even where the limit is 0.
            margin = max(round(seconds * MICRO) - 1, 0)
            wide = times[timed[one]] + np.array([-margin, margin])
            pairs.append(_between(timed[one], wide, timed[other], times[timed[other]]))
    return _neighbours([one for one, _ in pairs], [other for _, other in pairs], len(presences))


def reason(one: Presence, other: Presence) -> str:
    """Why `cannot_link` keeps two apart."""
    return TOGETHER if one.camera == other.camera else TRAVEL


def _timed(presence: Presence) -> bool:
    return presence.start_us is not None and presence.end_us is not None


def _spans(ends: Sequence[tuple[int | None, int | None]]) -> Array:
    return np.array(ends, np.int64).reshape(-1, 2)


def _within(rows: Array, spans: Array) -> tuple[Array, Array]:
    """Pairs of ``rows`` (n,) whose closed ``spans`` (n, 2) share a point: the later start lies in the earlier span."""
    order = np.argsort(spans[:, 0], kind="stable")
    starts, ends = spans[order].T
    one, other = _ranges(np.arange(1, len(rows) + 1), np.searchsorted(starts, ends, "right"))
    return rows[order[one]], rows[order[other]]


def _between(first: Array, spans: Array, second: Array, others: Array) -> tuple[Array, Array]:
    """Pairs of a row of ``first`` and one of ``second`` whose closed spans share a point, each pair once."""
    a, b = np.argsort(spans[:, 0], kind="stable"), np.argsort(others[:, 0], kind="stable")
    (start, end), (since, until) = spans[a].T, others[b].T
    # Of two spans that meet, either the second starts within the first, or the first starts later within the second.
    one, other = _ranges(np.searchsorted(since, start, "left"), np.searchsorted(since, end, "right"))
    later, earlier = _ranges(np.searchsorted(start, since, "right"), np.searchsorted(start, until, "right"))
    return first[a[np.concatenate([one, earlier])]], second[b[np.concatenate([other, later])]]


def _ranges(low: Array, high: Array) -> tuple[Array, Array]:
    """Pairs (i, k) of all k in ``low[i]`` up to ``high[i]``, which is left out."""
    count = np.maximum(high - low, 0)
    before = np.cumsum(count) - count
    return np.repeat(np.arange(len(low)), count), np.arange(count.sum()) + np.repeat(low - before, count)


def _neighbours(first: Sequence[Array], second: Sequence[Array], count: int) -> list[Array]:
    """Sorted neighbours of each of ``count`` rows from lists of pairs that name each two neighbours once."""
    if not count:
        return []
    places = np.concatenate([*first, *second]), np.concatenate([*second, *first])
    table = csr_array((np.ones(len(places[0]), bool), places), shape=(count, count))
    table.sort_indices()
    return [table.indices[start:stop] for start, stop in pairwise(table.indptr.tolist())]
