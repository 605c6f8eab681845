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
    corner = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    inner = np.clip(np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - corner, 0, None).prod(2)
    size = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    pairs = inner >= COVER * np.maximum(np.minimum(size[:, None], size[None]), 1e-9)
    np.fill_diagonal(pairs, False)
    return np.asarray(pairs)


@dataclass(frozen=True)
class Way:
    """A person's boxes in one camera: ``frames`` (n,) increasing, ``times`` (n,) seconds, ``boxes`` (n, 4)."""

    frames: Array
    times: Array
    boxes: Boxes


@dataclass(frozen=True, slots=True)
class Cut:
    """A place where way ``way`` may go on as somebody else, from frame ``after`` on; ``rivals`` are who touched it.

    ``before`` is the last frame ahead of the contact.
    """

    way: int
    before: int
    after: int
    rivals: tuple[int, ...]


def find_cuts(ways: Sequence[Way]) -> list[Cut]:
    """All contacts and gaps of the ways of one camera, by way and in order of time.

    A contact at the very beginning or end of a way is no cut: there is nothing of it on one side.
    """
    touches = _touches(ways)
    cuts = []
    for number, way in enumerate(ways):
        events = [*touches[number], *_gaps(way)]
        cuts += _merged(number, way, sorted(events, key=lambda event: event[0]))
    return cuts


def _touches(ways: Sequence[Way]) -> list[list[tuple[int, int, int]]]:
    """For each way its touches as (place in the way, the same place, the other way)."""
    found: list[list[tuple[int, int, int]]] = [[] for _ in ways]
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
            for i, j in zip(*np.nonzero(touching(boxes[rows])), strict=True):
                a, b = rows[i], rows[j]
                found[owner[a]].append((int(place[a]), int(place[a]), int(owner[b])))
    return found


def _gaps(way: Way) -> list[tuple[int, int, int]]:
    """Gaps of at least `CALM` seconds as (place before, place after, -1)."""
    places = np.flatnonzero(np.diff(way.times) >= CALM)
    return [(int(place), int(place) + 1, -1) for place in places]


def _merged(number: int, way: Way, events: Sequence[tuple[int, int, int]]) -> list[Cut]:
    """Events of one way put together where little lies between them."""
    cuts: list[Cut] = []
    group: list[tuple[int, int, int]] = []
    for event in [*events, None]:
        if group and (event is None or way.times[event[0]] - way.times[max(e[1] for e in group)] >= CALM):
            first = group[0][0] if group[0][2] < 0 else group[0][0] - 1
            last = max(e[1] if e[2] < 0 else e[1] + 1 for e in group)
            if first >= 0 and last < len(way.frames):
                rivals = tuple(sorted({e[2] for e in group if e[2] >= 0}))
                cuts.append(Cut(number, int(way.frames[first]), int(way.frames[last]), rivals))
            group = []
        if event is not None:
            group.append(event)
    return cuts
