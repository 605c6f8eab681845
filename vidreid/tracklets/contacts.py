"""Where two people could have been exchanged: boxes that cover each other, and gaps.

A tracker that follows boxes may leave such a place with the wrong person. What lies between two of them is one
person for certain; across them only appearance can tell.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidreid.types import Array, Boxes

COVER = 0.15  # share of the smaller box from which two people touch
CALM = 0.4  # seconds between two touches that belong to one contact; also the shortest gap that counts


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
    """A contact or gap of way ``way``, between the frames ``before`` and ``after``: it may go on as somebody else.

    ``rivals`` are the ways that touched it, ``places`` the frames at which each of them was closest.
    """

    way: int
    before: int
    after: int
    rivals: tuple[int, ...]
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Event:
    """Something between two places of a way: a touch by ``rival`` that covers ``share``, or a gap (rival -1)."""

    first: int
    last: int
    rival: int
    share: float


def find_cuts(ways: Sequence[Way]) -> list[Cut]:
    """All contacts and gaps of the ways of one camera, by way and in order of time.

    A contact at the very beginning or end of a way is no cut: there is nothing of it on one side.
    """
    touches = _touches(ways)
    cuts = []
    for number, way in enumerate(ways):
        events = [*touches[number], *_gaps(way)]
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
    """Gaps of at least `CALM` seconds."""
    return [_Event(int(place), int(place) + 1, -1, 0.0) for place in np.flatnonzero(np.diff(way.times) >= CALM)]


def _merged(number: int, way: Way, events: Sequence[_Event]) -> list[Cut]:
    """The cuts of one way: events with little between them are one."""
    groups: list[list[_Event]] = []
    last = -1
    for event in events:
        if groups and way.times[event.first] - way.times[last] < CALM:
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
