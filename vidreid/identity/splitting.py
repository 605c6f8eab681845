"""Whether a way goes on as the same person after a contact: looks before and after, against who was touched."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
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
    found = {number: against(contact, ways, threshold) for number, contact in enumerate(contacts)}
    while found and found[best := max(found, key=lambda number: found[number][0])][0] > 0:
        contact, start = contacts[best], found.pop(best)[1]
        ways[contact.way].starts.append(start)
        _align(contact, start, ways)
        for number in found.keys() & set(concerned[contact.way]):
            found[number] = against(contacts[number], ways, threshold)
    return {number: sorted(way.starts) for number, way in enumerate(ways) if way.starts}


class _Way:
    """The looks of a way, and the frames at which somebody else begins so far."""

    def __init__(self, looks: Sequence[Look]) -> None:
        self.starts: list[int] = []
        self.usual = float(np.median([look.quality for look in looks])) if looks else 0.0
        self._looks = looks
        self._firsts = [look.first for look in looks]

    def sides(self, contact: Contact) -> tuple[list[Look], list[Look]]:
        """Of who is there before a contact the last looks until it, of who is there after it the first ones since."""
        since = max((start for start in self.starts if start <= contact.before), default=-1)
        until = min((start for start in self.starts if start > contact.after), default=np.inf)
        end, begin = bisect_right(self._firsts, contact.before), bisect_left(self._firsts, contact.after)
        earlier, later = self._looks[max(0, end - NEAR - 1) : end], self._looks[begin : begin + NEAR]
        old = [look for look in earlier if look.first >= since and look.last <= contact.before]
        return old[-NEAR:], [look for look in later if look.last < until]

    def divided(self, contact: Contact) -> bool:
        """Whether it is known that somebody else begins in a contact."""
        return any(contact.before < start <= contact.after for start in self.starts)

    def unseen(self, start: int) -> tuple[int, int]:
        """The earliest and latest frame at which the one who begins at ``start`` may do so, by the looks around it."""
        earliest = max((look.last + 1 for look in self._looks if look.last < start), default=start)
        return earliest, min((look.first for look in self._looks if look.first >= start), default=start)

    def move(self, start: int, frame: int) -> None:
        """Let the one who begins at ``start`` do so at another frame."""
        self.starts[self.starts.index(start)] = frame


def against(contact: Contact, ways: Sequence[_Way], threshold: float) -> tuple[float, int]:
    """How much speaks against one person on both sides of a contact, and the frame where another one would begin.

    Above 0 it is somebody else who goes on: the two sides are less alike than `ALONE` of the threshold, or one of
    them is more like the other side of a rival, by `MARGIN`, than the sides of either way are like each other: nobody
    is in both. Without a look on both sides nothing speaks against the tracker (-inf). The frame is where the rival
    was closest, else the middle of the contact.
    """
    middle = (contact.before + contact.after + 1) // 2
    way = ways[contact.way]
    sides = way.sides(contact)
    if not all(sides) or way.divided(contact):
        return -np.inf, middle
    same = _likeness(*sides)
    # Less than a usual look is too little to tell without somebody to compare with.
    enough = min(sum(look.quality for look in side) for side in sides) >= way.usual
    exchanges = [(ALONE * threshold - same if enough else -np.inf, middle)]
    for rival, place in zip(contact.rivals, contact.places, strict=True):
        earlier, later = ways[rival].sides(contact)
        stays = -1.0 if ways[rival].divided(contact) else _likeness(earlier, later)
        crossed = max(_likeness(earlier, sides[1]), _likeness(sides[0], later))
        exchanges.append((crossed - MARGIN - max(same, stays), place))
    weight, place = max(exchanges)
    return weight, min(max(place, contact.before + 1), contact.after)


def _likeness(one: Sequence[Look], other: Sequence[Look]) -> float:
    """The cosine of two mean looks; -1 where there is none."""
    first, second = mean_look(one), mean_look(other)
    return -1.0 if first is None or second is None else float(first @ second)


def _align(contact: Contact, start: int, ways: Sequence[_Way]) -> None:
    """Move a start and one of a rival to the same moment, where that may be: nobody is in two ways at once."""
    earliest, latest = ways[contact.way].unseen(start)
    for rival in contact.rivals:
        for other in ways[rival].starts:
            first, last = ways[rival].unseen(other)
            if max(earliest, first) <= min(latest, last):
                moment = min(max(other, earliest, first), latest, last)
                ways[contact.way].move(start, moment)
                ways[rival].move(other, moment)
                return


def mean_look(looks: Sequence[Look]) -> Array | None:
    """Mean of looks weighted by quality, of length 1 (dim,); None where there is none."""
    if not looks:
        return None
    total = np.sum([max(look.quality, 1e-3) * look.vector.astype(np.float64) for look in looks], axis=0)
    length = float(np.linalg.norm(total))
    return np.asarray((total / length).astype(np.float32)) if length > 0 else None
