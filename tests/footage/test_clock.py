"""Times of frames, compared with an exact and slow reckoning in fractions."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_segments import cameras, video

from vidreid.footage.clock import Timeline, overlaps
from vidreid.types import Clock

EIGHT = 1_775_980_800_000_000  # 2026-04-12 08:00 UTC in microseconds
SECOND = 1_000_000


def reckoned(files, clock):
    """Microseconds of every frame since the camera's first, in fractions."""
    times = []
    end = Fraction(0)
    for file, start in zip(files, clock.starts, strict=True):
        begin = Fraction(start - clock.starts[0]) if start is not None and clock.known else end
        bounds = [*file.stretches.tolist(), len(file.pts)]
        within, previous = [], []
        for a, b in pairwise(bounds):
            ticks = [Fraction(int(t)) * file.time_base * SECOND for t in file.pts[a:b]]
            offset = within[-1] + usual_step(previous) if within else 0
            within += [tick - ticks[0] + offset for tick in ticks]
            previous = ticks
        times += [begin + time for time in within]
        end = times[-1] + usual_step(within)
    return times


def usual_step(times):
    return Fraction(median(b - a for a, b in pairwise(times))) if len(times) > 1 else Fraction(40_000)


clocks = st.builds(
    lambda starts, offset, drift: Clock(tuple(starts), offset, drift),
    st.lists(st.none() | st.integers(EIGHT, EIGHT + 3600 * SECOND), min_size=3, max_size=3),
    st.integers(-(10**9), 10**9),
    st.floats(-200, 200),
)


@given(cameras(), clocks)
def test_times_are_as_reckoned_to_the_microsecond(files, clock):
    clock = replace(clock, starts=clock.starts[: len(files)])
    timeline = Timeline(files, clock)
    frames = np.arange(sum(len(file.pts) for file in files))
    exact = reckoned(files, clock)
    assert timeline.elapsed(frames) == pytest.approx([float(time) / SECOND for time in exact], abs=3e-6)
    utc = timeline.utc(frames)
    assert timeline.known == (clock.starts[0] is not None)
    if not timeline.known:
        assert utc is None
        return
    rate = 1 + Fraction(clock.drift_ppm) / SECOND
    expected = [clock.starts[0] + clock.offset_us + time * rate for time in exact]
    assert all(abs(int(here) - there) <= 4 for here, there in zip(utc, expected, strict=True))


HALF_MINUTE = video(range(0, 30_000, 40), [0])


def test_a_known_clock_adds_its_offset_and_its_drift():
    """A clock 2 s behind that loses 100 parts in a million: 3 ms after 30 s."""
    timeline = Timeline([HALF_MINUTE], Clock((EIGHT,), 2 * SECOND, 100.0))
    first, last = timeline.utc(np.array([0, 749]))
    assert first == EIGHT + 2 * SECOND
    assert last == EIGHT + 2 * SECOND + 29_960_000 + 2_996


def test_a_gap_between_files_counts_where_their_starts_are_known():
    clock = Clock((EIGHT, EIGHT + 3600 * SECOND))
    timeline = Timeline([HALF_MINUTE, replace(HALF_MINUTE, first=750)], clock)
    assert timeline.elapsed(np.array([749, 750])).tolist() == [29.96, 3600.0]
    assert timeline.duration == pytest.approx(2 * 29.96)


def test_a_file_without_a_start_follows_on():
    timeline = Timeline([HALF_MINUTE, replace(HALF_MINUTE, first=750)], Clock((EIGHT, None)))
    assert timeline.elapsed(np.array([749, 750])).tolist() == [29.96, 30.0]


def test_an_unknown_clock_counts_from_the_first_frame():
    """Even where later files' starts are known: nobody knows how long before them the first began."""
    timeline = Timeline([HALF_MINUTE, replace(HALF_MINUTE, first=750)], Clock((None, EIGHT)))
    assert not timeline.known
    assert timeline.utc(np.array([0])) is None
    assert timeline.elapsed(np.array([750])).tolist() == [30.0]


def test_a_backward_jump_goes_on_one_frame_later():
    file = video([*range(5000, 6000, 40), *range(0, 1000, 40)], [0, 25], (0, 25))
    elapsed = Timeline([file], Clock((None,))).elapsed(np.arange(50))
    assert elapsed == pytest.approx(np.arange(50) * 0.04)


def test_files_that_start_before_the_one_before_ends_are_found():
    later = replace(HALF_MINUTE, first=750)
    assert overlaps([HALF_MINUTE, later], Clock((EIGHT, EIGHT + 20 * SECOND))) == [(1, pytest.approx(9.96))]
    for starts in [(EIGHT, EIGHT + 30 * SECOND), (EIGHT, None), (None, EIGHT), (None, None)]:
        assert overlaps([HALF_MINUTE, later], Clock(starts)) == []
