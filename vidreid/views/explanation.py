"""Why two sightings are one person or two, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from vidreid.footage.zones import said_span, since_start
from vidreid.pipeline.cases import Barrier, Case, Link, Neighbour, PairCase, PersonCase, Sighting, SightingCase
from vidreid.pipeline.links import LOOKS, camera_of
from vidreid.views.certainty import EVEN, LEAD, above_even, likely, percent

MOST = 8  # lines of one kind


def lines(case: Case, run: str) -> list[str]:
    """The explanation, for a terminal; ``run`` is the folder as commands name it."""
    match case:
        case PairCase():
            found = _pair(case, run)
        case SightingCase():
            found = _one(case, run)
        case PersonCase():
            found = _person(case)
    return [*found, EVEN, LEAD]


def verdict(case: PairCase) -> str:
    """What was decided about two sightings, in a line."""
    first, second = case.first, case.second
    if case.same:
        return f"{first.tracklet} and {second.tracklet} are taken for one person, {first.identity}"
    if case.same is None:
        nobody = " and ".join(each.tracklet for each in (first, second) if each.identity is None)
        return f"{first.tracklet} and {second.tracklet}: undecided, for {nobody} is nobody in particular"
    people = f"{first.identity} and {second.identity}"
    return f"{first.tracklet} and {second.tracklet} are taken for two people, {people}"


def seen(sighting: Sighting) -> str:
    """When a sighting was seen, how tall it is, and what weakens it."""
    remarks = [remark for remark in sighting.remarks if " px tall" not in remark]
    weak = next((remark for remark in sighting.remarks if " px tall" in remark), f"{sighting.height:.0f} px tall")
    return ", ".join([when(sighting.start, sighting.end, sighting.start_s, sighting.end_s), weak, *remarks])


def when(start: datetime | None, end: datetime | None, start_s: float, end_s: float) -> str:
    """From when to when, with UTC beside, or since the camera's start where its clock is unknown."""
    if start is None or end is None:
        return f"{since_start(start_s)} to {since_start(end_s)}"
    return said_span(start, end)


def looks(link: Link) -> str:
    """How alike a pair is, and what that is worth."""
    return f"{above_even(link.likeness)}, {percent(link.chance)} one person by looks: {likely(link.chance)}"


def together_from(threshold: float | None) -> str:
    """What was put together in a run."""
    if threshold is None:
        return "nobody was put together in this run: no pair is sure enough"
    return f"put together in this run: groups whose mean likeness is {above_even(threshold)} or more"


def means(case: PairCase) -> Iterator[str]:
    """The mean likeness of each sighting to the other's person."""
    sides = ((case.first, case.second), (case.second, case.first))
    for (one, other), mean in zip(sides, case.to_other, strict=True):
        if mean is not None and other.identity:
            whom = f"the others of {other.identity}" if case.same else other.identity
            yield f"{one.tracklet} to {whom}: {above_even(mean)}"


def stands_between(barrier: Barrier) -> str:
    """Why two sightings cannot be one person."""
    pair = f"{barrier.first} and {barrier.second}"
    if barrier.start_s is None or barrier.end_s is None:
        return f"{pair}: {barrier.reason}"
    seconds = when(barrier.start, barrier.end, barrier.start_s, barrier.end_s)
    return f"{pair} are together in {camera_of(barrier.first)}, {seconds}"


def to_change(case: PairCase, run: str) -> str:
    """What would have to be otherwise for the opposite verdict."""
    pair = f"{case.first.tracklet} {case.second.tracklet}"
    if case.same:
        by_looks = any(link.reason == LOOKS for link in case.chain)
        fewer = f"fewer wrong pairs allowed (vidreid match {run} --wrong-pairs SHARE), or " if by_looks else ""
        return f"{fewer}your decision: vidreid decide {run} --different {pair}"
    if case.barriers:
        return _without(case.barriers[0], run)
    mean = min((value for value in case.to_other if value is not None), default=-1.0)
    more = f"more wrong pairs allowed (vidreid match {run} --wrong-pairs SHARE), or " if mean > 0 else ""
    return f"{more}your decision: vidreid decide {run} --same {pair}"


