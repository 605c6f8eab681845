"""Where two people could have been exchanged."""

import numpy as np
import pytest

from vidreid.tracklets.contacts import CALM, COVER, Cut, Way, find_cuts, touching

RATE = 10


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


def test_two_who_meet_have_a_cut_each_from_before_to_after():
    met = find_cuts([way((30, 0)), way((10, 100), (5, 10), (15, 100))])
    assert met == [Cut(0, 9, 15, (1,), (10,)), Cut(1, 9, 15, (0,), (10,))]


def test_the_place_is_where_the_other_was_closest():
    (first, _) = find_cuts([way((30, 0)), way((10, 100), (1, 15), (1, 12), (1, 2), (1, 9), (16, 100))])
    assert first.places == (12,)


def test_two_touches_with_little_between_them_are_one_contact():
    calm = round(CALM * RATE)
    near = [way((30, 0)), way((10, 100), (2, 5), (calm - 2, 100), (2, 5), (20, 100))]
    far = [way((30, 0)), way((10, 100), (2, 5), (calm + 1, 100), (2, 5), (20, 100))]
    assert [cut.way for cut in find_cuts(near)] == [0, 1]
    assert [cut.way for cut in find_cuts(far)] == [0, 0, 1, 1]


def test_all_who_touch_are_rivals():
    cuts = find_cuts([way((30, 0)), way((10, 100), (3, 10), (17, 100)), way((12, -100), (3, -10), (15, -100))])
    assert cuts[0] == Cut(0, 9, 15, (1, 2), (10, 12))


def test_a_contact_at_an_end_is_no_cut():
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
