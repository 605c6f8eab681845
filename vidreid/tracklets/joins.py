"""Joins by motion: pieces of one person's way, cut by a short gap, put together again offline.

A tracker decides frame by frame and loses a person behind a pole or in a crowd. Offline the way before the gap and
the way after it are both known: where one of them, carried on through the gap, leads to the other, and where nobody
else could have made the same step, the pieces are one person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vidreid.types import Boxes

Floats = NDArray[np.float64]
Line = tuple[Floats, Floats, float]


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A person followed without a break: ``frames`` (n,) increasing, ``times`` (n,) seconds, ``boxes`` (n, 4)."""

    key: int
    frames: NDArray[np.int64]
    times: Floats
    boxes: Boxes


def join_by_motion(
    tracks: Sequence[Track], *, gap: float = 2.0, reach: float = 0.5, growth: float = 1.4, margin: float = 0.15
) -> list[list[int]]:
    """Groups of keys that are one person, each in order of time; every key is in exactly one group.

    A track may follow another that ended at most ``gap`` seconds before it began. The cost of a join is the
    distance, in heights of the person, by which the one way carried on misses the other; it must be under ``reach``,
    heights may differ by the factor ``growth``, and any rival join of either track must cost at least ``margin``
    more, otherwise it is not made. Of what remains the cheapest assignment one to one is taken.
    """
    if not tracks:
        return []
    order = sorted(tracks, key=lambda track: (float(track.times[0]), track.key))
    cost = _costs(order, gap, growth)
    cost[cost >= reach] = np.inf
    cost[_ambiguous(cost, margin)] = np.inf
    follows = _assign(cost, reach)
    groups: list[list[int]] = []
    group_of: dict[int, list[int]] = {}
    for position, track in enumerate(order):
        before = follows.get(position)
        group = [] if before is None else group_of[before]
        if before is None:
            groups.append(group)
        group.append(track.key)
        group_of[position] = group
    return groups


def interpolate(
    frames: NDArray[np.int64], times: Floats, boxes: Boxes, all_frames: NDArray[np.int64], all_times: Floats
) -> tuple[NDArray[np.int64], Boxes, NDArray[np.bool_]]:
    """A box for every one of ``all_frames`` from the first to the last of ``frames``, linear in time over gaps.

    ``all_frames`` (m,) are the camera's frames in order, ``all_times`` their seconds; ``frames`` are among them.
    Returns frames, boxes, and True where the box was interpolated.
    """
    inside = (all_frames >= frames[0]) & (all_frames <= frames[-1])
    filled = np.stack([np.interp(all_times[inside], times, column) for column in boxes.T], axis=1).astype(np.float32)
    missing = ~np.isin(all_frames[inside], frames)
    filled[~missing] = boxes
    return all_frames[inside], filled, missing


def _costs(tracks: Sequence[Track], gap: float, growth: float) -> Floats:
    """(n, n) cost of the join of row and column, infinite where it cannot be."""
    cost = np.full((len(tracks), len(tracks)), np.inf)
    leaving = [_line(track.times, track.boxes, last=True) for track in tracks]
    entering = [_line(track.times, track.boxes, last=False) for track in tracks]
    starts = np.array([track.times[0] for track in tracks])
    for i, track in enumerate(tracks):
        wait = starts - track.times[-1]
        for j in np.flatnonzero((wait > 0) & (wait <= gap)):
            cost[i, j] = _miss(leaving[i], entering[j], wait[j], growth)
    return cost


def _line(times: Floats, boxes: Boxes, *, last: bool, span: float = 1.0) -> Line:
    """Centre (2,), velocity (2,) per second and height at an end of a track, by medians over ``span`` seconds."""
    end = times[-1] if last else times[0]
    near = np.abs(times - end) <= span
    moment, box = times[near] - end, boxes[near].astype(np.float64)
    centre = (box[:, :2] + box[:, 2:]) / 2
    velocity = _slope(moment, centre)
    height = float(np.median(box[:, 3] - box[:, 1]))
    return np.median(centre - moment[:, None] * velocity, axis=0), velocity, height


def _slope(moment: Floats, centre: Floats) -> Floats:
    """Theil-Sen: the median slope over all pairs, unmoved by a third of wrong boxes; 0 for a single box."""
    first, second = np.triu_indices(len(moment), k=1)
    if not len(first):
        return np.zeros(2)
    slopes = (centre[second] - centre[first]) / (moment[second] - moment[first])[:, None]
    return np.asarray(np.median(slopes, axis=0))


def _miss(leaving: Line, entering: Line, wait: float, growth: float) -> float:
    """Distance in heights between the two ways, the one carried on through the gap or the other back through it.

    The better of the two counts: people are lost and found half hidden, so that the boxes at one end of the gap,
    and with them the speed there, are often wrong, and seldom those at both.
    """
    (end, speed, height), (start, next_speed, next_height) = leaving, entering
    if max(height, next_height) > growth * min(height, next_height):
        return np.inf
    step = start - end
    nearest = min(np.hypot(*(step - wait * speed)), np.hypot(*(step - wait * next_speed)))
    return float(nearest / np.sqrt(height * next_height))


def _ambiguous(cost: Floats, margin: float) -> NDArray[np.bool_]:
    """Joins with a rival, in the same row or column, that costs less or under ``margin`` more."""
    rivals = np.full_like(cost, np.inf)
    for axis in (0, 1):
        ordered = np.sort(cost, axis=axis)
        best, second = np.take(ordered, [0], axis=axis), np.take(ordered, [min(1, len(cost) - 1)], axis=axis)
        rivals = np.minimum(rivals, np.where(cost == best, second, best))
    return np.isfinite(cost) & (rivals < cost + margin)


def _assign(cost: Floats, reach: float) -> dict[int, int]:
    """For each track that follows another: position of the one before it."""
    rows, columns = linear_sum_assignment(np.where(np.isfinite(cost), cost - reach, 0.0))
    return {int(j): int(i) for i, j in zip(rows, columns, strict=True) if np.isfinite(cost[i, j])}
