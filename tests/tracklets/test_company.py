"""Who was seen side by side: against the definition, pair by pair."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.tracklets import company as room
from vidreid.tracklets.company import APART, TOGETHER, surely_two

RATE = 4  # frames a second


def elapsed(frames):
    return frames / RATE


@st.composite
def ways(draw):
    """Up to seven who walk along a line of boxes for some frames, now and then unseen."""
    found = []
    for _ in range(draw(st.integers(0, 7))):
        first, length = draw(st.integers(0, 12)), draw(st.integers(1, 10))
        frames = np.arange(first, first + length)
        seen = np.array(draw(st.lists(st.booleans(), min_size=length, max_size=length)))
        frames = frames[seen] if seen.any() else frames[:1]
        left = draw(st.integers(0, 40)) + draw(st.integers(-2, 2)) * frames
        found.append((frames, np.stack([left, 0 * left, left + 10, 0 * left + 20], axis=1).astype(np.float32)))
    return found


def overlap(one, other):
    """Intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0) * max(height, 0)
    return common / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)) - common)


def side_by_side(one, other):
    boxes, others = (dict(zip(frames.tolist(), rows, strict=True)) for frames, rows in (one, other))
    common = sorted(boxes.keys() & others.keys())
    if not common or (common[-1] - common[0]) / RATE < TOGETHER:
        return False
    return all(overlap(boxes[frame], others[frame]) < APART for frame in common)


@given(ways())
def test_those_in_common_for_long_and_never_close_are_surely_two(found):
    wanted = [(i, j) for i, j in combinations(range(len(found)), 2) if side_by_side(found[i], found[j])]
    assert surely_two(found, elapsed).tolist() == [list(pair) for pair in wanted]


@given(ways(), st.integers(0, 3))
def test_no_more_pairs_than_are_of_use(found, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "MOST", most)
        some = surely_two(found, elapsed).tolist()
    whole = surely_two(found, elapsed).tolist()
    assert len(some) == min(most, len(whole))
    assert all(pair in whole for pair in some)


def at(frames, left):
    return np.array(frames), np.array([[left, 0, left + 10, 20]] * len(frames), np.float32)


@pytest.mark.parametrize(
    ("frames", "left", "surely"),
    [
        ([0, 4], 50, True),  # a second, from the first common frame to the last
        ([0, 3], 50, False),
        ([0, 4], 9, True),  # IoU 1 / 19
        ([0, 4], 8, False),  # IoU 2 / 18: one person boxed twice may be that far apart
        ([1, 2], 50, False),
        ([7, 20], 50, False),
    ],
)
def test_a_second_in_common_and_apart_throughout(frames, left, surely):
    assert surely_two([at(range(6), 0), at(frames, left)], elapsed).tolist() == ([[0, 1]] if surely else [])
