"""What is learned of a site from sure matches: never from little, never more than was seen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from walks import walk

from vidreid.identity.constraints import cannot_link
from vidreid.identity.travel import PEOPLE, WALKS, learn

SITE = {("a", "b"): 30, ("b", "c"): 90, ("a", "c"): 110}
SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=40)
@given(SEEDS, st.sampled_from([20, 80, 200]), st.sampled_from([1, 5]), st.sampled_from([0.0, 0.02, 0.2]))
def test_what_is_learned_never_forbids_what_people_can_do(seed, people, group, mistaken):
    lessons = learn(walk(seed, ways=SITE, people=people, group=group, mistaken=mistaken).encounters(), {}, ())
    assert not lessons.overlaps
    assert all(seconds <= SITE[pair] for pair, seconds in lessons.limits.items())


@settings(max_examples=20)
@given(SEEDS)
def test_no_confident_pair_is_forbidden_by_what_was_learned(seed):
    found = walk(seed, ways=SITE, people=150)
    encounters = found.encounters()
    apart = cannot_link(found.presences, learn(encounters, {}, ()).limits)
    assert all(j not in apart[i] for one in encounters for i, j in one.rows.tolist())


@pytest.mark.parametrize("seed", range(3))
def test_many_walks_teach_a_limit_and_say_how_sure_it_is(seed):
    lessons = learn(walk(seed, ways=SITE, people=200, mistaken=0.0).encounters(), {}, ())
    assert lessons.limits.keys() == SITE.keys()
    assert all(0.4 * SITE[pair] < seconds <= SITE[pair] for pair, seconds in lessons.limits.items())
    for travel in lessons.travels:
        assert travel.walks >= WALKS
        assert (1 - travel.faster) ** travel.walks == pytest.approx(0.05)
        assert any(f"the fastest of {travel.walks} walks took {travel.fastest:.0f} s" in note for note in lessons.notes)


def test_few_walks_are_reported_and_not_used():
    lessons = learn(walk(1, ways=SITE, people=10, mistaken=0.0).encounters(), {}, ())
    assert lessons.travels
    assert not any(travel.enough for travel in lessons.travels)
    assert (lessons.limits, lessons.notes) == ({}, [])


def test_people_who_keep_together_prove_no_more_than_one_of_them():
    lessons = learn(walk(0, ways=SITE, people=60, group=60, visits=10, mistaken=0.0).encounters(), {}, ())
    assert all(travel.walks < WALKS for travel in lessons.travels)


@settings(max_examples=30)
@given(SEEDS)
def test_views_that_people_share_are_found_and_no_others(seed):
    lessons = learn(walk(seed, ways=SITE, people=60, shared={("a", "b")}).encounters(), {}, ())
    assert [overlap.cameras for overlap in lessons.overlaps] == [("a", "b")]
    assert ("a", "b") not in lessons.limits
    assert any(note.startswith("a and b seem to share a view: ") for note in lessons.notes)


def test_a_few_people_in_both_views_prove_nothing_and_forbid_nothing():
    lessons = learn(walk(0, ways={("a", "b"): 30}, people=PEOPLE - 1, shared={("a", "b")}).encounters(), {}, ())
    assert (lessons.overlaps, lessons.limits) == ([], {})


def test_what_the_user_states_holds_and_nothing_is_learned_in_its_place():
    found = walk(0, ways=SITE, people=200, mistaken=0.0, shared={("a", "b")}).encounters()
    lessons = learn(found, {("b", "c"): 12.0}, {("a", "b")})
    assert lessons.limits[("b", "c")] == 12.0
    assert not lessons.overlaps
    assert {travel.cameras for travel in lessons.travels} == {("a", "c")}


def test_a_stated_limit_that_people_seem_to_break_is_kept_and_named():
    lessons = learn(walk(0, ways=SITE, people=60).encounters(), {("a", "b"): 60.0}, ())
    assert lessons.limits[("a", "b")] == 60.0
    [note] = [note for note in lessons.notes if note.startswith("a and b: ")]
    assert "seem to be faster than the 60 s stated in the cameras file" in note


@pytest.mark.parametrize("presences", [{"people": 0}, {"people": 30, "unknown": ("a", "b", "c")}])
def test_without_people_or_clocks_nothing_is_said(presences):
    lessons = learn(walk(0, ways=SITE, **presences).encounters(), {}, ())
    assert (lessons.limits, lessons.overlaps, lessons.travels, lessons.offsets, lessons.notes) == ({}, [], [], [], [])


def test_an_unknown_clock_leaves_the_other_cameras_as_they_are():
    lessons = learn(walk(0, ways=SITE, people=200, mistaken=0.0, unknown=("c",)).encounters(), {}, ())
    assert lessons.limits.keys() == {("a", "b")}
