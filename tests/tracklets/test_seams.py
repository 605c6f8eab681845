"""Tracks of two segments that saw the same frames."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.tracklets.seams import OverlapRows, iou, join_seam

BOXES = st.lists(st.tuples(*[st.integers(0, 10)] * 2, *[st.integers(1, 6)] * 2), min_size=1, max_size=5)


def corners(drawn):
    return np.array([(x, y, x + w, y + h) for x, y, w, h in drawn], np.float32)


def mask(box):
    canvas = np.zeros((20, 20), bool)
    x1, y1, x2, y2 = box.astype(int)
    canvas[y1:y2, x1:x2] = True
    return canvas


@settings(deadline=None)
@given(BOXES, BOXES)
def test_iou_is_counted_in_pixels(first, second):
    a, b = corners(first), corners(second)
    wanted = [[(mask(x) & mask(y)).sum() / (mask(x) | mask(y)).sum() for y in b] for x in a]
    np.testing.assert_allclose(iou(a, b), wanted, rtol=1e-6)


def rows(tracks):
    """What one segment has of an overlap: {track: {frame: box}}."""
    flat = [(frame, track, *box) for track, boxes in tracks.items() for frame, box in boxes.items()]
    table = np.array(flat, float).reshape(-1, 6)
    return OverlapRows(table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2:].astype(np.float32))


@settings(deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 8),
    st.integers(2, 25),
    st.floats(0, 0.04),
    st.floats(0, 0.5),
)
def test_people_are_joined_as_they_walked(seed, people, frames, jitter, missed):
    """Both trackers see everybody, each with errors of its own, misses of its own and numbers of its own."""
    rng = np.random.default_rng(seed)
    start = np.column_stack([rng.uniform(0, 600, people), 45.0 * np.arange(people)])
    speed = rng.uniform(-4, 4, (people, 2)) * [1, 0.1]

    def segment():
        numbers = rng.permutation(100)[:people].tolist()
        tracks = {}
        for who, number in enumerate(numbers):
            kept = rng.random(frames) >= missed
            kept[0] = True  # at least one frame in common
            places = start[who] + speed[who] * np.arange(frames)[:, None]
            boxes = (
                np.concatenate([places, places + np.array([20, 60])], 1) + jitter * rng.uniform(-1, 1, (frames, 4)) * 20
            )
            tracks[number] = {i: boxes[i] for i in range(frames) if kept[i]}
        return numbers, rows(tracks)

    (before, first), (after, second) = segment(), segment()
    assert sorted(join_seam(first, second)) == sorted(zip(before, after, strict=True))


LEFT, RIGHT = (0, 0, 10, 30), (100, 0, 110, 30)


def test_who_comes_or_goes_at_the_seam_is_joined_to_nobody():
    before = rows({1: {0: LEFT, 1: LEFT}, 2: {0: RIGHT}})
    after = rows({7: {1: LEFT}, 8: {1: RIGHT}})
    assert join_seam(before, after) == [(1, 7)]


def test_of_two_the_one_goes_on_that_agrees_over_more_of_the_box():
    before = rows({1: {0: (0, 0, 10, 30)}})
    after = rows({5: {0: (2, 0, 12, 30)}, 6: {0: (1, 0, 11, 30)}})
    assert join_seam(before, after) == [(1, 6)]


def test_the_joins_are_the_best_altogether():
    # By itself 1 would choose 5, but then nobody would be left for 2.
    before = rows({1: {0: (0, 0, 10, 30)}, 2: {0: (3, 0, 13, 30)}})
    after = rows({5: {0: (1, 0, 11, 30)}, 6: {0: (-2, 0, 8, 30)}})
    assert sorted(join_seam(before, after)) == [(1, 6), (2, 5)]


def test_half_of_each_is_not_enough():
    assert join_seam(rows({1: {0: (0, 0, 10, 30)}}), rows({5: {0: (5, 0, 15, 30)}})) == []


@pytest.mark.parametrize("nobody", [{}, {1: {}}])
def test_an_empty_side_joins_nothing(nobody):
    assert join_seam(rows(nobody), rows({5: {0: LEFT}})) == []
    assert join_seam(rows({5: {0: LEFT}}), rows(nobody)) == []
