"""At most so many frames a second are looked at, by true time."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from films import FILMS
from hypothesis import given
from hypothesis import strategies as st

from vidreid.footage.decode import SegmentDecoder
from vidreid.footage.segments import cut
from vidreid.footage.thinning import frame_rate, kept
from vidreid.types import VideoFile

MILLI = Fraction(1, 1000)


def video(pts, base=MILLI, stretches=(0,), key=(0,)):
    return VideoFile(
        sha256="",
        bytes=0,
        codec="h264",
        width=64,
        height=48,
        rotation=0,
        pixel_aspect=Fraction(1),
        time_base=base,
        pts=np.asarray(pts, np.int64),
        key=np.asarray(key, np.int64),
        stretches=np.asarray(stretches, np.int64),
        first=0,
    )


def even(rate, seconds=10, base=Fraction(1, 90_000), start=0):
    """Footage of a constant rate, its times rounded to ticks."""
    return video([start + round(n / rate / base) for n in range(round(rate * seconds))], base)


@pytest.mark.parametrize(
    ("footage", "base", "rate", "a_second"),
    [
        (25, Fraction(1, 90_000), 10, 10),
        (25, Fraction(1, 90_000), 5, 5),
        (30, MILLI, 10, 10),
        (Fraction(30_000, 1001), MILLI, 5, 5),
        (25, MILLI, 7.5, 7.5),
        (15, MILLI, 10, 10),
    ],
)
def test_so_many_frames_of_each_second_are_kept(footage, base, rate, a_second):
    mask = kept(even(footage, base=base), rate)
    assert mask.sum() == pytest.approx(10 * a_second, abs=1)


@pytest.mark.parametrize(("footage", "rate", "step"), [(25, 5, 5), (30, 10, 3), (20, 5, 4), (60, 10, 6)])
def test_of_whole_multiples_every_nth_is_kept_though_times_are_rounded(footage, rate, step):
    assert np.flatnonzero(kept(even(footage, base=MILLI), rate)).tolist() == list(range(0, footage * 10, step))


@pytest.mark.parametrize("rate", [25, 25.0001, 30, 1000])
def test_footage_that_is_slower_keeps_all(rate):
    assert kept(even(25, base=MILLI, start=77), rate).all()


def test_without_a_rate_all_are_kept():
    assert kept(video([0, 1, 2, 3000]), None).all()


steps = st.lists(st.integers(1, 4000), min_size=1, max_size=200)


@given(steps=steps, rate=st.floats(0.05, 100))
def test_no_more_than_the_rate_whatever_the_times(steps, rate):
    file = video(np.cumsum([0, *steps]))
    times = file.pts[kept(file, rate)] / 1000
    begins = times[:, None] <= times[None] + 1e-9
    within = (times[None] < times[:, None] + 10 / rate - 1e-9) & begins
    assert within.sum(1).max() <= 11  # ten cells, of which one is met at both of its ends


@given(steps=steps, rate=st.floats(0.05, 100))
def test_no_pause_is_longer_than_a_cell_and_the_usual_steps_of_the_footage(steps, rate):
    file = video(np.cumsum([0, *steps]))
    mask = kept(file, rate)
    assert mask[0]
    for left_out in np.flatnonzero(~mask):
        before = np.flatnonzero(mask[:left_out])[-1]
        assert (file.pts[left_out] - file.pts[before]) / 1000 < 1 / rate + 1e-6


@given(first=steps, second=steps, rate=st.floats(0.05, 100))
def test_each_stretch_is_thinned_by_itself(first, second, rate):
    both = video([*np.cumsum([0, *first]), *np.cumsum([500, *second])], stretches=(0, len(first) + 1))
    alone = [kept(video(np.cumsum([0, *part])), rate) for part in (first, second)]
    assert kept(both, rate).tolist() == np.concatenate(alone).tolist()


@given(seconds=st.floats(1, 30), rate=st.floats(0.5, 30))
def test_neighbours_keep_the_same_frames_of_their_overlap(seconds, rate):
    file = replace(even(25, seconds=60), key=np.arange(0, 1500, 25))
    mask = kept(file, rate)
    segments = cut("c0", [file], seconds=seconds, overlap=1.0)
    owned = [index for one in segments for index in range(one.own_first, one.own_stop) if mask[index]]
    assert owned == np.flatnonzero(mask).tolist()


@pytest.mark.parametrize("rate", [12.5, 25, 30])
def test_the_rate_of_footage_is_that_of_its_usual_step(rate):
    pts = even(rate).pts.copy()
    pts[50:] += 900_000  # a pause of ten seconds is no step of the recorder
    assert frame_rate(video(pts, Fraction(1, 90_000))) == pytest.approx(rate, rel=1e-3)


def test_a_single_frame_has_the_usual_rate():
    assert frame_rate(video([7])) == 25.0


@pytest.mark.parametrize("rate", [3, 7, 12.5])
def test_frames_that_are_kept_are_decoded_as_if_all_were(film, made, rate):
    path, file = made(film)
    mask = kept(file, rate)
    for segment in cut("c0", [file], seconds=0.9, overlap=0.4):
        every = {frame.index: frame.image for frame in SegmentDecoder(path, file, segment).frames()}
        decoder = SegmentDecoder(path, file, segment, looked_at=mask)
        few = {frame.index: frame.image for frame in decoder.frames()}
        assert list(few) == [index for index in every if mask[index]]
        assert all(np.array_equal(few[index], every[index]) for index in few)
        assert decoder.damage == []


def test_what_is_lost_of_few_frames_is_named_with_those_between(made):
    path, file = made(FILMS["plain mp4"])
    (segment,) = cut("c0", [file], seconds=100, overlap=1)
    decoder = SegmentDecoder(path, file, segment, looked_at=kept(file, 5))
    next(decoder.frames())
    assert [(one.first, one.stop) for one in decoder.damage] == [(5, 56)]
