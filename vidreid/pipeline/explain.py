"""Why two sightings are, or are not, taken for one person: the pairs and the constraints behind a decision."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from vidreid.errors import UsageError
from vidreid.identity.spanning import chain, strongest_tree
from vidreid.pipeline.calibrated import Calibrated, read_calibration
from vidreid.pipeline.cases import Barrier, Case, Link, Neighbour, PairCase, PersonCase, Sighting, SightingCase
from vidreid.pipeline.likeness import Likenesses
from vidreid.pipeline.links import LOOKS, chance_of
from vidreid.pipeline.results import Run
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_header
from vidreid.types import Array

Row = Mapping[str, Any]
SMALL = 64  # pixels: less tall people are weakly told apart
SHORT = 1.0  # seconds
POOR = 0.3  # quality of a best crop
NEAREST = 5  # neighbours of a person
TOGETHER = "together in one camera"


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
    """A matched run, and the vectors of those of its tracklets that are asked about."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.rows: dict[str, Row] = {row["tracklet"]: row for row in run.tracklets().to_pylist()}
        self.people: dict[str, list[str]] = defaultdict(list)
        for name, row in self.rows.items():
            if row["identity"]:
                self.people[row["identity"]].append(name)
        self.calibrated: Calibrated | None = read_calibration(run)
        self.threshold = self.calibrated.threshold if self.calibrated else _threshold(run)
        self._evidence = {frozenset((row["first"], row["second"])): row for row in run.evidence().to_pylist()}
        self._likenesses = Likenesses(run, self.rows)

    def check(self, name: str) -> None:
        known = [*self.rows, *self.people]
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            raise UsageError(f"no sighting or person {name!r} in this run", f"did you mean {', '.join(near)}?")

    def pair(self, first: str, second: str) -> PairCase:
        mine, theirs = (self.rows[name]["identity"] for name in (first, second))
        groups = [self._group(name) for name in (first, second)]
        self._likenesses.load([*groups[0], *groups[1]])
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
        self._likenesses.load([*group, *self.people.get(row["nearest"], [])])
        held = [link for other in group if other != name if (link := self._link(name, other))]
        return SightingCase(
            sighting=self._sightings([name])[0],
            threshold=self.threshold,
            likeness=row["similarity"],
            held=tuple(sorted(held, key=lambda link: -link.likeness)),
            nearest=self._neighbour([name], row["nearest"]) if row["nearest"] else None,
        )

    def person(self, identity: str) -> PersonCase:
        group = self.people[identity]
        near = self._near(identity)
        self._likenesses.load([*group, *(name for other in near for name in self.people[other])])
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

    def _likeness(self, ones: Sequence[str], others: Sequence[str]) -> Array:
        """Likenesses (n, m) as `match` kept them, else as it would; nan of a tracklet with itself or without looks."""
        likeness = self._likenesses.between(ones, others)
        for i, one in enumerate(ones):
            for j, other in enumerate(others):
                if kept := self._evidence.get(frozenset((one, other))):
                    likeness[i, j] = kept["similarity"]
                elif one == other:
                    likeness[i, j] = np.nan
        return likeness

    def _link(self, first: str, second: str) -> Link | None:
        """The pair; None where one of them has no looks."""
        likeness = float(self._likeness([first], [second])[0, 0])
        if np.isnan(likeness):
            return None
        kept = self._evidence.get(frozenset((first, second)))
        chance = chance_of(likeness, kept, self.calibrated)
        return Link(first, second, likeness, chance, str(kept["reason"]) if kept else LOOKS)

    def _mean(self, name: str, group: Sequence[str]) -> float | None:
        """Mean cosine to a group, itself left out; None where there is nothing to compare."""
        likeness = self._likeness([name], group)
        return None if np.isnan(likeness).all() else float(np.nanmean(likeness))

    def _reason(self, first: str, second: str) -> str:
        kept = self._evidence.get(frozenset((first, second)))
        return str(kept["reason"]) if kept else LOOKS

    def _neighbour(self, group: Sequence[str], identity: str) -> Neighbour | None:
        others = self.people[identity]
        likeness = self._likeness(group, others)
        if np.isnan(likeness).all():
            return None
        one, other = divmod(int(np.nanargmax(likeness)), len(others))
        link = self._link(group[one], others[other])
        assert link is not None
        return Neighbour(identity, float(np.nanmean(likeness)), link, self._barriers(group, others))

    def _strength(self, group: Sequence[str]) -> Array:
        """How strongly pairs hold together (n, n): decisions above all, then likeness; -inf where nothing does."""
        strength = np.nan_to_num(self._likeness(group, group), nan=-np.inf)
        for i, j in np.argwhere(np.isfinite(strength)):
            if self._reason(group[i], group[j]) != LOOKS:
                strength[i, j] = 2.0
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
        """What cannot be one person, of all pairs of two groups."""
        found = (self._barrier(one, other) for one in ones for other in others)
        return tuple(barrier for barrier in found if barrier)

    def _barrier(self, first: str, second: str) -> Barrier | None:
        one, other = self.rows[first], self.rows[second]
        if one["camera"] == other["camera"] and max(one["first"], other["first"]) <= min(one["last"], other["last"]):
            known = one["start"] is not None
            return Barrier(
                first,
                second,
                TOGETHER,
                start=max(one["start"], other["start"]) if known else None,
                end=min(one["end"], other["end"]) if known else None,
                start_s=max(one["start_s"], other["start_s"]),
                end_s=min(one["end_s"], other["end_s"]),
            )
        kept = self._evidence.get(frozenset((first, second)))
        stands = kept and kept["kind"] == "apart" and kept["reason"] not in {LOOKS, TOGETHER}
        return Barrier(first, second, kept["reason"]) if kept and stands else None

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


def _threshold(run: Run) -> float | None:
    """The threshold of a run whose likeness has no known meaning."""
    header = read_header(RunFolder(run.path).match("tracklets"))
    return header.facts.get("threshold") if header else None


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
