"""When a way is two people's: what they looked like before and after a contact."""

from dataclasses import dataclass

import numpy as np
import pytest

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
