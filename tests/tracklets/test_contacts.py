"""Where two people could have been exchanged."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.tracklets.contacts import BREAK, COVER, SPAN, Cut, Way, find_cuts, misses, touching

RATE = 10


@pytest.fixture
def steady(monkeypatch):
    """The people of a test may jump from place to place; that is no break of motion there."""
    monkeypatch.setattr("vidreid.tracklets.contacts.BREAK", np.inf)


def way(*pieces, frames=None):
    """A person at ``x`` for each of the given frames: (count, x), ... from frame 0 on."""
    x = np.concatenate([np.broadcast_to(np.asarray(place, float), count) for count, place in pieces])
    frames = np.arange(len(x)) if frames is None else np.asarray(frames)
    return Way(frames, frames / RATE, np.stack([x, 0 * x, x + 20, 0 * x + 60], 1).astype(np.float32))


@pytest.mark.parametrize(
    ("step", "touch"), [(20 * (1 - COVER) - 0.5, True), (20 * (1 - COVER) + 0.5, False), (40, False)]
)
def test_people_touch_where_a_share_of_the_smaller_is_covered(step, touch):
    boxes = np.array([[0, 0, 20, 60], [step, 0, step + 20, 60]], np.float32)
    np.testing.assert_array_equal(touching(boxes), [[False, touch], [touch, False]])


def test_nobody_touches_himself():
    assert not touching(np.array([[0, 0, 20, 60]], np.float32)).any()
    assert touching(np.zeros((0, 4), np.float32)).shape == (0, 0)


def test_two_who_meet_have_a_cut_each_from_before_to_after(steady):
    met = find_cuts([way((30, 0)), way((10, 100), (5, 10), (15, 100))])
    assert met == [Cut(0, 9, 15, (1,), (10,)), Cut(1, 9, 15, (0,), (10,))]


def test_the_place_is_where_the_other_was_closest(steady):
    (first, _) = find_cuts([way((30, 0)), way((10, 100), (1, 15), (1, 12), (1, 2), (1, 9), (16, 100))])
    assert first.places == (12,)


def test_touches_with_no_calm_box_between_them_are_one_contact(steady):
    together = [way((30, 0)), way((10, 100), (2, 5), (2, 7), (20, 100))]
    apart = [way((30, 0)), way((10, 100), (2, 5), (1, 100), (2, 5), (20, 100))]
    assert [cut.way for cut in find_cuts(together)] == [0, 1]
    assert [cut.way for cut in find_cuts(apart)] == [0, 0, 1, 1]


def test_all_who_touch_are_rivals(steady):
    cuts = find_cuts([way((30, 0)), way((10, 100), (3, 10), (17, 100)), way((12, -100), (3, -10), (15, -100))])
    assert cuts[0] == Cut(0, 9, 15, (1, 2), (10, 12))


def test_a_contact_at_an_end_is_no_cut(steady):
    begins = way((5, 10), (25, 100))
    ends = way((25, 200), (5, 10))
    assert [cut.way for cut in find_cuts([way((30, 0)), begins, ends])] == []
    assert [cut.way for cut in find_cuts([way((40, 0), frames=range(-5, 35)), begins])] == [0]


def test_a_gap_is_a_cut_without_rivals():
    assert find_cuts([way((20, 0), frames=[*range(10), *range(14, 24)])]) == [Cut(0, 9, 14, (), ())]
    assert find_cuts([way((20, 0), frames=[*range(10), *range(12, 22)])]) == []


def test_frames_that_only_one_of_them_has_do_not_count():
    assert find_cuts([way((10, 0)), way((10, 0), frames=range(20, 30))]) == []


def test_nobody():
    assert find_cuts([]) == []


def test_a_break_of_motion_is_a_cut_without_rivals():
    assert find_cuts([way((20, 0), (20, 30))]) == [Cut(0, 19, 20, (), ())]


@pytest.mark.parametrize("speed", [0.0, 3.0, -12.0])
def test_steady_motion_has_no_break(speed):
    walker = way((60, 0))
    walker.boxes[:, [0, 2]] += (speed * walker.times)[:, None].astype(np.float32)
    np.testing.assert_allclose(misses(walker), 0, atol=1e-5)
    assert find_cuts([walker]) == []


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_a_miss_is_that_of_the_two_lines_of_least_squares(seed, count):
    random = np.random.default_rng(seed)
    times = np.cumsum(random.uniform(0.05, 0.15, count))
    boxes = np.cumsum(random.normal(0, 2, (count, 4)), axis=0) + np.array([0, 0, 20, 60])
    walker = Way(np.arange(count), times, boxes.astype(np.float32))
    np.testing.assert_allclose(misses(walker), slow_misses(walker), atol=1e-4)


def slow_misses(walker):
    """Polynomials of degree 1 through the boxes before and after each border."""
    times, boxes = walker.times, walker.boxes.astype(float)
    values = np.stack([boxes[:, [0, 2]].mean(1), boxes[:, [1, 3]].mean(1), boxes[:, 3] - boxes[:, 1]])
    found = np.zeros(max(len(times) - 1, 0))
    count = max(3, round(SPAN / np.median(np.diff(times)))) if len(found) else 0
    for place in range(count, len(times) - count + 1) if len(found) else ():
        border = (times[place - 1] + times[place]) / 2
        sides = slice(place - count, place), slice(place, place + count)
        ends = [np.polynomial.Polynomial.fit(times[side], row[side], 1)(border) for side in sides for row in values]
        height = np.sqrt(abs(values[2, sides[0]].mean() * values[2, sides[1]].mean()))
        found[place - 1] = np.hypot.reduce(np.subtract(ends[3:], ends[:3])) / height
    return found


def test_only_the_worst_place_of_a_break_is_one():
    assert (misses(way((20, 0), (20, 90))) >= BREAK).sum() > 1
    assert len(find_cuts([way((20, 0), (20, 90))])) == 1
