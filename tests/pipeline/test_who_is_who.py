"""Sightings become people, and decisions change those whom they touch, and nobody else."""

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sightings import World, camera, people, shift

from vidreid.footage.cameras import Site
from vidreid.store.journal import KINDS

FAR = Site(travel=(("a", "b", 3600.0),))


def test_who_looks_alike_in_three_cameras_is_one_person():
    world = World(*map(camera, "abc"))
    shift(world, 200.0)
    found = people(world.group())
    for one, other in combinations(found, 2):
        assert (found[one] == found[other]) == (world.person[one] == world.person[other])


def test_nobody_is_faster_than_stated():
    world = World(*map(camera, "ab"))
    shift(world, 200.0, visits=("a", "b"))
    found = people(world.group(site=FAR))
    assert len(set(found.values())) == len(found)


def test_a_person_knows_better_than_what_is_stated_of_ways():
    world = World(*map(camera, "ab"))
    one, other, _ = world.add(1, "a", 0, 20), world.add(1, "b", 60, 80), world.add(2, "b", 200, 220)
    found = people(world.group(world.say(1, "same", one, other), site=FAR))
    assert found[one] == found[other]


def test_people_who_become_one_keep_all_their_sightings():
    world = World(*map(camera, "abc"))
    shift(world, 200.0, count=10)
    before = world.group()
    grouped = world.group(world.say(1, "same", "a/000001", "b/000002"))
    old, new = people(before), people(grouped)
    both = {name for name, who in old.items() if who in (old["a/000001"], old["b/000002"])}
    assert {name for name, who in new.items() if who == new["a/000001"]} >= {"a/000001", "b/000002"}
    # They are side by side in every camera: no more than the two that were named can be one.
    assert {name for name, who in new.items() if who == new["a/000001"]} <= both
    assert {name: new[name] for name in new if name not in both} == {n: old[n] for n in old if n not in both}


def test_who_is_discarded_is_nobody_and_the_others_are_who_they_were():
    world = World(*map(camera, "abc"))
    shift(world, 200.0, count=4)
    before, after = people(world.group()), people(world.group(world.say(1, "discard", "a/000001")))
    assert after == {name: who for name, who in before.items() if name != "a/000001"}


@st.composite
def crowds(draw):
    """People who come and go at random in three cameras, a way between two of them, and decisions."""
    seed, count = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, 25))
    rng = np.random.default_rng(seed)
    world = World(*map(camera, "abc"), seed=seed, alike=draw(st.sampled_from([0.0, 0.9])))
    for _ in range(count):
        start = rng.uniform(0, 500)
        world.add(int(rng.integers(5)), "abc"[rng.integers(3)], start, start + rng.uniform(2, 120))
    names = st.sampled_from(sorted(world.person))
    said = (
        draw(
            st.lists(
                st.tuples(st.sampled_from(KINDS[:3]), st.lists(names, min_size=2, max_size=2, unique=True)), max_size=5
            )
        )
        if count > 1
        else []
    )
    decisions = [
        world.say(number, kind, *(found[:1] if kind == "discard" else found))
        for number, (kind, found) in enumerate(said, start=1)
    ]
    return world, decisions, Site(travel=(("a", "b", draw(st.sampled_from([0.0, 60.0]))),))


def joined(grouped):
    """The sightings that decisions make one person with each: themselves, where no decision does."""
    row = {one.name: {number} for number, one in enumerate(grouped.known)}
    for a, b in (pair for pair in grouped.ruled if grouped.labels[pair[0]] == grouped.labels[pair[1]]):
        both = next(rows for rows in row.values() if a in rows) | next(rows for rows in row.values() if b in rows)
        row = {name: both if rows & both else rows for name, rows in row.items()}
    return row


@settings(max_examples=60)
@given(crowds())
def test_nobody_is_in_two_places_at_once(crowd):
    """In one camera never; between cameras with a least time never, unless a person said so."""
    world, decisions, site = crowd
    grouped = world.group(*decisions, site=site)
    found, by_name, said = people(grouped), {one.name: one for one in world.tracklets}, joined(grouped)
    for one, other in combinations(found, 2):
        a, b = by_name[one], by_name[other]
        gap = max(a.start, b.start) - min(a.end, b.end)
        if found[one] == found[other] and a.camera == b.camera:
            assert gap > 0
        elif found[one] == found[other] and {a.camera, b.camera} == {"a", "b"} and said[one] != said[other]:
            assert gap > 0
            assert gap >= site.travel[0][2] * 1e6


@settings(max_examples=60)
@given(crowds())
def test_decisions_change_nobody_whom_they_do_not_touch(crowd):
    world, decisions, site = crowd
    before, grouped = people(world.group(site=site)), world.group(*decisions, site=site)
    after = people(grouped)
    named = {grouped.known[row].name for pair in grouped.ruled for row in pair} | (set(before) - set(after))
    touched = {before[name] for name in named}
    for name, who in before.items():
        if who not in touched:
            assert after[name] == who
    assert not {after[name] for name in after if before[name] in touched} & (set(before.values()) - touched)
