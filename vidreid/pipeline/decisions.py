"""From decisions to what they mean for the tracklets of the present run: an input of `match`.

First `cuts` says where tracklets are split; then `resolve`, of the parts, who must be one person, who must not, and
who is nobody. Decisions are taken in their order; one that contradicts those before it is left out and named.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vidreid.pipeline.carriers import Carriers, Footage, Track
from vidreid.store.journal import Decision

Pair = tuple[int, int]
Objection = tuple[str, list[int]]  # why a decision cannot hold, and the numbers of those that it contradicts


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A decision without effect, why, and the decisions that it contradicts."""

    number: int
    why: str
    against: tuple[int, ...] = ()


@dataclass
class Rulings:
    """What decisions mean for tracks, given by position, with the number of the decision that says so.

    ``same`` and ``apart`` are pairs (i < j) that must and must not be one person; the rest of them follows by closure.
    Nothing is ruled twice: no discarded track is in a pair. ``lost`` says of what no track carries any more.
    """

    same: dict[Pair, int] = field(default_factory=dict)
    apart: dict[Pair, int] = field(default_factory=dict)
    discarded: dict[int, int] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def named(self) -> list[int]:
        """The tracks that any decision speaks of, in order."""
        return sorted({*itertools.chain(*self.same, *self.apart), *self.discarded})

    @property
    def notes(self) -> list[str]:
        """What should be known: decisions without effect, or without some of it."""
        return [*self.lost, *(f"decision {one.number} is left out: {one.why}" for one in self.left_out)]


def cuts(
    decisions: Sequence[Decision], tracks: Sequence[Track], footage: Mapping[str, Footage]
) -> dict[int, list[int]]:
    """The frames at which new parts of tracks begin, by position of the track; only of tracks that are split."""
    carriers = Carriers(tracks, footage)
    found: dict[int, set[int]] = {}
    for decision in decisions:
        if decision.at is None:
            continue
        before, after = (carriers.of(subject) for subject in decision.subjects)
        for position in set(before) & set(after):
            track = tracks[position]
            places = footage[track.camera].frames(*decision.at)
            inside = [frame for frame in places if track.frames[0] < frame <= track.frames[-1]]
            found.setdefault(position, set()).update(inside[:1])
    return {position: sorted(frames) for position, frames in sorted(found.items()) if frames}


def cut(tracks: Sequence[Track], starts: Mapping[int, Sequence[int]]) -> list[Track]:
    """Tracks with the later parts of those that are cut at frames ``starts`` at the end, named by where they begin."""
    firsts, later = [], []
    for position, track in enumerate(tracks):
        bounds = [0, *np.searchsorted(track.frames, starts.get(position, [])).tolist(), len(track.frames)]
        first, *rest = itertools.pairwise(bounds)
        firsts.append(track.between(*first))
        later += [track.between(*part, name=f"{track.name} from frame {track.frames[part[0]]}") for part in rest]
    return firsts + later


def resolve(decisions: Sequence[Decision], tracks: Sequence[Track], footage: Mapping[str, Footage]) -> Rulings:
    """What decisions mean for ``tracks``, which are cut where `cuts` said."""
    carriers = Carriers(tracks, footage)
    book = _Book(tracks)
    for decision in decisions:
        subjects = [carriers.of(subject) for subject in decision.subjects]
        found = [subject for subject in subjects if subject]
        lost = [carriers.where(s) for s, now in zip(decision.subjects, subjects, strict=True) if not now]
        holds = bool(found) if decision.kind == "discard" else len(found) > 1 and bool(subjects[0])
        if lost:
            rest = "holds for the others" if holds else "has no effect"
            book.rulings.lost.append(f"decision {decision.number} {rest}: nobody is followed in {', '.join(lost)} now")
        if holds:
            book.take(decision, found)
    rulings, gone = book.rulings, book.rulings.discarded
    rulings.apart = {pair: number for pair, number in rulings.apart.items() if not gone.keys() & set(pair)}
    return rulings


