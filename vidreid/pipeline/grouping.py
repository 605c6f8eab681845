"""Sightings to people: what they look like, what time and place forbid, and what a person decided."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

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
from vidreid.identity.crowd import in_uniform, with_own_mean
from vidreid.identity.encounters import encounters
from vidreid.identity.revision import mend, revise
from vidreid.identity.splitting import mean_look
from vidreid.identity.travel import Lessons, learn
from vidreid.pipeline.decisions import Pair, resolve
from vidreid.pipeline.plan import CameraPlan
from vidreid.pipeline.sightings import Parts, Tracklet, footage_of, split_by_decisions
from vidreid.store.journal import Decision
from vidreid.tracklets.company import surely_two
from vidreid.types import Array

UNIFORM = (
    "people look more alike than strangers do elsewhere, as if in one uniform: what they share is left out, and fewer "
    "can be put together"
)


@dataclass(frozen=True)
class Grouped:
    """Who is who. ``known`` are the tracklets that can be told apart, ``labels`` (n,) the numbers of their
    identities, `NOBODY` for those that a person discarded; ``card`` what was known of their likenesses.

    ``ruled`` are the decisions that hold pairs of rows together or keep them apart, by their numbers.
    """

    tracklets: Sequence[Tracklet]
    known: Sequence[Tracklet]
    labels: Array
    card: Card
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
    card, notes = _here(card, sightings)
    sightings = replace(sightings, halves=_halves(whole, card))
    base = associate(sightings, card, promise)
    lessons = _lessons(whole, base, site)
    if lessons.limits:
        sightings = replace(sightings, apart=cannot_link(presences(whole), lessons.limits))
        base = associate(sightings, card, promise)
    grouped = Grouped(
        tracklets=tracklets,
        known=whole,
        labels=base.clusters,
        card=card,
        base=base,
        space=base.space,
        curves=base.curves,
        likeness=base.likeness,
        apart=sightings.apart,
        ruled={},
        impostors=sightings.impostors,
        halves=sightings.halves,
        reviewed=(),
        lessons=lessons,
        notes=[*notes, *_left_out(base), *lessons.notes],
    )
    return _revised(grouped, decisions, cameras, min_seconds) if decisions else grouped


def _here(card: Card, sightings: Sightings) -> tuple[Card, list[str]]:
    """The card for this run, and what the user should know of it."""
    uniform = in_uniform(card, sightings.vectors, sightings.cameras, sightings.impostors)
    if uniform or not card.people:
        card = with_own_mean(card, sightings.vectors)
    return card, [UNIFORM] if uniform else []


def _left_out(base: Association) -> list[str]:
    """What is said where too many pairs were alike to be looked at all."""
    nearest = base.merges.nearest
    if nearest is None:
        return []
    return [f"so many sightings are alike that of each only the {nearest} nearest were compared: people may be split"]


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
    place = {name: number for number, name in enumerate(cameras)}
    vectors = np.stack([t.vector for t in known if t.vector is not None]) if known else np.zeros((0, len(card.mean)))
    return Sightings(
        vectors.astype(np.float32),
        np.array([place[t.camera] for t in known], np.int64),
        apart,
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
    was: Grouped, decisions: Sequence[Decision], cameras: Mapping[str, CameraPlan], min_seconds: float
) -> Grouped:
    """The grouping after decisions: what they do not touch stays as it is."""
    parts = split_by_decisions(was.tracklets, decisions, cameras)
    rulings = resolve(decisions, [one.track for one in parts.tracklets], footage_of(cameras))
    wanted = {parts.tracklets[position].name for pair in rulings.same for position in pair}
    tellable = [t for t in parts.tracklets if t.vector is not None]
    known = in_order([t for t in tellable if _tellable(t, min_seconds) or t.name in wanted])
    row = {one.name: number for number, one in enumerate(known)}
    same, differ = (_in_rows(pairs, parts.tracklets, row) for pairs in (rulings.same, rulings.apart))
    apart = _with(_without(cannot_link(presences(known), was.lessons.limits), same), differ)
    sightings = _sightings(known, cameras, apart, was.card)
    space = make_space(sightings.vectors, sightings.cameras, was.card)
    likeness = above_even(space, was.base.curves)
    before = _before(parts, known, was)
    least = np.inf if was.base.threshold is None else was.base.threshold

    def anew(rows: Array) -> Array:
        kept, pairs = _among(rows, apart, same)
        return mend(
            before[rows], pairs, kept, lambda some: regroup(likeness, rows[some], *_among(some, kept, pairs), least)
        )

    discarded = (parts.tracklets[position].name for position in rulings.discarded)
    out = [row[name] for name in discarded if name in row]
    named = sorted({*out, *(end for pair in (*same, *differ) for end in pair)})
    # What a person decided says what likenesses mean, but moves nobody whom no decision names.
    reviewed = [(*pair, True) for pair in same] + [(*pair, False) for pair in differ]
    curves = find_curves(space, replace(sightings, reviewed=reviewed), was.card)
    return replace(
        was,
        tracklets=parts.tracklets,
        known=known,
        labels=revise(before, named, anew, nobody=out),
        space=space,
        curves=curves,
        likeness=above_even(space, curves),
        apart=apart,
        ruled={**same, **differ},
        impostors=sightings.impostors,
        halves=sightings.halves,
        reviewed=reviewed,
        notes=[*was.notes, *rulings.notes],
    )


def _in_rows(pairs: Mapping[Pair, int], parts: Sequence[Tracklet], row: Mapping[str, int]) -> dict[Pair, int]:
    """Decisions about positions as decisions about rows; what cannot be told apart takes no part."""
    names = {(parts[one].name, parts[other].name): number for (one, other), number in pairs.items()}
    found = ((sorted((row[a], row[b])), number) for (a, b), number in names.items() if a in row and b in row)
    return {(one, other): number for (one, other), number in found}


def _without(apart: Sequence[Array], pairs: Iterable[Pair]) -> list[Array]:
    """Constraints less those between rows that decisions make one person: who saw the two knows better than a clock."""
    one, other = np.array(list(pairs), np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(one)), (one, other)), shape=(len(apart), len(apart)))
    _, person = connected_components(links, directed=False)
    return [others[person[others] != person[row]] for row, others in enumerate(apart)]


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


def _before(parts: Parts, known: Sequence[Tracklet], was: Grouped) -> Array:
    """The clusters (n,) that rows had before decisions; who was not told apart then has one of its own."""
    of_whole = {one.name: int(label) for one, label in zip(was.known, was.labels, strict=True)}
    origin = {one.name: parts.tracklets[whole].name for one, whole in zip(parts.tracklets, parts.whole, strict=True)}
    fresh = itertools.count(int(was.labels.max(initial=-1)) + 1)
    found = (of_whole[origin[one.name]] if origin[one.name] in of_whole else next(fresh) for one in known)
    return np.fromiter(found, np.int64, len(known))
