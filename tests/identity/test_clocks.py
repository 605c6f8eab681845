"""A clock that is wrong by an hour is found where people show it; a right clock is never doubted."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from walks import walk

from vidreid.identity.clocks import PEOPLE, Offset
from vidreid.identity.encounters import Encounters
from vidreid.identity.travel import learn

SITE = {("a", "b"): 30, ("b", "c"): 90, ("a", "c"): 110}
NEAR = {("a", "b"): 20}
HOUR = 3600
SEEDS = st.integers(0, 2**32 - 1)


def offsets(found, overlaps=()):
    return learn(found.encounters(), {}, overlaps).offsets


@settings(max_examples=60)
@given(
    SEEDS,
    st.sampled_from([SITE, NEAR, {("a", "b"): 1200}, {("a", "b"): HOUR}, {("a", "b"): 0.0}]),
    st.sampled_from([10, 30, 80]),
    st.sampled_from([0.1, 2.0, 8.0]),
    st.sampled_from([2, 6, 20, 60]),
    st.sampled_from([1, 7]),
    st.sampled_from([0.0, 0.02, 0.3]),
    st.booleans(),
)
def test_a_right_clock_is_never_doubted(seed, ways, people, hours, visits, group, mistaken, together):
    assume(visits <= 60 * hours)  # nobody is about more than once a minute
    shared = set(ways) if together else ()
    crowd = {"people": people, "hours": hours, "visits": visits, "group": group}
    assert not offsets(walk(seed, ways=ways, mistaken=mistaken, shared=shared, **crowd))


def test_people_who_come_and_go_by_the_same_schedule_prove_nothing():
    """Eight lectures of 55 minutes: everybody comes within three minutes before, and leaves within one after."""
    rng = np.random.default_rng(0)
    begins = np.repeat(np.arange(8) * 5400.0, 30)
    came, left = begins - rng.uniform(0, 180, 240), begins + 3300 + rng.uniform(0, 60, 240)
    spans = [np.stack([times, times + 5], 1) for times in (came, left)]
    rows = np.arange(480).reshape(2, 240).T
    lessons = learn([Encounters(("in", "out"), rows, np.arange(240), *spans)], {}, ())
    assert not lessons.offsets


@pytest.mark.parametrize("ahead", [HOUR, -HOUR, 2 * HOUR, 86_400])
@pytest.mark.parametrize("seed", range(4))
def test_a_clock_that_is_wrong_by_an_hour_is_found_by_people_in_both_views(seed, ahead):
    found = walk(seed, ways=NEAR, people=25, visits=3, shared=NEAR, ahead={"b": ahead})
    [offset] = offsets(found, overlaps=[("a", "b")])
    assert offset.cameras == ("a", "b")
    assert offset.seconds == pytest.approx(ahead, abs=20)
    assert PEOPLE * 2 / 3 <= offset.agree <= offset.people <= 25


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_found_by_people_who_walk_from_view_to_view(seed, ahead):
    [offset] = offsets(walk(seed, ways=NEAR, people=40, hours=6.0, ahead={"b": ahead}))
    assert offset.seconds == pytest.approx(ahead, abs=offset.spread + 20)


@pytest.mark.parametrize("ahead", [HOUR, -HOUR, 420])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_found_by_people_who_come_by_all_day_since_they_are_never_in_both_places_at_once(seed, ahead):
    found = walk(seed, ways=NEAR, people=40, hours=0.5, visits=160, mistaken=0.001, ahead={"b": ahead})
    [offset] = offsets(found)
    assert offset.seconds == pytest.approx(ahead, abs=5)
    assert not learn(found.encounters(), {}, ()).overlaps


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_people_who_come_by_all_day_do_not_make_a_right_clock_doubtful(seed, together):
    """With a common view there are gaps beside it: who is in both views now is in neither a moment later."""
    shared = NEAR if together else ()
    assert not offsets(walk(seed, ways=NEAR, people=40, hours=0.5, visits=160, mistaken=0.001, shared=shared))


def test_one_wrong_clock_among_three_is_wrong_against_both_others():
    found = walk(0, ways=SITE, people=80, hours=8.0, visits=8, ahead={"c": HOUR})
    assert [offset.cameras for offset in offsets(found)] == [("a", "c"), ("b", "c")]


def test_no_limit_is_used_where_a_clock_seems_wrong_and_that_is_said():
    found = walk(1, ways=NEAR, people=40, hours=6.0, ahead={"b": -HOUR}).encounters()
    lessons = learn(found, {("a", "b"): 20.0}, ())
    assert lessons.limits == {}
    [note] = lessons.notes
    assert note.startswith("a seems to be 1:0")
    assert note.endswith("; no limit between them is used")


def test_few_people_are_no_evidence():
    assert not offsets(walk(0, ways=NEAR, people=PEOPLE - 1, shared=NEAR, ahead={"b": HOUR}))


def test_footage_that_was_taken_an_hour_later_is_no_wrong_clock():
    """A minute of each camera: everybody is an hour apart, and would be with right clocks, too."""
    rng = np.random.default_rng(0)
    spans = [np.stack([times, times + 5], 1) for times in (rng.uniform(0, 60, 40), HOUR + rng.uniform(0, 60, 40))]
    rows = np.arange(80).reshape(2, 40).T
    assert not learn([Encounters(("a", "b"), rows, np.arange(40), *spans)], {}, ()).offsets


def test_the_line_names_the_clock_that_is_ahead():
    line = "c3 seems to be 1:00:00 ahead of c1, give or take 3 s and the way between them (17 of 19 people agree)"
    assert Offset(("c1", "c3"), 3600.2, 3.0, 17, 19).line() == line
    assert Offset(("c3", "c1"), -3600.2, 3.0, 17, 19).line() == line
