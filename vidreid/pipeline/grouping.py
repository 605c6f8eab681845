"""Sightings to people: what they look like, what time and place forbid, and what a person decided."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vidreid.footage.cameras import Site
from vidreid.identity.association import (
    Association,
    Likeness,
    Sightings,
    Space,
    above_even,
    associate,
    find_curves,
    make_space,
    regroup,
)
from vidreid.identity.calibration import Curve, Kind
from vidreid.identity.card import Card
from vidreid.identity.constraints import Presence, cannot_link
from vidreid.identity.encounters import encounters
from vidreid.identity.revision import mend, revise
from vidreid.identity.splitting import mean_look
from vidreid.identity.travel import Lessons, learn
from vidreid.pipeline.decisions import Pair, Rulings, resolve
from vidreid.pipeline.plan import CameraPlan
from vidreid.pipeline.sightings import Parts, Tracklet, footage_of, split_by_decisions
from vidreid.store.journal import Decision
from vidreid.tracklets.company import surely_two
from vidreid.types import Array


@dataclass(frozen=True)
class Grouped:
    """Who is who. ``known`` are the tracklets that can be told apart, ``labels`` (n,) the numbers of their
    identities, `NOBODY` for those that a person discarded; ``place`` their rows by name.

    ``ruled`` are the decisions that hold pairs of rows together or keep them apart, by their numbers.
    """

    tracklets: Sequence[Tracklet]
    known: Sequence[Tracklet]
    labels: Array
    base: Association
    space: Space
    curves: Mapping[Kind, Curve]
    likeness: Likeness
    apart: Sequence[Array]
    ruled: Mapping[Pair, int]
    impostors: Array
    halves: Array
    reviewed: Sequence[tuple[int, int, bool]]
    lessons: Lessons
    notes: Sequence[str]


def group(
    tracklets: Sequence[Tracklet],
    cameras: Mapping[str, CameraPlan],
    decisions: Sequence[Decision],
    site: Site,
    card: Card,
    *,
    promise: float,
    min_seconds: float,
) -> Grouped:
    """Tell tracklets apart, first as if nobody had decided anything; then only those that decisions touch, anew."""
    whole = in_order([one for one in tracklets if _tellable(one, min_seconds)])
    sightings = _sightings(whole, cameras, cannot_link(presences(whole)), card)
    base = associate(sightings, card, promise)
    lessons = _lessons(whole, base, site)
    if lessons.limits:
        sightings = _sightings(whole, cameras, cannot_link(presences(whole), lessons.limits), card)
        base = associate(sightings, card, promise)
    parts = split_by_decisions(tracklets, decisions, cameras)
    rulings = resolve(decisions, [one.track for one in parts.tracklets], footage_of(cameras))
    if not decisions:
        return Grouped(
            tracklets,
            whole,
            base.clusters,
            base,
            base.space,
            base.curves,
            base.likeness,
            sightings.apart,
            {},
            sightings.impostors,
            sightings.halves,
            (),
            lessons,
            lessons.notes,
        )
    return _revised(parts, rulings, whole, base, lessons, cameras, card, min_seconds)


def in_order(tracklets: Sequence[Tracklet]) -> list[Tracklet]:
    """Tracklets in order of time, then of name."""
    return sorted(tracklets, key=lambda t: (t.start_s if t.start is None else t.start / 1e6, t.name))


def _tellable(one: Tracklet, min_seconds: float) -> bool:
    return one.vector is not None and one.end_s - one.start_s >= min_seconds


def presences(tracklets: Sequence[Tracklet]) -> list[Presence]:
    """Where and when tracklets were."""
    return [Presence(t.camera, int(t.way.frames[0]), int(t.way.frames[-1]), t.start, t.end) for t in tracklets]


def _sightings(
    known: Sequence[Tracklet], cameras: Mapping[str, CameraPlan], apart: Sequence[Array], card: Card
) -> Sightings:
    numbers = {name: number for number, name in enumerate(cameras)}
    vectors = np.stack([t.vector for t in known if t.vector is not None]) if known else np.zeros((0, len(card.mean)))
    return Sightings(
        vectors=vectors.astype(np.float32),
        cameras=np.array([numbers[t.camera] for t in known], np.int64),
        apart=apart,
        impostors=_impostors(known, cameras),
        halves=_halves(known, card),
    )


def _impostors(known: Sequence[Tracklet], cameras: Mapping[str, CameraPlan]) -> Array:
    """Pairs (k, 2) of rows that one camera sees side by side for long enough to be surely two people."""
    found = [np.zeros((0, 2), np.int64)]
    for name, camera in cameras.items():
        rows = np.array([row for row, one in enumerate(known) if one.camera == name], np.int64)
        ways = [(known[row].way.frames, known[row].way.boxes) for row in rows]
        found.append(rows[surely_two(ways, camera.timeline.elapsed)])
    return np.concatenate(found)


def _halves(known: Sequence[Tracklet], card: Card) -> Array:
    """Likenesses (m,) of the earlier and the later looks of tracklets that have four or more."""
    pairs = [(mean_look(t.looks[: len(t.looks) // 2]), mean_look(t.looks[len(t.looks) // 2 :])) for t in known]
    sides = [
        (one - card.mean, other - card.mean)
        for t, (one, other) in zip(known, pairs, strict=True)
        if len(t.looks) >= 4 and one is not None and other is not None
    ]
    return np.array([one @ other / (np.linalg.norm(one) * np.linalg.norm(other)) for one, other in sides], float)


def _lessons(known: Sequence[Tracklet], base: Association, site: Site) -> Lessons:
    found = encounters(presences(known), base.clusters, base.chance)
    stated = {(one, other): seconds for one, other, seconds in site.travel}
    return learn(found, stated, set(site.overlaps))


def _revised(
    parts: Parts,
    rulings: Rulings,
    whole: Sequence[Tracklet],
    base: Association,
    lessons: Lessons,
    cameras: Mapping[str, CameraPlan],
    card: Card,
    min_seconds: float,
) -> Grouped:
    """The grouping after decisions: what they do not touch stays as it is."""
    wanted = {parts.tracklets[position].name for pair in rulings.same for position in pair}
    tellable = [t for t in parts.tracklets if t.vector is not None]
    known = in_order([t for t in tellable if _tellable(t, min_seconds) or t.name in wanted])
    row = {one.name: number for number, one in enumerate(known)}
    apart = cannot_link(presences(known), lessons.limits)
    same, differ = (_in_rows(pairs, parts.tracklets, row) for pairs in (rulings.same, rulings.apart))
    reviewed = [(*pair, True) for pair in same] + [(*pair, False) for pair in differ]
    sightings = replace(_sightings(known, cameras, apart, card), reviewed=reviewed)
    space = make_space(sightings.vectors, sightings.cameras, card)
    likeness = above_even(space, base.curves)
    separate = _with(apart, differ)

    before = _before(parts, known, whole, base.clusters)
    least = np.inf if base.threshold is None else base.threshold

    def anew(rows: Array) -> Array:
        kept, pairs = _among(rows, separate, same)
        return mend(
            before[rows], pairs, kept, lambda some: regroup(likeness, rows[some], *_among(some, kept, pairs), least)
        )

    discarded = (parts.tracklets[position].name for position in rulings.discarded)
    out = [row[name] for name in discarded if name in row]
    named = sorted({*out, *(end for pair in (*same, *differ) for end in pair)})
    labels = revise(before, named, anew, nobody=out)
    # What a person decided says what likenesses mean, but moves nobody whom no decision names.
    curves = find_curves(space, sightings, card)
    return Grouped(
        parts.tracklets,
        known,
        labels,
        base,
        space,
        curves,
        likeness,
        separate,
        {**same, **differ},
        sightings.impostors,
        sightings.halves,
        reviewed,
        lessons,
        [*lessons.notes, *rulings.notes],
    )


def _in_rows(pairs: Mapping[Pair, int], parts: Sequence[Tracklet], row: Mapping[str, int]) -> dict[Pair, int]:
    """Decisions about positions as decisions about rows; what cannot be told apart takes no part."""
    names = {(parts[one].name, parts[other].name): number for (one, other), number in pairs.items()}
    found = ((sorted((row[a], row[b])), number) for (a, b), number in names.items() if a in row and b in row)
    return {(one, other): number for (one, other), number in found}


def _with(apart: Sequence[Array], pairs: Mapping[Pair, int]) -> list[Array]:
    """Constraints with those of decisions among them."""
    found = list(apart)
    for one, other in pairs:
        for here, there in ((one, other), (other, one)):
            found[here] = np.union1d(found[here], [there])
    return found


def _among(rows: Array, apart: Sequence[Array], same: Iterable[Pair]) -> tuple[list[Array], list[Pair]]:
    """Constraints by their places in ``rows`` (k,), as far as both of a pair are there."""
    place = {row: number for number, row in enumerate(rows.tolist())}
    kept = [np.array([place[other] for other in apart[row].tolist() if other in place], np.int64) for row in rows]
    return kept, [(place[one], place[other]) for one, other in same if one in place and other in place]


def _before(parts: Parts, known: Sequence[Tracklet], whole: Sequence[Tracklet], clusters: Array) -> Array:
    """The clusters (n,) that rows had before decisions; who was not told apart then has one of its own."""
    of_whole = dict(zip([one.name for one in whole], clusters.tolist(), strict=True))
    origin = {one.name: parts.tracklets[whole].name for one, whole in zip(parts.tracklets, parts.whole, strict=True)}
    fresh = itertools.count(int(clusters.max(initial=-1)) + 1)
    found = (of_whole[origin[one.name]] if origin[one.name] in of_whole else next(fresh) for one in known)
    return np.fromiter(found, np.int64, len(known))