class _Book:
    """Rulings under way: takes decisions one by one, or leaves them out with the reason."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self.rulings = Rulings()
        self._tracks = tracks

    def take(self, decision: Decision, subjects: Sequence[Sequence[int]]) -> None:
        objection = self._objection(decision, subjects)
        if objection is None:
            self._enter(decision, subjects)
        else:
            why, against = objection
            self.rulings.left_out.append(LeftOut(decision.number, why, tuple(sorted(set(against)))))

    def _enter(self, decision: Decision, subjects: Sequence[Sequence[int]]) -> None:
        if decision.kind == "discard":
            for position in itertools.chain(*subjects):
                self.rulings.discarded.setdefault(position, decision.number)
        elif decision.kind == "same":
            for pair in _star(subjects):
                self.rulings.same.setdefault(pair, decision.number)
        else:
            for a, b in itertools.product(subjects[0], itertools.chain(*subjects[1:])):
                self.rulings.apart.setdefault(_pair(a, b), decision.number)

    def _objection(self, decision: Decision, subjects: Sequence[Sequence[int]]) -> Objection | None:
        """What of the decisions before, or of the footage itself, this one contradicts."""
        positions = list(itertools.chain(*subjects))
        if decision.kind == "discard":
            return self._somebody(positions)
        if decision.kind == "same":
            return self._discarded(positions) or self._two(_star(subjects))
        # A part that was split off may be discarded: that is what it was split off for.
        discarded = self._discarded(positions) if decision.kind == "different" else None
        return discarded or self._one(subjects[0], list(itertools.chain(*subjects[1:])))

    def _discarded(self, positions: Iterable[int]) -> Objection | None:
        for position in positions:
            if number := self.rulings.discarded.get(position):
                return f"decision {number} discards {self._tracks[position].name}", [number]
        return None

    def _somebody(self, positions: Sequence[int]) -> Objection | None:
        """Whether a decision says who any of these is; who was only told apart may be nobody."""
        for pair, number in self.rulings.same.items():
            for position in positions:
                if position in pair:
                    return f"decision {number} says who {self._tracks[position].name} is", [number]
        return None

    def _two(self, pairs: Sequence[Pair]) -> Objection | None:
        """Whether any that would be one person, by these pairs and the decisions before, are two."""
        if not pairs:
            return None
        ways = _ways(pairs[0][0], dict.fromkeys(pairs, 0) | self.rulings.same)
        for a, b in itertools.combinations(sorted(ways), 2):
            one, other = self._tracks[a], self._tracks[b]
            through = [number for number in (*ways[a], *ways[b]) if number]
            by = f" (by decision {_list(through)})" if through else ""
            if number := self.rulings.apart.get((a, b)):
                return f"decision {number} says that {one.name} and {other.name}{by} are two people", [number, *through]
            if one.meets(other):
                return f"{one.name} and {other.name}{by} are together in camera {one.camera}", through
        return None

    def _one(self, first: Sequence[int], rest: Sequence[int]) -> Objection | None:
        """Whether any of the first is one with any of the rest."""
        for a in first:
            ways = _ways(a, self.rulings.same)
            for b in rest:
                names = f"{self._tracks[a].name} and {self._tracks[b].name}"
                if a == b:
                    return f"both are {self._tracks[a].name} now", []
                if b in ways:
                    return f"decision {_list(ways[b])} says that {names} are one person", list(ways[b])
        return None


def _pair(a: int, b: int) -> Pair:
    return (a, b) if a < b else (b, a)


def _star(subjects: Sequence[Sequence[int]]) -> list[Pair]:
    """The first of all subjects with each other one: by closure they are one person."""
    first, *others = dict.fromkeys(itertools.chain(*subjects))
    return [_pair(first, other) for other in others]


def _list(numbers: Iterable[int]) -> str:
    return " with ".join(map(str, sorted(set(numbers))))


def _ways(start: int, same: Mapping[Pair, int]) -> dict[int, tuple[int, ...]]:
    """Everybody who is one person with ``start``, and the decisions on a shortest way there."""
    neighbours: dict[int, list[tuple[int, int]]] = {}
    for (a, b), number in same.items():
        neighbours.setdefault(a, []).append((b, number))
        neighbours.setdefault(b, []).append((a, number))
    ways: dict[int, tuple[int, ...]] = {start: ()}
    front = [start]
    for position in front:
        for other, number in neighbours.get(position, []):
            if other not in ways:
                ways[other] = (*ways[position], number)
                front.append(other)
    return ways
