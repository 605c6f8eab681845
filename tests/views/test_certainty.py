"""How sure, in words: never more than was measured."""

import re

from hypothesis import given
from hypothesis import strategies as st

from vidreid.pipeline.calibrated import Chance
from vidreid.views.certainty import above_even, expected_people, likely, percent, rate, share

chances = st.lists(st.floats(0, 1), min_size=3, max_size=3).map(
    lambda ends: Chance(*(sorted(ends)[i] for i in (1, 0, 2)))
)


@given(chances)
def test_nothing_is_certain(chance):
    text = percent(chance)
    assert not re.search(r"(?<![\d.<>] )(?<![\d.])(0|100)(\.0)? %", text)
    assert "> 100" not in text
    assert "< 0 " not in text


@given(chances)
def test_a_bound_is_one_that_the_interval_supports(chance):
    sign, number = re.match(r"([<>]?) ?([\d.]+)", percent(chance)).groups()
    if sign == ">":
        assert float(number) / 100 <= chance.low + 1e-9
    elif sign == "<":
        assert float(number) / 100 >= min(chance.high, 1) - 1e-9
    else:
        assert abs(float(number) / 100 - chance.value) <= 0.005


@given(st.floats(0, 1))
def test_a_share_without_interval_stops_short_of_certainty(value):
    assert share(value) == "> 99.9 %" if value > 0.999 else share(value) != "100 %"
    assert share(value) == "< 0.1 %" if value < 0.001 else share(value) != "0 %"


def test_words_follow_the_end_of_the_interval_that_is_nearer_to_a_toss():
    assert likely(Chance(0.999, 0.995, 0.9999)) == "very likely"
    assert likely(Chance(0.999, 0.93, 0.9999)) == "likely"
    assert likely(Chance(0.999, 0.4, 1.0)) == "unsure"
    assert likely(Chance(0.001, 0.0, 0.2)) == "unlikely"


def test_people_expected_to_be_wrong_are_counted():
    expected = {"mixed": Chance(0.2, 0.1, 0.4), "split": Chance(19.8, 10, 30)}
    assert expected_people(expected) == "expected: under 1 mixed, 20 split"


@given(st.floats(-10, 10))
def test_a_likeness_is_told_from_even_odds(likeness):
    words = above_even(likeness)
    if words != "at even odds":
        number, side = words.split()[:2]
        assert float(number) > 0
        assert abs(float(number) * {"above": 1, "below": -1}[side] - likeness) <= 0.051
    else:
        assert abs(likeness) < 0.05


def test_nothing_seen_in_n_is_under_3_in_n():
    assert rate(Chance(0.0, 0.0, 3 / 3000)) == "under 0.001"
    assert rate(Chance(2e-4, 1e-4, 4e-4)) == "0.0002 (0.0001 to 0.0004)"
