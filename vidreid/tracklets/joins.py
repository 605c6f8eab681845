"""Joins by motion: pieces of one person's way, cut by a short gap, put together again offline.

A tracker decides frame by frame and loses a person behind a pole or in a crowd. Offline the way before the gap and
the way after it are both known: where one of them, carried on through the gap, leads to the other, and where nobody
else could have made the same step, the pieces are one person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

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
    and heights may differ by the factor ``growth``. Joins are the cheapest assignment one to one; one without which
    the assignment would cost less than ``margin`` more is ambiguous and not made.
    """
    order = sorted(tracks, key=lambda track: (float(track.times[0]), track.key))
    before: dict[int, int] = {}
    for ends, starts, cost in _separate(_candidates(order, gap, growth, reach)):
        before |= {starts[j]: ends[i] for i, j in _certain(cost - reach - margin, margin)}
    groups: dict[int, list[int]] = {}
    for position, track in enumerate(order):
        groups[position] = groups[before[position]] if position in before else []
        groups[position].append(track.key)
    return [group for position, group in groups.items() if position not in before]


def interpolate(
    frames: NDArray[np.int64],
    times: Floats,
    boxes: Boxes,
    all_frames: NDArray[np.int64],
    all_times: Floats,
    *,
    gap: float = 4.0,
) -> tuple[NDArray[np.int64], Boxes, NDArray[np.bool_]]:
    """A box for each of ``all_frames`` from the first to the last of ``frames``, linear in time over gaps.

    ``all_frames`` (m,) are the camera's frames in order, ``all_times`` their seconds; ``frames`` are among them.
    Gaps of more than ``gap`` seconds stay empty: some trackers find a person again after half a minute.
    Returns frames, boxes, and True where the box was interpolated.
    """
    inside = (all_frames >= frames[0]) & (all_frames <= frames[-1])
    every, moments = all_frames[inside], all_times[inside]
    missing = ~np.isin(every, frames)
    after = np.searchsorted(frames, every)
    kept = ~missing | (times[after] - times[after - 1] <= gap)
    every, moments, missing = every[kept], moments[kept], missing[kept]
    filled = np.stack([np.interp(moments, times, column) for column in boxes.T], axis=1).astype(np.float32)
    filled[~missing] = boxes
    return every, filled, missing


def _candidates(order: Sequence[Track], gap: float, growth: float, reach: float) -> dict[tuple[int, int], float]:
    """Cost of every join that can be, by the positions of the earlier and the later track."""
    starts = np.array([track.times[0] for track in order])
    leaving = [_line(track.times, track.boxes, last=True) for track in order]
    entering = [_line(track.times, track.boxes, last=False) for track in order]
    found = {}
    for i, track in enumerate(order):
        end = track.times[-1]
        for j in range(*np.searchsorted(starts, [end, end + gap], side="right")):
            cost = _miss(leaving[i], entering[j], starts[j] - end, growth)
            if cost < reach:
                found[i, j] = cost
    return found


def _separate(candidates: dict[tuple[int, int], float]) -> Iterator[tuple[list[int], list[int], Floats]]:
    """The candidates in parts that share no track: earlier tracks, later tracks, cost (n, m), infinite where none."""
    if not candidates:
        return
    rows, columns = np.array(list(candidates)).T
    count = int(max(rows.max(), columns.max())) + 1
    # An end and a start of one track are two nodes: only joins connect.
    graph = coo_array((np.ones(len(rows)), (rows, columns + count)), shape=(2 * count, 2 * count))
    part = connected_components(graph, directed=False)[1][rows]
    for number in np.unique(part):
        ends, starts = np.unique(rows[part == number]).tolist(), np.unique(columns[part == number]).tolist()
        yield ends, starts, np.array([[candidates.get((i, j), np.inf) for j in starts] for i in ends])


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
    """Theil-Sen: the median slope over all pairs, unmoved by a third of wrong boxes; 0 for a single moment."""
    first, second = np.triu_indices(len(moment), k=1)
    apart = moment[second] > moment[first]
    if not apart.any():
        return np.zeros(2)
    step, wait = centre[second] - centre[first], moment[second] - moment[first]
    return np.asarray(np.median(step[apart] / wait[apart, None], axis=0))


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


def _certain(worth: Floats, margin: float) -> list[tuple[int, int]]:
    """Joins of the assignment of least total ``worth`` (negative; infinite where none) that it cannot well miss."""
    worth = np.where(np.isfinite(worth), worth, 0.0)
    best = linear_sum_assignment(worth)
    joins = [(i, j) for i, j in zip(*best, strict=True) if worth[i, j] < 0]
    return [join for join in joins if _total_without(join, worth) - worth[best].sum() >= margin]


def _total_without(join: tuple[int, int], worth: Floats) -> float:
    other = worth.copy()
    other[join] = 0.0
    return float(other[linear_sum_assignment(other)].sum())
