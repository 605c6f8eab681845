"""Segments divide a camera's frames among themselves, whatever the files look like."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidreid.footage.segments import cut
from vidreid.types import VideoFile

MILLI = Fraction(1, 1000)


def video(pts, key, stretches=(0,), first=0):
    arrays = [np.array(values, np.int64) for values in (pts, key, stretches)]
    return VideoFile("", 0, "h264", 64, 48, 0, Fraction(1), MILLI, *arrays, first)


@st.composite
def cameras(draw):
    """Files with stretches of rising times, uneven steps and gaps, and key frames anywhere."""
    files = []
    first = 0
    for _ in range(draw(st.integers(1, 3))):
        pts, stretches = [], []
        for _ in range(draw(st.integers(1, 3))):
            stretches.append(len(pts))
            steps = draw(st.lists(st.sampled_from([1, 40, 40, 40, 400, 9000]), min_size=0, max_size=40))
            pts += np.cumsum([draw(st.integers(0, 100)), *steps]).tolist()
        key = draw(st.lists(st.integers(0, len(pts) - 1), unique=True, max_size=12).map(sorted))
        files.append(video(pts, key, stretches, first))
        first += len(pts)
    return files


# Between whole milliseconds, so that no bound falls on a frame.
LENGTHS = tuple(st.integers(10, most).map(lambda milli: (milli + 0.25) / 1000) for most in (20_000, 6_000))


def stretch_of(file, segment):
    """Frame indices [begin, end) of the stretch in which a segment starts."""
    bounds = [*(file.stretches + file.first).tolist(), file.first + len(file.pts)]
    return next((begin, end) for begin, end in pairwise(bounds) if begin <= segment.first < end)


@given(cameras(), *LENGTHS)
def test_every_frame_is_owned_by_exactly_one_segment(files, seconds, overlap):
    segments = cut("c", files, seconds=seconds, overlap=overlap)
    owned = [index for segment in segments for index in range(segment.own_first, segment.own_stop)]
    assert owned == list(range(sum(len(file.pts) for file in files)))
    assert [segment.number for segment in segments] == list(range(len(segments)))
    assert all(s.first <= s.own_first < s.own_stop <= s.stop for s in segments)


@given(cameras(), *LENGTHS)
def test_a_segment_starts_at_a_key_frame_and_stays_in_its_stretch(files, seconds, overlap):
    for segment in cut("c", files, seconds=seconds, overlap=overlap):
        file = files[segment.file]
        begin, end = stretch_of(file, segment)
        assert segment.first == begin or segment.first - file.first in file.key
        assert segment.stop <= end


@given(cameras(), *LENGTHS)
def test_neighbours_overlap_and_meet_in_the_middle_of_it(files, seconds, overlap):
    for earlier, later in pairwise(cut("c", files, seconds=seconds, overlap=overlap)):
        file = files[later.file]
        if earlier.file != later.file or stretch_of(file, earlier) != stretch_of(file, later):
            assert earlier.stop == later.first == later.own_first
            continue

        def time(index, file=file):
            return float(file.pts[index - file.first] * file.time_base)

        start = time(later.first)
        within = [i for i in range(later.first, stretch_of(file, later)[1]) if time(i) - start < overlap]
        assert list(range(later.first, earlier.stop)) == within
        half = [i for i in within if time(i) - start < overlap / 2]
        assert earlier.own_stop == later.own_first == later.first + len(half)
        assert start - time(earlier.first) >= seconds


def test_a_segment_is_as_long_as_asked_for_and_ends_at_the_next_key_frame():
    """25 frames a second, a key frame every second: segments of 2.5 s start every 3 s and read a second more."""
    file = video(range(0, 10_000, 40), range(0, 250, 25))
    segments = cut("c0", [file], seconds=2.5, overlap=1.0)
    assert [(s.first, s.stop) for s in segments] == [(0, 100), (75, 175), (150, 250)]
    assert [(s.own_first, s.own_stop) for s in segments] == [(0, 88), (88, 163), (163, 250)]
    assert [segment.name for segment in segments] == ["00000", "00001", "00002"]


def test_no_segment_is_shorter_than_its_overlap():
    """The last key frames come too late for a segment of their own."""
    file = video(range(0, 10_000, 40), range(0, 250, 25))
    assert [s.first for s in cut("c0", [file], seconds=1, overlap=8.5)] == [0]


def test_without_key_frames_a_stretch_is_one_segment():
    file = video([*range(0, 4000, 40), *range(0, 4000, 40)], [], (0, 100))
    assert [(s.first, s.stop) for s in cut("c0", [file], seconds=1, overlap=0.5)] == [(0, 100), (100, 200)]
