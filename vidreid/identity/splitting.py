"""Whether a way goes on as the same person after a contact: looks before and after, against who was touched."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vidreid.types import Array

NEAR = 3  # looks on each side that are compared
MARGIN = 0.15  # by how much a rival must be more alike than the way itself
ALONE = 0.7  # share of the threshold under which the two sides are two people whoever was touched


@dataclass(frozen=True)
class Look:
    """How a way looked during frames ``first`` to ``last``: a unit ``vector`` (dim,) and its ``quality`` 0..1."""

    first: int
    last: int
    quality: float
    vector: Array


class Contact(Protocol):
    """Between ``before`` and ``after`` way ``way`` may have become one of ``rivals``, closest at ``places``."""

    @property
    def way(self) -> int: ...

    @property
    def before(self) -> int: ...

    @property
    def after(self) -> int: ...

    @property
    def rivals(self) -> tuple[int, ...]: ...

    @property
    def places(self) -> tuple[int, ...]: ...


def find_exchanges(
    contacts: Sequence[Contact], looks: Sequence[Sequence[Look]], threshold: float
) -> Mapping[int, list[int]]:
    """For each way that holds more than one person, the frames at which another one begins, in order.

    ``contacts`` are of all ways, in any order; ``looks`` are those of each way in order of time; ``threshold`` is the
    cosine from which two may be one person. The exchange for which most speaks is made first: what is then known to
    be somebody else is no look of that way any more.
    """
    ways = [_Way(each) for each in looks]
    concerned: dict[int, list[int]] = {}
    for number, contact in enumerate(contacts):
        for way in {contact.way, *contact.rivals}:
            concerned.setdefault(way, []).append(number)
    found = [against(contact, ways, threshold) for contact in contacts]
    made: list[tuple[Contact, int]] = []
    while found and found[best := max(range(len(found)), key=lambda i: found[i][0])][0] > 0:
        contact, place = contacts[best], found[best][1]
        made.append((contact, place))
        insort(ways[contact.way].starts, place)
        for number in concerned[contact.way]:
            found[number] = against(contacts[number], ways, threshold)
    for contact, place in made:
        _align(contact, place, ways)
    return {number: way.starts for number, way in enumerate(ways) if way.starts}


class _Way:
    """The looks of a way, and the frames at which somebody else begins so far."""

    def __init__(self, looks: Sequence[Look]) -> None:
        self.looks = looks
        self.starts: list[int] = []
        self.usual = float(np.median([look.quality for look in looks])) if looks else 0.0
        self._firsts = [look.first for look in looks]

    def sides(self, before: int, after: int) -> tuple[Array | None, Array | None]:
        """How the one who is there at frame ``before`` looked last until then, and the one at ``after`` first."""
        since = max((start for start in self.starts if start <= before), default=-1)
        until = min((start for start in self.starts if start > after), default=np.inf)
        earlier = self.looks[: bisect_right(self._firsts, before)][-NEAR - 1 :]
        later = self.looks[bisect_left(self._firsts, after) :][:NEAR]
        return [look for look in earlier if look.first >= since and look.last <= before][-NEAR:], [look for look in later if look.last < until]

    def divided(self, before: int, after: int) -> bool:
        """Whether it is known that somebody else begins between two frames."""
        return any(before < start <= after for start in self.starts)

    def unseen(self, place: int) -> tuple[int, int]:
        """From when to when no look wholly on one side of a frame tells who it is."""
        first = max((look.last for look in self.looks if look.last < place), default=-1)
        return first + 1, min((look.first for look in self.looks if look.first >= place), default=place)


def against(contact: Contact, ways: Sequence[_Way], threshold: float) -> tuple[float, int]:
    """How much speaks against one person on both sides of a contact, and the frame where another one would begin.

    Above 0 it is somebody else who goes on: the two sides are less alike than `ALONE` of the threshold, or one of
    them is more like the other side of a rival, by `MARGIN`, than the sides of either way are like each other: nobody
    is in both. Without a look on both sides nothing speaks against the tracker (-inf). The place is where the rival
    was closest, else the middle of the contact.
    """
    middle = (contact.before + contact.after + 1) // 2
    way = ways[contact.way]
    sides = way.sides(contact.before, contact.after)
    old, new = map(mean_look, sides)
    if old is None or new is None or way.divided(contact.before, contact.after):
        return -np.inf, middle
    same = float(old @ new)
    # Less than a usual look is too little to tell without somebody to compare with.
    enough = min(sum(look.quality for look in side) for side in sides) >= way.usual
    exchanges = [(ALONE * threshold - same if enough else -np.inf, middle)]
    for rival, place in zip(contact.rivals, contact.places, strict=True):
        earlier, later = map(mean_look, ways[rival].sides(contact.before, contact.after))
        stays = -1.0 if earlier is None or later is None or ways[rival].divided(contact.before, contact.after) else float(earlier @ later)
        crossed = [float(one @ two) for one, two in ((earlier, new), (old, later)) if one is not None and two is not None]
        exchanges += [(likeness - MARGIN - max(same, stays), place) for likeness in crossed]
    weight, place = max(exchanges)
    return weight, min(max(place, contact.before + 1), contact.after)


def _align(contact: Contact, place: int, ways: Sequence[_Way]) -> None:
    """Move a start to that of a rival, if both may be one moment: else one person would be in both ways for a while."""
    first, last = ways[contact.way].unseen(place)
    others = [start for rival in contact.rivals for start in ways[rival].starts if first <= start <= last]
    if others:
        starts = ways[contact.way].starts
        starts[starts.index(place)] = min(others, key=lambda start: abs(start - place))


def mean_look(looks: Sequence[Look]) -> Array | None:
    """Mean of looks weighted by quality, of length 1 (dim,); None where there is none."""
    if not looks:
        return None
    total = np.sum([max(look.quality, 1e-3) * look.vector.astype(np.float64) for look in looks], axis=0)
    length = float(np.linalg.norm(total))
    return np.asarray((total / length).astype(np.float32)) if length > 0 else None
