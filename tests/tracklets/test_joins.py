"""Pieces of a way that are one person's, and those that may not be taken for it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.tracklets.joins import Track, interpolate, join_by_motion

RATE = 10.0


def walk(key, first, last, *, x=0.0, y=100.0, speed=0.0, height=50.0, rate=RATE):
    """A person at ``x + speed * time`` from second ``first`` to ``last``."""
    frames = np.arange(round(first * rate), round(last * rate) + 1)
    times = frames / rate
    left = x + speed * times
    boxes = np.stack([left, np.full_like(left, y), left + height / 3, np.full_like(left, y + height)], axis=1)
    return Track(key, frames, times, boxes.astype(np.float32))


def test_a_walk_on_behind_a_pole_is_one_person():
    assert join_by_motion([walk(1, 0, 3, speed=40), walk(2, 4, 8, speed=40)]) == [[1, 2]]


def test_a_chain_of_gaps_is_one_person():
    pieces = [walk(3, 0, 2, speed=20), walk(1, 3, 5, speed=20), walk(2, 6, 8, speed=20)]
    assert join_by_motion(pieces) == [[3, 1, 2]]


@pytest.mark.parametrize("rate", [5.0, 25.0])
@pytest.mark.parametrize(("gap", "groups"), [(1.9, [[1], [2]]), (2.1, [[1, 2]])])
def test_the_gap_is_measured_in_seconds(rate, gap, groups):
    assert join_by_motion([walk(1, 0, 2, rate=rate), walk(2, 4, 6, rate=rate)], gap=gap) == groups


@pytest.mark.parametrize(
    ("why", "later"),
    [
        ("too far aside", walk(2, 4, 8, x=60, speed=40)),
        ("comes the other way", walk(2, 4, 8, x=360, speed=-40)),
        ("twice as tall", walk(2, 4, 8, speed=40, height=100)),
        ("too late", walk(2, 6, 8, speed=40)),
        ("at the same time", walk(2, 3, 8, speed=40)),
    ],
)
def test_another_person_is_not_joined(why, later):
    assert join_by_motion([walk(1, 0, 3, speed=40), later]) == [[1], [2]], why


def test_two_people_who_cross_in_the_gap_keep_their_ways():
    right = walk(1, 0, 2, x=0, speed=40), walk(3, 3.5, 6, x=0, speed=40)
    left = walk(2, 0, 2, x=220, speed=-40), walk(4, 3.5, 6, x=220, speed=-40)
    assert join_by_motion([*right, *left]) == [[1, 3], [2, 4]]


def test_where_either_of_two_could_have_come_back_nobody_is_joined():
    assert join_by_motion([walk(1, 0, 3), walk(2, 4, 8, x=4), walk(3, 4, 8, x=-4)]) == [[1], [2], [3]]


def test_a_rival_that_goes_on_from_somebody_else_makes_nothing_ambiguous():
    stays, other = walk(1, 0, 3, x=0), walk(2, 0, 3, x=-10)
    moved, goes_on = walk(3, 4, 8, x=15), walk(4, 4, 8, x=-10)  # 4 is nearer to where 1 was than 3 is
    assert join_by_motion([stays, moved]) == [[1, 3]]
    assert join_by_motion([stays, other, moved, goes_on]) == [[1, 3], [2, 4]]


def test_repeated_time_stamps_are_survived():
    before, after = walk(1, 0, 3, speed=40), walk(2, 4, 8, speed=40)
    halting = Track(1, before.frames, np.maximum.accumulate(np.floor(before.times * 5) / 5), before.boxes)
    assert join_by_motion([halting, after]) == [[1, 2]]


def test_wrong_boxes_at_the_end_of_a_track_do_not_turn_its_way():
    before = walk(1, 0, 3, speed=40)
    shaken = before.boxes.copy()
    shaken[-3:] += [0, -20, 0, -20]
    assert join_by_motion([Track(1, before.frames, before.times, shaken), walk(2, 4, 8, speed=40)]) == [[1, 2]]


def test_no_tracks_no_groups():
    assert join_by_motion([]) == []


@st.composite
def many_tracks(draw):
    count = draw(st.integers(0, 8))
    tracks = []
    for key in range(count):
        first = draw(st.integers(0, 60)) / RATE
        tracks.append(
            walk(
                key,
                first,
                first + draw(st.integers(0, 30)) / RATE,
                x=draw(st.integers(-30, 30)),
                y=draw(st.sampled_from([100.0, 110.0, 160.0])),
                speed=draw(st.sampled_from([-10.0, 0.0, 10.0])),
                height=draw(st.sampled_from([45.0, 50.0, 80.0])),
            )
        )
    return tracks


@given(many_tracks())
def test_groups_are_a_partition_in_order_of_time_without_overlap(tracks):
    groups = join_by_motion(tracks)
    assert sorted(key for group in groups for key in group) == [track.key for track in tracks]
    by_key = {track.key: track for track in tracks}
    for group in groups:
        for before, after in pairwise(group):
            assert 0 < by_key[after].times[0] - by_key[before].times[-1] <= 2.0 + 1e-9


@given(many_tracks(), st.randoms())
def test_groups_do_not_depend_on_the_order_of_the_tracks(tracks, random):
    shuffled = random.sample(tracks, len(tracks))
    assert join_by_motion(shuffled) == join_by_motion(tracks)


def test_a_gap_is_filled_in_proportion_to_time():
    frames, times = np.array([2, 5]), np.array([1.0, 2.0])
    boxes = np.array([[0, 0, 10, 20], [20, 0, 30, 40]], np.float32)
    all_frames, all_times = np.arange(8), np.array([0, 0.5, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0])
    filled_frames, filled, interpolated = interpolate(frames, times, boxes, all_frames, all_times)
    assert filled_frames.tolist() == [2, 3, 4, 5]
    assert interpolated.tolist() == [False, True, True, False]
    assert filled[1].tolist() == [5, 0, 15, 25]
    assert filled[2].tolist() == [10, 0, 20, 30]


def test_a_long_gap_stays_empty():
    every, seconds = np.arange(100), np.arange(100) / RATE
    seen = np.array([0, 2, 60, 62])
    frames, _, _ = interpolate(seen, seconds[seen], np.zeros((4, 4), np.float32), every, seconds)
    assert frames.tolist() == [0, 1, 2, 60, 61, 62]


@given(st.sets(st.integers(0, 40), min_size=1), st.integers(0, 2**32 - 1))
def test_what_was_seen_stays_as_it_was(seen, seed):
    frames, all_frames = np.array(sorted(seen)), np.arange(41)
    all_times = np.cumsum(np.random.default_rng(seed).uniform(0.01, 0.5, 41))
    boxes = np.random.default_rng(seed).normal(size=(len(frames), 4)).astype(np.float32)
    filled_frames, filled, interpolated = interpolate(
        frames, all_times[frames], boxes, all_frames, all_times, gap=np.inf
    )
    assert np.array_equal(filled_frames, np.arange(frames[0], frames[-1] + 1))
    assert np.array_equal(filled_frames[~interpolated], frames)
    assert np.array_equal(filled[~interpolated], boxes)
    low, high = boxes.min(axis=0), boxes.max(axis=0)
    assert np.all((filled >= low) & (filled <= high))
