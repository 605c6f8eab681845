"""Two tracks on one person."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.tracklets.assemble import Assembled, Piece
from vidreid.tracklets.contacts import Way
from vidreid.tracklets.duplicates import beyond, doubles, find_duplicates


def walk(count=100, *, first=0, speed=3.0, left=0.0, sides=(0, 0, 1, 1), jitter=0.0, seed=0):
    """A box of 30 x 90 that walks to the right; ``sides`` are the part of it that is boxed."""
    frames = np.arange(first, first + count)
    x = left + speed * frames
    whole = np.stack([x + 30 * sides[0], 90 * sides[1] + 0 * x, x + 30 * sides[2], 90 * sides[3] + 0 * x], 1)
    noise = np.random.default_rng(seed).normal(0, jitter * 90, (count, 4))
    return Way(frames, frames / 10, (whole + noise).astype(np.float32))


@pytest.mark.parametrize("sides", [(0, 0, 1, 1), (0, 0, 1, 0.6), (0.1, 0.1, 0.9, 0.9)])
def test_a_part_or_a_second_box_of_somebody_is_a_duplicate(sides):
    second = walk(30, first=20, sides=sides, jitter=0.01)
    assert find_duplicates([second, walk(jitter=0.01, seed=1)]) == {0: 1}


def test_one_who_walks_behind_another_is_not():
    assert find_duplicates([walk(), walk(60, left=-20, first=10)]) == {}


def test_one_who_overtakes_another_in_front_of_him_is_not():
    # Inside the other's box for as long as both are seen, at another pace.
    assert find_duplicates([walk(), walk(12, left=20, first=10, speed=2.0, sides=(0.1, 0, 0.9, 1))]) == {}


def test_one_who_is_mostly_seen_without_the_other_is_not():
    assert find_duplicates([walk(40), walk(90, first=30)]) == {}


def test_three_boxes_on_one_person_leave_the_longest():
    assert find_duplicates([walk(20, first=5), walk(), walk(50, first=5)]) == {0: 1, 2: 1}


def test_who_is_never_there_together_is_no_duplicate():
    assert not doubles(walk(10), walk(20, first=10))
    assert find_duplicates([]) == {}


WAYS = st.lists(
    st.builds(
        walk,
        st.integers(1, 30),
        first=st.integers(0, 20),
        left=st.sampled_from([0.0, 2.0, 40.0]),
        sides=st.sampled_from([(0, 0, 1, 1), (0, 0, 1, 0.5)]),
        jitter=st.sampled_from([0.0, 0.02]),
        seed=st.integers(0, 9),
    ),
    max_size=6,
)


@settings(deadline=None)
@given(WAYS)
def test_the_one_that_is_kept_is_no_shorter_and_doubles_nobody(ways):
    found = find_duplicates(ways)
    for way, longer in found.items():
        assert longer not in found
        assert len(ways[longer].frames) >= len(ways[way].frames)
        assert doubles(ways[way], ways[longer])


def whole(way, segment=0):
    frames = way.frames
    piece = Piece(segment, 1, int(frames[0]), int(frames[-1]))
    return Assembled((piece,), frames, way.boxes, np.ones(len(frames), np.float32))


@settings(deadline=None)
@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 30), st.integers(1, 30))
def test_what_is_left_of_a_duplicate_is_all_that_the_other_has_not_around(first, count, other_first, other_count):
    duplicate, longer = whole(walk(count, first=first)), whole(walk(other_count, first=other_first))
    rest = beyond(duplicate, longer)
    left = sorted(set(duplicate.frames.tolist()) - set(longer.frames.tolist()))
    assert [frame for part in rest for frame in part.frames.tolist()] == left
    for part in rest:
        assert (part.pieces[0].first, part.pieces[-1].last) == (part.frames[0], part.frames[-1])
