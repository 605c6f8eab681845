"""Where two people could have been exchanged: boxes that cover each other, gaps, and breaks of motion.

A tracker that follows boxes may leave such a place with the wrong person. What lies between two of them is one
person; across them only appearance can tell.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import maximum_filter1d

from vidreid.types import Array, Boxes

COVER = 0.15  # share of the smaller box from which two people touch
GAP = 0.4  # seconds without a box from which a gap counts
SPAN = 0.6  # seconds of motion on each side of a box that show a break
BREAK = 0.15  # heights by which the way up to a box and the way from it on miss each other: 1 or 2 boxes in 100


def touching(boxes: Boxes) -> Array:
    """(n, n) bool: pairs of boxes of one frame of which one covers at least `COVER` of the smaller."""
    return np.asarray(cover(boxes) >= COVER)


def cover(boxes: Boxes) -> Array:
    """(n, n) of boxes of one frame: the share of the smaller box of each pair that the other covers; 0 with itself."""
    corner = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    inner = np.clip(np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - corner, 0, None).prod(2)
    size = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    share = inner / np.maximum(np.minimum(size[:, None], size[None]), 1e-9)
    np.fill_diagonal(share, 0)
    return np.asarray(share)


@dataclass(frozen=True)
class Way:
    """A person's boxes in one camera: ``frames`` (n,) increasing, ``times`` (n,) seconds, ``boxes`` (n, 4)."""

    frames: Array
    times: Array
    boxes: Boxes


@dataclass(frozen=True, slots=True)
class Cut:
    """A contact, gap or break of way ``way``, between frames ``before`` and ``after``: somebody else may go on.

    ``rivals`` are the ways that touched it, ``places`` the frames at which each of them was closest.
    """

    way: int
    before: int
    after: int
    rivals: tuple[int, ...]
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Event:
    """Something between two places of a way: a touch by ``rival`` that covers ``share``; a gap or break (rival -1)."""

    first: int
    last: int
    rival: int
    share: float


def find_cuts(ways: Sequence[Way]) -> list[Cut]:
    """All contacts, gaps and breaks of the ways of one camera, by way and in order of time.

    A contact at the very beginning or end of a way is no cut: there is nothing of it on one side.
    """
    touches = _touches(ways)
    cuts = []
    for number, way in enumerate(ways):
        events = [*touches[number], *_gaps(way), *_breaks(way)]
        cuts += _merged(number, way, sorted(events, key=lambda event: event.first))
    return cuts


def _touches(ways: Sequence[Way]) -> list[list[_Event]]:
    """For each way its touches, a frame each."""
    found: list[list[_Event]] = [[] for _ in ways]
    if not ways:
        return found
    frames = np.concatenate([way.frames for way in ways])
    owner = np.repeat(np.arange(len(ways)), [len(way.frames) for way in ways])
    place = np.concatenate([np.arange(len(way.frames)) for way in ways])
    boxes = np.concatenate([way.boxes for way in ways])
    order = np.argsort(frames, kind="stable")
    bounds = np.flatnonzero(np.diff(frames[order], prepend=-1, append=-1))
    for start, stop in itertools.pairwise(bounds):
        if stop - start > 1:
            rows = order[start:stop]
            share = cover(boxes[rows])
            for i, j in zip(*np.nonzero(share >= COVER), strict=True):
                at = int(place[rows[i]])
                found[owner[rows[i]]].append(_Event(at, at, int(owner[rows[j]]), float(share[i, j])))
    return found


def _gaps(way: Way) -> list[_Event]:
    """Gaps of at least `GAP` seconds."""
    return [_Event(int(place), int(place) + 1, -1, 0.0) for place in np.flatnonzero(np.diff(way.times) >= GAP)]


def _breaks(way: Way) -> list[_Event]:
    """Where the motion breaks: places of which `misses` says at least `BREAK`, and no more of any within `SPAN`."""
    miss = misses(way)
    highest = maximum_filter1d(miss, 2 * _in_span(way) + 1)
    return [
        _Event(int(place), int(place) + 1, -1, 0.0) for place in np.flatnonzero((miss >= BREAK) & (miss == highest))
    ]


def _in_span(way: Way) -> int:
    """How many boxes `SPAN` seconds have, 3 or more."""
    return max(3, round(SPAN / float(np.median(np.diff(way.times))))) if len(way.times) > 1 else 3


def misses(way: Way) -> Array:
    """(n - 1,) between each box and the next: how far the lines up to there and from there on are apart, in heights.

    The lines are those of least squares through the centre and height of as many boxes as `SPAN` seconds have; 0 near
    the ends of the way.
    """
    apart, count = np.zeros(max(len(way.times) - 1, 0)), _in_span(way)
    if len(way.times) < 2 * count:
        return apart
    boxes = way.boxes.astype(np.float64)
    height = boxes[:, 3] - boxes[:, 1]
    values = np.column_stack([(boxes[:, :2] + boxes[:, 2:]) / 2, height])
    moments, places = sliding_window_view(way.times, count), sliding_window_view(values, count, axis=0)
    middle, mean = moments.mean(1), places.mean(2)
    centred = moments - middle[:, None]
    slope = np.einsum("nw,ncw->nc", centred, places) / (centred**2).sum(1)[:, None]
    border = (way.times[count - 1 : -count] + way.times[count : len(way.times) - count + 1]) / 2
    before = mean[:-count] + slope[:-count] * (border - middle[:-count])[:, None]
    after = mean[count:] + slope[count:] * (border - middle[count:])[:, None]
    scale = np.sqrt(mean[:-count, 2] * mean[count:, 2])
    apart[count - 1 : count - 1 + len(border)] = np.linalg.norm(after - before, axis=1) / np.maximum(scale, 1e-9)
    return apart


def _merged(number: int, way: Way, events: Sequence[_Event]) -> list[Cut]:
    """The cuts of one way: events with no calm box between them are one."""
    groups: list[list[_Event]] = []
    last = -1
    for event in events:
        if groups and event.first <= last + 1:
            groups[-1].append(event)
        else:
            groups.append([event])
        last = max(last, event.last)
    cuts = (_cut(number, way, group) for group in groups)
    return [cut for cut in cuts if cut is not None]


def _cut(number: int, way: Way, group: Sequence[_Event]) -> Cut | None:
    """One contact; None where nothing of the way lies before or after it."""
    first = min(event.first if event.rival < 0 else event.first - 1 for event in group)
    last = max(event.last if event.rival < 0 else event.last + 1 for event in group)
    if first < 0 or last >= len(way.frames):
        return None
    closest: dict[int, _Event] = {}
    for event in group:
        if event.rival >= 0 and (event.rival not in closest or event.share > closest[event.rival].share):
            closest[event.rival] = event
    rivals = tuple(sorted(closest))
    places = tuple(int(way.frames[closest[rival].first]) for rival in rivals)
    return Cut(number, int(way.frames[first]), int(way.frames[last]), rivals, places)
