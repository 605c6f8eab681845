"""What sure encounters teach of a site: which views overlap, how fast people get from camera to camera."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from vidreid.identity.clocks import Offset, find_offset
from vidreid.identity.encounters import Encounters
from vidreid.types import Array

Pair = tuple[str, str]

WALKS = 20  # fewer walks between two cameras teach no limit
SAME_WAY = 3.0  # a walk takes at most so many times as long as the fastest; what takes longer went elsewhere meanwhile
MINUTE = 60.0  # walks that begin within one count once: people who keep together prove no more than one of them
LONGEST = 600.0  # seconds; nothing is learned where even the fastest takes longer: that is no walk, or a wrong clock
SAFETY = 0.5  # share of the fastest walk that nobody is taken to undercut: who runs is twice as fast
PEOPLE = 5  # fewer people in both views at once prove no overlap
ELSEWHEN = (-900.0, -600.0, -300.0, 300.0, 600.0, 900.0)  # shifts in seconds at which only chance brings them together
FALSE = 0.2  # share of confident pairs that may be wrong, and all of these at once
SURE = 0.95


@dataclass(frozen=True, slots=True)
class Overlap:
    """``together`` of the ``people`` seen by two ``cameras`` were in both views at once, beyond what chance gives."""

    cameras: Pair
    together: int
    people: int

    def line(self) -> str:
        """What is said to the user."""
        one, other = self.cameras
        return f"{one} and {other} seem to share a view: {self.together} of {self.people} people were in both at once"


@dataclass(frozen=True, slots=True)
class Travel:
    """Nobody gets from one of two ``cameras`` to the other in less than ``seconds``.

    Learned from so many ``walks``, the ``fastest`` of which took longer; not to be used unless there are `enough`.
    """

    cameras: Pair
    seconds: float
    fastest: float
    walks: int

    @property
    def enough(self) -> bool:
        return self.walks >= WALKS

    @property
    def faster(self) -> float:
        """Share of walks that may be faster than the ``fastest``, `SURE` of it (Wilks, 1941: tolerance limits)."""
        return float(1 - (1 - SURE) ** (1 / self.walks))

    def line(self) -> str:
        """What is said to the user."""
        one, other = self.cameras
        return (
            f"{one} and {other}: the fastest of {self.walks} walks took {self.fastest:.0f} s, so less than "
            f"{self.seconds:.0f} s is taken to be impossible (at most {self.faster:.0%} are faster than the fastest, "
            f"{SURE:.0%} sure)"
        )


@dataclass(frozen=True)
class Lessons:
    """``limits`` for `cannot_link`, what they come from, and ``notes``: lines for the user."""

    limits: dict[Pair, float]
    overlaps: list[Overlap]
    travels: list[Travel]
    offsets: list[Offset]
    notes: list[str]


def learn(found: Sequence[Encounters], stated: Mapping[Pair, float], overlaps: Collection[Pair]) -> Lessons:
    """What to forbid between cameras: what the user ``stated`` (least seconds), and what is learned of other pairs.

    Pairs are in order of the alphabet. A pair of cameras has no limit where its views overlap, as stated or as seen,
    nor where a clock seems to be wrong, not even a stated one.
    """
    offsets = [offset for one in found if (offset := find_offset(one)) is not None]
    wrong = {offset.cameras for offset in offsets}
    rest = [one for one in found if one.cameras not in wrong]
    silent = [one for one in rest if one.cameras not in stated and one.cameras not in overlaps]
    shared = [overlap for one in silent if (overlap := find_overlap(one)) is not None]
    seen = {overlap.cameras for overlap in shared}
    travels = [travel for one in silent if one.cameras not in seen and (travel := learn_travel(one)) is not None]
    limits = {pair: seconds for pair, seconds in stated.items() if pair not in wrong}
    limits |= {travel.cameras: travel.seconds for travel in travels if travel.enough}
    notes = [f"{offset.line()}; no limit between them is used" for offset in offsets]
    notes += _contradictions(rest, stated)
    notes += [overlap.line() for overlap in shared] + [travel.line() for travel in travels if travel.enough]
    return Lessons(limits, shared, travels, offsets, notes)


def find_overlap(found: Encounters) -> Overlap | None:
    """Whether one person may be in both views at once; None where wrong pairs could explain those who were.

    Nor is it claimed where tracklets are at once no more than twice as often as they would be `ELSEWHEN`: people who
    come by all the time meet themselves where a clock is wrong.
    """
    together = _people(found, found.at_once())
    visits = [len(np.unique(found.rows[found.at_once(shift), 0])) for shift in (0.0, *ELSEWHEN)]
    if visits[0] > 2 * max(visits[1:]) and _beyond_chance(together, found.people):
        return Overlap(found.cameras, together, found.people)
    return None


def learn_travel(found: Encounters) -> Travel | None:
    """The least time from one camera to the other; None where somebody was in both at once, or took long.

    Only walks count: encounters that took up to `SAME_WAY` times as long as the fastest one, so that people who came
    by hours later prove nothing. The limit is `SAFETY` of the fastest, hence never above any confident encounter.
    """
    fastest = float(found.gaps.min(initial=np.inf))
    if not 0 < fastest <= LONGEST:
        return None
    walked = found.gaps <= SAME_WAY * fastest
    begun = np.minimum(found.first[walked, 1], found.second[walked, 1]) // MINUTE
    walks = min(len(np.unique(each)) for each in (*found.rows[walked].T, begun))
    return Travel(found.cameras, SAFETY * fastest, fastest, walks)


def _contradictions(found: Iterable[Encounters], stated: Mapping[Pair, float]) -> list[str]:
    """Lines on people who seem to be faster than the user holds possible."""
    lines = []
    for one in found:
        if one.cameras in stated:
            fast = _people(one, one.gaps < stated[one.cameras])
            if _beyond_chance(fast, one.people):
                names = " and ".join(one.cameras)
                lines.append(
                    f"{names}: {fast} of {one.people} people seem to be faster than the {stated[one.cameras]:g} s "
                    f"stated in the cameras file: check it, and the clocks"
                )
    return lines


def _people(found: Encounters, among: Array) -> int:
    return len(np.unique(found.person[among]))


def _beyond_chance(count: int, people: int) -> bool:
    """Whether ``count`` of ``people`` are more than wrong pairs alone would give (binomial test)."""
    return count >= PEOPLE and float(binom.sf(count - 1, people, FALSE)) < 1 - SURE
