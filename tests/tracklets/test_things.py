"""What never moves is no person."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.tracklets.things import SECONDS, STILL, SURE, find_things

RATE = 10


def way(seconds=10.0, *, sway=0.0, score=0.4, left=100.0, height=50.0, seed=0):
    """Times, boxes and scores of a box whose sides range over about ``sway`` heights."""
    times = np.arange(round(seconds * RATE) + 1) / RATE
    sides = np.array([left, 50, left + height / 3, 50 + height])
    moved = np.random.default_rng(seed).uniform(-sway / 2, sway / 2, (len(times), 4)) * height
    return times, (sides + moved).astype(np.float32), np.full(len(times), score, np.float32)


def things(*ways):
    return find_things(*map(list, zip(*ways, strict=True))).tolist() if ways else find_things([], [], []).tolist()


def test_what_lies_still_and_is_doubtful_is_a_thing():
    assert things(way(sway=0.02)) == [True]


def test_somebody_who_stands_sways():
    assert things(way(sway=0.1)) == [False]


def test_one_of_whom_the_detector_is_sure_may_stand_like_a_statue():
    assert things(way(score=SURE + 0.01)) == [False]


def test_a_moment_is_too_short_to_tell():
    assert things(way(seconds=SECONDS - 0.2)) == [False]


def test_for_a_moment_it_is_known_by_its_place():
    long, short, elsewhere = way(), way(seconds=0.5), way(seconds=0.5, left=300)
    assert things(long, short, elsewhere) == [True, True, False]


def test_who_passes_before_a_thing_is_no_thing():
    times, boxes, scores = way(seconds=3.0)
    passing = times, (boxes + np.linspace(-20, 20, len(times))[:, None] * [1, 0, 1, 0]).astype(np.float32), scores
    assert things(way(), passing, way(seconds=1.0, score=0.9)) == [True, False, False]


def test_nobody():
    assert things() == []


def test_a_single_box():
    assert things(way(seconds=0.0)) == [False]


@settings(deadline=None)
@given(st.floats(0.2, 8), st.floats(0, 3), st.integers(0, 100))
def test_neither_scale_nor_place_nor_order_of_time_matters(scale, sway, seed):
    times, boxes, scores = way(sway=sway * STILL, seed=seed)
    told = things((times, boxes, scores))
    moved = (boxes.astype(np.float64) * scale + 1000).astype(np.float32)
    assert things((times, moved, scores)) == told
    assert things((times, boxes[::-1], scores)) == told


@pytest.mark.parametrize("jump", [10.0, 60.0])
def test_a_few_wild_boxes_do_not_make_it_a_person(jump):
    times, boxes, scores = way()
    boxes[50:53] += jump
    assert things((times, boxes, scores)) == [True]
