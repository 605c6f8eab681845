"""Why two sightings are, or are not, taken for one person: the pairs and the constraints behind a decision."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from vidreid.errors import UsageError
from vidreid.identity.constraints import TOGETHER, Presence, cannot_link, reason
from vidreid.identity.spanning import chain, strongest_tree
from vidreid.pipeline.calibrated import calibration_of
from vidreid.pipeline.cases import Barrier, Case, Link, Neighbour, PairCase, PersonCase, Sighting, SightingCase
from vidreid.pipeline.likeness import Likenesses
from vidreid.pipeline.links import LOOKS, link_of
from vidreid.pipeline.moments import localised
from vidreid.pipeline.results import Run
from vidreid.store.folder import RunFolder
from vidreid.types import Array

Row = Mapping[str, Any]
SMALL = 64  # pixels: less tall people are weakly told apart
SHORT = 1.0  # seconds
POOR = 0.3  # quality of a best crop
NEAREST = 5  # neighbours of a person
DECIDED = 1e3  # strength of a pair that something else than looks holds together


def explain(run: Run, names: Sequence[str]) -> Case:
    """Why: of one or two tracklets, or of a person (``P0042``).

    `UsageError` for names that the run has not; `InputError` where it is not matched.
    """
    matched = _Matched(run)
    for name in names:
        matched.check(name)
    match names:
        case [one] if one in matched.people:
            return matched.person(one)
        case [one]:
            return matched.sighting(one)
        case [first, second] if first != second and not {first, second} & matched.people.keys():
            return matched.pair(first, second)
    hint = f"vidreid explain {run.path} TRACKLET TRACKLET"
    raise UsageError(f"{' and '.join(names)}: neither one name nor two sightings", hint)


class _Matched:
    """A matched run, its people by name, and what speaks for and against them."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.rows: dict[str, Row] = {row["tracklet"]: localised(row, run.zone) for row in run.tracklets().to_pylist()}
        self.people: dict[str, list[str]] = defaultdict(list)
        for name, row in self.rows.items():
            if row["identity"]:
                self.people[row["identity"]].append(name)
        self.calibrated = calibration_of(run)
        self.threshold = self.calibrated.threshold
        self._evidence = {frozenset((row["first"], row["second"])): row for row in run.evidence().to_pylist()}
        self._likenesses = Likenesses(run, self.calibrated)
        self._limits = {(one, other): least for one, other, least in RunFolder(run.path).read().travel}

    def check(self, name: str) -> None:
        known = [*self.rows, *self.people]
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            raise UsageError(f"no sighting or person {name!r} in this run", f"did you mean {', '.join(near)}?")

    def pair(self, first: str, second: str) -> PairCase:
        mine, theirs = (self.rows[name]["identity"] for name in (first, second))
        groups = [self._group(name) for name in (first, second)]
        together = mine is not None and mine == theirs
        one, other = self._sightings([first, second])
        return PairCase(
            first=one,
            second=other,
            same=None if mine is None or theirs is None else together,
            link=self._link(first, second),
            threshold=self.threshold,
            to_other=(self._mean(first, groups[1]), self._mean(second, groups[0])),
            chain=self._chain(groups[0], first, second) if together else (),
            barriers=() if together else self._barriers([first], [second]) or self._barriers(*groups),
        )

    def sighting(self, name: str) -> SightingCase:
        row, group = self.rows[name], self._group(name)
        held = [link for other in group if other != name if (link := self._link(name, other))]
        return SightingCase(
            sighting=self._sightings([name])[0],
            threshold=self.threshold,
            likeness=row["similarity"],
            held=tuple(sorted(held, key=lambda link: -link.likeness)),
            nearest=self._neighbour([name], row["nearest"], group) if row["nearest"] else None,
        )

    def person(self, identity: str) -> PersonCase:
        group = self.people[identity]
        near = self._near(identity)
        found = [neighbour for other in near if (neighbour := self._neighbour(group, other))]
        return PersonCase(
            identity=identity,
            threshold=self.threshold,
            sightings=self._sightings(group),
            links=tuple(sorted(self._links(group), key=lambda link: link.likeness)),
            neighbours=tuple(sorted(found, key=lambda near: -near.link.likeness)[:NEAREST]),
        )

    def _group(self, name: str) -> list[str]:
        """The tracklets of the same person; the tracklet alone where it is nobody's."""
        identity = self.rows[name]["identity"]
        return self.people[identity] if identity else [name]

    def _near(self, identity: str) -> list[str]:
        """Other people that one of this person's tracklets was compared with."""
        own = set(self.people[identity])
        found = {self.rows[name]["nearest"] for name in own}
        for pair in self._evidence:
            if pair & own:
                found |= {self.rows[name]["identity"] for name in pair - own}
        return sorted(found - {None, identity})

    def _link(self, first: str, second: str) -> Link | None:
        """The pair; None where one of them has no looks."""
        likeness = float(self._likenesses.between([first], [second])[0, 0])
        if np.isnan(likeness):
            return None
        return link_of(first, second, likeness, self._reason(first, second), self.calibrated)

    def _mean(self, name: str, group: Sequence[str]) -> float | None:
        """Mean likeness to a group, itself left out; None where there is nothing to compare."""
        likeness = self._likenesses.between([name], group)
        return None if np.isnan(likeness).all() else float(np.nanmean(likeness))

    def _reason(self, first: str, second: str) -> str:
        kept = self._evidence.get(frozenset((first, second)))
        return str(kept["reason"]) if kept else LOOKS

    def _neighbour(self, group: Sequence[str], identity: str, whole: Sequence[str] = ()) -> Neighbour | None:
        """Another person as seen from a group, which may be a part of the ``whole`` that it belongs to."""
        others = self.people[identity]
        likeness = self._likenesses.between(group, others)
        if np.isnan(likeness).all():
            return None
        one, other = divmod(int(np.nanargmax(likeness)), len(others))
        link = self._link(group[one], others[other])
        assert link is not None
        barriers = self._barriers(group, others) or self._barriers(whole, others)
        return Neighbour(identity, float(np.nanmean(likeness)), link, barriers)

    def _strength(self, group: Sequence[str]) -> Array:
        """How strongly pairs hold together (n, n): decisions above all, then likeness; -inf where nothing does."""
        strength = np.nan_to_num(self._likenesses.between(group, group), nan=-np.inf)
        for i, j in np.argwhere(np.isfinite(strength)):
            if self._reason(group[i], group[j]) != LOOKS:
                strength[i, j] = DECIDED
        return strength

    def _links(self, group: Sequence[str]) -> list[Link]:
        """The strongest pairs that reach everybody of a group."""
        through = strongest_tree(self._strength(group))
        pairs = [(group[via], group[row]) for row, via in enumerate(through) if via >= 0]
        return [link for pair in pairs if (link := self._link(*pair))]

    def _chain(self, group: Sequence[str], first: str, second: str) -> tuple[Link, ...]:
        through = strongest_tree(self._strength(group), root=group.index(second))
        way = [group[row] for row in chain(through, group.index(first))]
        return tuple(link for pair in pairwise(way) if (link := self._link(*pair)))

    def _barriers(self, ones: Sequence[str], others: Sequence[str]) -> tuple[Barrier, ...]:
        """What cannot be one person, of all pairs of two groups: what time and place forbid, and decisions."""
        apart = cannot_link([_presence(self.rows[name]) for name in (*ones, *others)], self._limits)
        found = (
            self._barrier(one, other, impossible=len(ones) + j in apart[i])
            for i, one in enumerate(ones)
            for j, other in enumerate(others)
        )
        return tuple(barrier for barrier in found if barrier)

    def _barrier(self, first: str, second: str, *, impossible: bool) -> Barrier | None:
        one, other = self.rows[first], self.rows[second]
        why = self._reason(first, second)
        if impossible and why == LOOKS:
            why = reason(_presence(one), _presence(other))
        if why == TOGETHER:
            known = one["start"] is not None
            return Barrier(
                first,
                second,
                why,
                start=max(one["start"], other["start"]) if known else None,
                end=min(one["end"], other["end"]) if known else None,
                start_s=max(one["start_s"], other["start_s"]),
                end_s=min(one["end_s"], other["end_s"]),
            )
        return None if why == LOOKS else Barrier(first, second, why)

    def _sightings(self, names: Sequence[str]) -> tuple[Sighting, ...]:
        crops = self.run.crops(names, best=1).select(["tracklet", "frame", "quality"]).to_pylist()
        best = {crop["tracklet"]: crop for crop in crops}
        return tuple(_sighting(self.rows[name], best.get(name)) for name in names)


def _sighting(row: Row, best: Row | None) -> Sighting:
    quality = best["quality"] if best else None
    return Sighting(
        **{key: row[key] for key in ("tracklet", "camera", "identity", "start", "end", "start_s", "end_s", "height")},
        best=best["frame"] if best else None,
        quality=quality,
        remarks=tuple(_remarks(row, quality)),
    )


def _presence(row: Row) -> Presence:
    start, end = (None if row[at] is None else round(row[at].timestamp() * 1e6) for at in ("start", "end"))
    return Presence(row["camera"], row["first"], row["last"], start, end)


def _remarks(row: Row, quality: float | None) -> Iterable[str]:
    """What weakens what is said of a tracklet."""
    if row["height"] < SMALL:
        yield f"{row['height']:.0f} px tall: weak"
    if row["end_s"] - row["start_s"] < SHORT:
        yield f"seen for {row['end_s'] - row['start_s']:.1f} s: short"
    if quality is None:
        yield "no picture"
    elif quality < POOR:
        yield f"best picture of quality {quality:.2f}: poor"
    if row["identity"] is None:
        yield "too short to say who, or set aside"
