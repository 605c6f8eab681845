"""Tiles for small people, and one set of boxes of what several views saw."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.detection.tiles import OVERLAP, SAME, merge, overlap, tiles
from vidreid.types import Detections

LENGTHS = st.integers(1, 3000)


@settings(deadline=None)
@given(LENGTHS, LENGTHS, st.integers(64, 1000))
def test_the_whole_frame_comes_first_then_tiles_that_cover_it(width, height, side):
    whole, *rest = tiles(width, height, side)
    assert whole == (0, 0, width, height)
    assert bool(rest) == (max(width, height) > side)
    if rest:
        seen = np.zeros((height, width), bool)
        for x1, y1, x2, y2 in rest:
            assert (x2 - x1, y2 - y1) == (min(side, width), min(side, height))
            assert 0 <= x1 < x2 <= width
            assert 0 <= y1 < y2 <= height
            seen[y1:y2, x1:x2] = True
        assert seen.all()


@settings(deadline=None)
@given(st.integers(200, 3000), st.integers(200, 3000), st.integers(64, 1000), st.floats(0, 1), st.floats(0, 1))
def test_a_person_of_a_fifth_of_a_tile_is_whole_in_one(width, height, side, x, y):
    size = min(int(OVERLAP * side) - 1, width, height)
    left, top = int(x * (width - size)), int(y * (height - size))
    assert any(
        x1 <= left and y1 <= top and left + size <= x2 and top + size <= y2
        for x1, y1, x2, y2 in tiles(width, height, side)
    )


def test_no_tiles_where_none_are_wanted():
    assert tiles(4000, 3000, 0) == [(0, 0, 4000, 3000)]


@st.composite
def views(draw):
    """What several views saw, on a grid, so that equal boxes and equal scores happen."""
    grid = st.integers(0, 6)
    box = st.tuples(grid, grid, st.integers(1, 4), st.integers(1, 4)).map(
        lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
    )
    return [
        Detections(
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(draw(st.lists(st.integers(1, 5), min_size=len(boxes), max_size=len(boxes))), np.float32) / 8,
        )
        for boxes in draw(st.lists(st.lists(box, max_size=5), min_size=1, max_size=4))
    ]


def covered(a, b):
    """The share of the smaller box that lies in the other, pixel by pixel."""
    first, second = np.zeros((12, 12), bool), np.zeros((12, 12), bool)
    for canvas, (x1, y1, x2, y2) in ((first, map(int, a)), (second, map(int, b))):
        canvas[y1:y2, x1:x2] = True
    return (first & second).sum() / min(first.sum(), second.sum())


@settings(deadline=None)
@given(views())
def test_each_person_is_kept_once_with_the_best_score(seen):
    rows = [(score, *box) for view in seen for box, score in zip(view.boxes, view.scores, strict=True)]
    kept = []
    for row in sorted(rows, key=lambda row: -row[0]):  # sorted() keeps equal scores in order
        if all(covered(row[1:], other[1:]) < SAME for other in kept):
            kept.append(row)
    merged = merge(seen)
    np.testing.assert_array_equal(merged.scores, np.array([row[0] for row in kept], np.float32))
    np.testing.assert_array_equal(merged.boxes, np.array([row[1:] for row in kept], np.float32).reshape(-1, 4))


@pytest.mark.parametrize(
    ("other", "share"), [([0, 0, 4, 4], 1), ([2, 0, 6, 4], 0.5), ([1, 1, 2, 2], 1), ([4, 0, 8, 4], 0)]
)
def test_overlap_is_a_share_of_the_smaller_box(other, share):
    assert overlap(np.array([0.0, 0, 4, 4]), np.array([other], float)) == [share]