def _without(barrier: Barrier, run: str) -> str:
    """What would take a barrier away."""
    if barrier.start_s is not None:
        return f"one of these sightings holds two people: vidreid decide {run} --split {barrier.first} TIME"
    if barrier.reason.startswith("decision"):
        return f"your {barrier.reason} taken back: vidreid decide {run} --undo {barrier.reason.split()[-1]}"
    return "other clocks, or another travel time in the cameras file"


def _pair(case: PairCase, run: str) -> Iterator[str]:
    yield verdict(case)
    yield from _table("", [(sighting.tracklet, seen(sighting)) for sighting in (case.first, case.second)])
    yield f"likeness: {looks(case.link) if case.link else 'unknown, for one of them has no picture'}"
    yield together_from(case.threshold)
    yield from (f"mean likeness of {line}" for line in means(case))
    yield from _links("held together by:", case.chain)
    yield from _table("cannot be one person:", [(stands_between(barrier), "") for barrier in case.barriers])
    yield f"what would change it: {to_change(case, run)}"


def _one(case: SightingCase, run: str) -> Iterator[str]:
    who = f"is taken for {case.sighting.identity}" if case.sighting.identity else "is nobody in particular"
    yield f"{case.sighting.tracklet} {who}"
    yield f"seen: {seen(case.sighting)}"
    if case.sighting.quality is not None:
        yield f"best picture: frame {case.sighting.best}, quality {case.sighting.quality:.2f} of 1"
    yield together_from(case.threshold)
    if case.sighting.identity and not case.held:
        yield f"{case.sighting.identity} was seen only this once"
    if case.likeness is not None:
        yield f"mean likeness to the others of {case.sighting.identity}: {above_even(case.likeness)}"
    yield from _links("held there by:", case.held)
    if case.nearest:
        yield from _neighbours("nearest other person:", [case.nearest])
        yield f"more: vidreid explain {run} {case.sighting.tracklet} {case.nearest.link.second}"


def _person(case: PersonCase) -> Iterator[str]:
    count = len(case.sightings)
    cameras = len({sighting.camera for sighting in case.sightings})
    yield f"{case.identity}: {_count(count, 'sighting')} in {_count(cameras, 'camera')}"
    yield from _table("", [(sighting.tracklet, seen(sighting)) for sighting in case.sightings], most=count)
    yield together_from(case.threshold)
    if case.links:
        weakest = case.links[0]
        yield f"weakest link: {weakest.first} and {weakest.second}, {_worth(weakest)}"
        yield from _links("held together by (weakest first):", case.links)
    yield from _neighbours("kept out:" if case.neighbours else "nobody else to compare with", case.neighbours)


def _links(title: str, links: Sequence[Link]) -> Iterator[str]:
    yield from _table(title, [(f"{link.first} and {link.second}", _worth(link)) for link in links]) if links else ()


def _worth(link: Link) -> str:
    return looks(link) if link.reason == LOOKS else f"{looks(link)}; {link.reason}"


def _neighbours(title: str, neighbours: Iterable[Neighbour]) -> Iterator[str]:
    yield title
    for near in neighbours:
        yield f"  {near.identity}, mean likeness {above_even(near.likeness)}"
        yield f"    likest pair: {near.link.first} and {near.link.second}, {looks(near.link)}"
        yield from (f"    {stands_between(barrier)}" for barrier in near.barriers[:1])
        if not near.barriers:
            yield "    kept apart by looks alone"


def _table(title: str, rows: Sequence[tuple[str, str]], most: int = MOST) -> Iterator[str]:
    if not rows:
        return
    if title:
        yield title
    width = max(len(name) for name, _ in rows[:most]) + 2
    yield from (f"  {name:<{width}}{text}".rstrip() for name, text in rows[:most])
    if len(rows) > most:
        yield f"  and {len(rows) - most} more (--json lists all)"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
