"""When a way is two people's: what they looked like before and after a contact."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.identity.splitting import Look, find_exchanges, mean_look

RED, BLUE, GREEN = np.eye(3)
THRESHOLD = 0.6


@dataclass(frozen=True)
class Met:
    """A contact of way ``way`` between two frames."""

    way: int
    before: int
    after: int
    rivals: tuple[int, ...] = ()
    places: tuple[int, ...] = ()


def looks(*colours, first=0, step=10, quality=0.5):
    """Looks of five frames each, every ``step`` frames."""
    return [Look(first + i * step, first + i * step + 4, quality, colour) for i, colour in enumerate(colours)]


def test_two_who_went_on_as_each_other_are_parted_where_they_were_closest():
    ways = looks(RED, RED, BLUE, BLUE), looks(BLUE, BLUE, RED, RED)
    met = [Met(0, 15, 19, (1,), (18,)), Met(1, 15, 19, (0,), (18,))]
    assert find_exchanges(met, ways, THRESHOLD) == {0: [18], 1: [18]}


def test_two_who_passed_each_other_stay_as_they_are():
    ways = looks(RED, RED, RED, RED), looks(BLUE, BLUE, BLUE, BLUE)
    assert find_exchanges([Met(0, 15, 19, (1,), (18,)), Met(1, 15, 19, (0,), (18,))], ways, THRESHOLD) == {}


def test_two_who_look_alike_are_left_to_the_tracker():
    ways = looks(RED, RED, RED, RED), looks(RED, RED, RED, RED)
    assert find_exchanges([Met(0, 15, 19, (1,), (18,)), Met(1, 15, 19, (0,), (18,))], ways, THRESHOLD) == {}


def test_one_who_took_over_from_a_way_that_ended_is_parted():
    turned = (RED + GREEN) / 2**0.5  # alike enough, were it not for the other one
    ways = looks(RED, RED, turned, turned), looks(turned, turned)
    assert find_exchanges([Met(0, 15, 19)], ways, THRESHOLD) == {}
    assert find_exchanges([Met(0, 15, 19, (1,), (17,))], ways, THRESHOLD) == {0: [17]}


def test_after_a_gap_somebody_quite_different_is_another_one():
    assert find_exchanges([Met(0, 15, 19)], [looks(RED, RED, BLUE, BLUE)], THRESHOLD) == {0: [17]}
    assert find_exchanges([Met(0, 15, 19)], [looks(RED, RED, RED, RED)], THRESHOLD) == {}


@pytest.mark.parametrize("colours", [(RED, RED), ()])
def test_without_a_look_on_both_sides_nothing_speaks_against_the_tracker(colours):
    ways = [looks(*colours), looks(BLUE, BLUE, RED, RED)]
    assert find_exchanges([Met(0, 15, 19, (1,), (18,))], ways, THRESHOLD) == {}


def test_every_exchange_of_a_way_is_found():
    way = looks(RED, RED, BLUE, BLUE, GREEN, GREEN)
    assert find_exchanges([Met(0, 15, 19), Met(0, 35, 39)], [way], THRESHOLD) == {0: [17, 37]}


def test_between_two_looks_a_way_becomes_somebody_else_once_at_most():
    way = looks(RED, RED, BLUE, BLUE, step=20)
    contacts = [Met(0, 25, 28), Met(0, 32, 36)]
    assert [len(starts) for starts in find_exchanges(contacts, [way], THRESHOLD).values()] == [1]


def test_the_new_person_begins_within_the_contact():
    way, other = looks(RED, RED, BLUE, BLUE), looks(BLUE, BLUE, RED, RED)
    for place in (0, 10, 15, 17, 19, 30):
        (start,) = find_exchanges([Met(0, 15, 19, (1,), (place,))], [way, other], THRESHOLD)[0]
        assert 15 < start <= 19


def test_better_looks_weigh_more():
    mean = mean_look([Look(0, 1, 0.3, RED), Look(2, 3, 0.1, BLUE)])
    np.testing.assert_allclose(mean, (3 * RED + BLUE) / 10**0.5)


def test_no_looks_no_mean():
    assert mean_look([]) is None
    assert mean_look([Look(0, 1, 0.5, RED), Look(2, 3, 0.5, -RED)]) is None


def test_two_are_exchanged_at_one_moment_though_their_looks_leave_it_open():
    # The second way is out of sight for long, and may have been closest to the first one at any time of it.
    ways = looks(RED, RED, BLUE, BLUE), [*looks(BLUE, first=0), *looks(RED, RED, first=40)]
    met = [Met(0, 15, 19, (1,), (18,)), Met(1, 5, 39, (0,), (30,))]
    found = find_exchanges(met, ways, THRESHOLD)
    assert found[0] == found[1]
    assert 15 <= found[0][0] <= 20


def test_who_goes_on_in_his_own_way_has_not_gone_on_in_another_one():
    # The way turns from red to blue where it meets somebody blue, who stays as blue as he was.
    turned = (RED + BLUE) / 2**0.5
    ways = looks(RED, RED, turned, turned), looks(BLUE, BLUE, BLUE, BLUE)
    assert find_exchanges([Met(0, 15, 19, (1,), (18,))], ways, THRESHOLD) == {}


def test_the_surest_exchange_comes_first_and_what_is_known_then_counts_for_the_others():
    # Between the first two contacts is one look, blurred into both people; it belongs to one of them.
    blurred = (2 * RED + BLUE) / 5**0.5
    way, other = looks(RED, RED, blurred, BLUE, BLUE), looks(BLUE, BLUE, BLUE, RED, RED)
    contacts = [Met(0, 15, 19, (1,), (18,)), Met(0, 25, 29, (1,), (28,)), Met(1, 25, 29, (0,), (28,))]
    assert find_exchanges(contacts, [way, other], THRESHOLD) == {0: [28], 1: [28]}


def test_one_poor_look_alone_does_not_part_a_way():
    way = [*looks(RED, RED, RED), *looks(BLUE, first=30, quality=0.1)]
    assert find_exchanges([Met(0, 25, 29)], [way], THRESHOLD) == {}
    assert find_exchanges([Met(0, 25, 29, (1,), (27,))], [way, looks(BLUE, BLUE, BLUE)], THRESHOLD) == {0: [27]}


def test_a_look_across_a_break_is_of_neither_side():
    blurred = (RED + BLUE) / 2**0.5
    way = looks(RED, RED, blurred, BLUE, BLUE)
    assert find_exchanges([Met(0, 21, 22)], [way], THRESHOLD) == {0: [22]}


@st.composite
def meetings(draw):
    """Ways of a few colours, and contacts among them in any order."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 4))
    ways = [looks(*np.eye(3)[random.integers(0, 3, random.integers(0, 7))]) for _ in range(count)]
    contacts = []
    for _ in range(draw(st.integers(0, 8))):
        before, way = int(random.integers(0, 60)), int(random.integers(count))
        after = before + int(random.integers(1, 15))
        rivals = tuple(i for i in range(count) if i != way and random.random() < 0.5)
        contacts.append(Met(way, before, after, rivals, tuple(int(random.integers(before, after)) for _ in rivals)))
    return contacts, ways


@settings(deadline=None, max_examples=200)
@given(meetings())
def test_between_two_looks_a_way_is_parted_once_at_most_and_only_where_looks_are_on_both_sides(problem):
    contacts, ways = problem
    found = find_exchanges(contacts, ways, THRESHOLD)
    for way, starts in found.items():
        assert starts == sorted(set(starts))
        for first, stop in itertools.pairwise([-1, *starts, 10**6]):
            assert any(look.last >= first and look.first < stop for look in ways[way])


@settings(deadline=None)
@given(meetings())
def test_one_colour_is_one_person(problem):
    contacts, ways = problem
    same = [[Look(look.first, look.last, look.quality, RED) for look in way] for way in ways]
    assert find_exchanges(contacts, same, THRESHOLD) == {}
