"""Clocks that are wrong by a constant: one offset that puts the people of two cameras back together.

The time between two cameras shows as a peak in the histogram of time differences of matched passages (Makris, Ellis
and Black, Bridging the gaps between cameras, CVPR 2004). People who walk arrive scattered: the walking speeds of
pedestrians vary by a fifth (Weidmann, Transporttechnik der Fussgaenger, 1993). A peak far from 0 that is many times
sharper than this is no walk but a clock. People who come by all the time hide that peak, but leave a gap instead:
nobody is ever in both places at once, if and only if the clocks are put right.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from scipy.ndimage import label, uniform_filter1d

from vidreid.identity.encounters import Encounters
from vidreid.types import Array

WIDTHS = (1.0, 3.0, 10.0, 30.0, 100.0, 180.0)  # seconds to either side of an offset within which people agree with it
SHARP = 20  # least ratio of an offset to that width
PEOPLE = 10  # seen by both cameras, and by the first in so many different minutes; fewer prove nothing
MINUTE = 60.0
AGREE = 2 / 3  # share of them that must agree
VISITS = 1 / 2  # share of either camera's tracklets that must: who comes often agrees by chance with one of them
NEARBY = 10  # widths within which others passed the first camera at about the same time
CHANCE = 0.5  # share of people who would also agree if they had met one another's times: a schedule, not a clock
MOST = (0.1, 0.9)  # quantiles between which the time differences around the offset are believed
COMPARED = 1000  # people of whom the schedule is judged: bounds time and memory


STEP = 2.0  # seconds between the offsets at which those in both places at once are counted
AROUND = 600.0  # seconds on either side of an offset that say how many they would be by chance
MANY = 20.0  # of them by chance, so that next to none is no accident
RARE = 0.1  # share of them that wrong pairs may leave


@dataclass(frozen=True, slots=True)
class Offset:
    """The second of two ``cameras`` seems to be ``seconds`` ahead of the first, give or take ``spread`` of them.

    Where all walk in one direction, the time that this takes is part of what is seen, and cannot be told from it.
    ``agree`` of the ``people`` whom both saw would then have been in both places at about the same time.
    """

    cameras: tuple[str, str]
    seconds: float
    spread: float
    agree: int
    people: int

    def line(self) -> str:
        """What is said to the user."""
        one, other = self.cameras if self.seconds >= 0 else self.cameras[::-1]
        ahead = timedelta(seconds=round(abs(self.seconds)))
        roughly = f"give or take {max(self.spread, 1):.0f} s and the way between them"
        return f"{other} seems to be {ahead} ahead of {one}, {roughly} ({self.agree} of {self.people} people agree)"


def find_offset(found: Encounters) -> Offset | None:
    """The offset between the clocks of two cameras, None where nothing speaks for one."""
    if found.people < PEOPLE:
        return None
    return _meeting(found) or _never_at_once(found)


def _meeting(found: Encounters) -> Offset | None:
    """The offset at which people are in both places at about the same time.

    Claimed only where `AGREE` of the people, with `VISITS` of their tracklets and on `PEOPLE` occasions, agree within a
    `SHARP` th of it, where no offset nearer to 0 has half as many, and where it is not just that all of them came and
    went together.
    """
    people, shifts = found.people, found.shifts
    for width in (width for width in WIDTHS if SHARP * width <= np.abs(shifts).max()):
        agree, start = _densest(found, np.abs(shifts) >= SHARP * width, width)
        if agree < AGREE * people:
            continue
        rows = np.flatnonzero((shifts >= start) & (shifts <= start + 2 * width))
        seconds = float(np.median(shifts[rows]))
        occasions = len(np.unique(found.first[rows].mean(1) // MINUTE))
        nearer, _ = _densest(found, np.abs(shifts) < abs(seconds) / 2, width)
        visits = min(_share(found.rows[rows, side], found.rows[:, side]) for side in (0, 1))
        if (
            occasions >= PEOPLE
            and nearer <= agree / 2
            and visits >= VISITS
            and _by_schedule(found, rows, width) <= CHANCE
        ):
            # The peak may be of those who walk one way only: who walk back are on the far side of the truth.
            low, high = np.quantile(shifts[np.abs(shifts - seconds) <= abs(seconds) / SHARP], MOST).tolist()
            return Offset(found.cameras, (low + high) / 2, (high - low) / 2, agree, people)
    return None


def _never_at_once(found: Encounters) -> Offset | None:
    """The offset at which next to nobody is in both places at once, where by chance many would be.

    Claimed only where no other offset is like it, and where by the clocks as they are people are in both as often as
    by chance: not next to never, for then they are right, nor much more often, for then the views overlap.
    """
    starts = np.sort(found.second[:, 0] - found.first[:, 1])
    ends = np.sort(found.second[:, 1] - found.first[:, 0])
    low, high = np.floor(min(starts[0], 0) / STEP), np.ceil(max(ends[-1], 0) / STEP)
    offsets = STEP * np.arange(low, high + 1)
    at_once = (np.searchsorted(starts, offsets) - np.searchsorted(ends, offsets)).astype(np.float64)
    # On both sides: at the ends of what was filmed there is nobody at all.
    size = int(AROUND / STEP)
    sides = [
        uniform_filter1d(at_once, size, mode="constant", origin=origin) for origin in (-(size // 2), size // 2 - 1)
    ]
    chance = np.minimum(*sides)
    gaps, count = label((at_once <= RARE * chance) & (chance >= MANY))
    now = int(np.argmin(np.abs(offsets)))
    if not count or chance[now] < MANY or not chance[now] / 2 <= at_once[now] <= 2 * chance[now]:
        return None
    widths = np.bincount(gaps.ravel())[1:]
    widest = offsets[gaps == widths.argmax() + 1]
    if (widths > len(widest) / 2).sum() > 1:
        return None
    low, high = widest[[0, -1]].tolist()
    agree = found.people - len(np.unique(found.person[found.at_once((low + high) / 2)]))
    if agree < AGREE * found.people:
        return None
    return Offset(found.cameras, (low + high) / 2, (high - low) / 2, agree, found.people)


def _densest(found: Encounters, among: Array, width: float) -> tuple[int, float]:
    """Most people whose shift lies within one window of twice ``width``, and where that window starts."""
    rows = np.flatnonzero(among)
    rows = rows[np.argsort(found.shifts[rows], kind="stable")]
    shifts, person = found.shifts[rows], found.person[rows].tolist()
    best, place, inside, stop = 0, 0.0, dict[int, int](), 0
    for start, one in enumerate(person):
        while stop < len(person) and shifts[stop] <= shifts[start] + 2 * width:
            inside[person[stop]] = inside.get(person[stop], 0) + 1
            stop += 1
        if len(inside) > best:
            best, place = len(inside), float(shifts[start])
        inside[one] -= 1
        if not inside[one]:
            del inside[one]
    return best, place


def _share(some: Array, rows: Array) -> float:
    return len(np.unique(some)) / len(np.unique(rows))


def _by_schedule(found: Encounters, rows: Array, width: float) -> float:
    """Share of strangers who passed the first camera at about one time and would agree with exchanged times, too."""
    _, once = np.unique(found.person[rows], return_index=True)
    rows = rows[once][:: -(-len(once) // COMPARED)]
    first, second = found.first[rows].mean(1), found.second[rows].mean(1)
    near = np.abs(first[:, None] - first) <= NEARBY * width
    np.fill_diagonal(near, False)
    exchanged = second - first[:, None]
    middle = np.median(second - first)
    return float((np.abs(exchanged - middle) <= width)[near].mean()) if near.any() else 0.0
