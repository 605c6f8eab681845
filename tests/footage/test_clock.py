"""Times of frames, compared with an exact and slow reckoning in fractions."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_segments import cameras, video

from vidreid.errors import InputError
from vidreid.footage.clock import Timeline, agreement, check_readings, overlaps
from vidreid.types import Camera, Clock, Reading

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


# Readings of stamps


HOUR_US = 3600 * SECOND
HOUR = video(range(0, 3_600_000, 1000), [0])


def in_a_row(count, film=HOUR):
    return [replace(film, first=number * len(film.pts)) for number in range(count)]


def line_through(points, drift_ppm):
    """Least squares in fractions: (place, shows, rate) of the line over elapsed microseconds."""
    count = len(points)
    x, y = (Fraction(sum(values), count) for values in zip(*points, strict=True))
    rate = 1 + Fraction(drift_ppm) / SECOND
    if max(points)[0] - min(points)[0] >= 60 * SECOND:
        rate = sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)
    return x, y, rate


stamps = st.builds(
    lambda places, errors: tuple(
        Reading(place // 3600, float(place % 3600), EIGHT + place * SECOND + error)
        for place, error in zip(places, errors, strict=False)
    ),
    st.lists(st.integers(0, 3 * 3600 - 1), min_size=1, max_size=6, unique=True),
    st.lists(st.integers(-SECOND, SECOND), min_size=6, max_size=6),
)


@given(stamps, st.floats(-200, 200), st.integers(-(10**9), 10**9))
def test_readings_set_the_clock_by_least_squares(readings, drift, offset):
    """Whatever the files' starts claim; here the recorder is an hour and more behind."""
    clock = Clock((EIGHT - 5 * HOUR_US, None, None), offset, drift, readings)
    timeline = Timeline(in_a_row(3), clock)
    points = [(one.file * HOUR_US + round(one.seconds * SECOND), one.shows_us) for one in readings]
    x, y, rate = line_through(points, drift)
    frames = np.arange(0, 3 * 3600, 97)
    expected = [y + (int(frame) * SECOND - x) * rate + offset for frame in frames]
    assert all(abs(int(a) - b) <= 4 for a, b in zip(timeline.utc(frames), expected, strict=True))


@given(
    st.integers(0, 3 * 3600 - 1),
    st.integers(EIGHT - 10**12, EIGHT + 10**12),
    st.floats(-200, 200),
    st.sampled_from([(EIGHT, None, None), (None, None, None), (None, EIGHT, None)]),
)
def test_one_reading_is_met_exactly(place, shows, drift, starts):
    clock = Clock(starts, 0, drift, (Reading(place // 3600, float(place % 3600), shows),))
    assert Timeline(in_a_row(3), clock).utc(np.array([place])) == [shows]


@given(cameras(), st.data())
def test_time_never_goes_back_however_the_readings_err(files, data):
    """Files without starts follow on; a stamp is misread by up to a second."""
    every = np.arange(sum(len(file.pts) for file in files))
    line = Timeline(files, Clock((None,) * len(files))).elapsed(every)
    ends = [file.first + len(file.pts) - 1 for file in files]
    count = data.draw(st.integers(1, 4))
    readings = []
    for _ in range(count):
        number = data.draw(st.integers(0, len(files) - 1))
        seconds = data.draw(st.floats(0, max(0.0, float(line[ends[number]] - line[files[number].first]))))
        wrong = data.draw(st.integers(-SECOND, SECOND))
        place = round((float(line[files[number].first]) + seconds) * SECOND)
        readings.append(Reading(number, seconds, EIGHT + place + wrong))
    utc = Timeline(files, Clock((None,) * len(files), readings=tuple(readings))).utc(every)
    assert (np.diff(utc) >= 0).all()


def test_two_readings_give_the_drift():
    """The recorder loses 3.6 s in an hour: 1000 parts in a million."""
    readings = (Reading(0, 0.0, EIGHT), Reading(1, 0.0, EIGHT + 3_603_600_000))
    timeline = Timeline(in_a_row(2), Clock((None, None), readings=readings))
    assert timeline.utc(np.array([0, 1800, 3600])).tolist() == [one.shows_us for one in (readings[0],)] + [
        EIGHT + 1_801_800_000,
        EIGHT + 3_603_600_000,
    ]
    found = agreement(in_a_row(2), Clock((None, None), readings=readings))
    assert (found.drift_ppm, found.unsure_ppm) == (pytest.approx(1000.0), pytest.approx(1e6 / 3600))
    assert found.misses == (0.0, 0.0)


def test_two_readings_in_one_place_are_no_drift():
    """Ten seconds apart, one of them a second off: that would be a day's drift of more than two hours."""
    clock = Clock((None,), readings=(Reading(0, 10.0, EIGHT), Reading(0, 20.0, EIGHT + 11 * SECOND)))
    utc = Timeline([HOUR], clock).utc(np.array([10, 20, 3599]))
    assert np.diff(utc).tolist() == [10 * SECOND, 3579 * SECOND]
    assert utc[0] == EIGHT + SECOND // 2
    assert agreement([HOUR], clock).drift_ppm is None


def test_readings_keep_the_gaps_that_files_starts_tell_of():
    """Two hours between the files; the recorder is ten minutes ahead, and one reading says so for both."""
    clock = Clock((EIGHT, EIGHT + 3 * HOUR_US), readings=(Reading(1, 60.0, EIGHT + 3 * HOUR_US - 540 * SECOND),))
    timeline = Timeline(in_a_row(2), clock)
    assert timeline.elapsed(np.array([3600])) == [3 * 3600.0]
    assert timeline.utc(np.array([0, 3600])).tolist() == [EIGHT - 600 * SECOND, EIGHT + 3 * HOUR_US - 600 * SECOND]


def test_a_reading_much_later_than_its_place_says_that_footage_is_missing_before_its_file():
    """Three clips without starts, the last of them half an hour later than it would follow on."""
    readings = (Reading(0, 30.0, EIGHT), Reading(2, 30.0, EIGHT + 2 * HOUR_US + 1800 * SECOND))
    clock = Clock((None, None, None), readings=readings)
    timeline = Timeline(in_a_row(3), clock)
    assert timeline.elapsed(np.array([3600, 7200])).tolist() == [3600.0, 7200.0 + 1800.0]
    assert timeline.utc(np.array([30, 7230])).tolist() == [one.shows_us for one in readings]
    assert timeline.duration == pytest.approx(3 * 3600 - 1, abs=3)
    assert agreement(in_a_row(3), clock).drift_ppm == pytest.approx(0)


def test_without_a_first_start_the_next_one_says_when_the_first_file_began():
    clock = Clock((None, EIGHT), readings=(Reading(1, 0.0, EIGHT),))
    assert Timeline(in_a_row(2), clock).utc(np.array([0, 3600])).tolist() == [EIGHT - HOUR_US, EIGHT]


def camera(clock, count=1):
    return Camera("c3", tuple(Path(f"{number}.mp4") for number in range(count)), clock)


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        ((Reading(0, 3602.0, EIGHT),), "c3: a reading at 01:00:02 is outside of 0.mp4, which lasts 00:59:59"),
        ((Reading(0, 0.0, EIGHT), Reading(0, 1800.0, EIGHT)), "by them a second of footage is 0.00 seconds"),
        ((Reading(0, 0.0, EIGHT), Reading(0, 1800.0, EIGHT - HOUR_US)), "c3: its readings cannot all be right"),
        ((Reading(0, 0.0, EIGHT), Reading(0, 600.0, EIGHT + HOUR_US)), "a second of footage is 6.00 seconds"),
    ],
)
def test_readings_that_cannot_be_right_are_refused(readings, said):
    with pytest.raises(InputError, match=said) as caught:
        check_readings(camera(Clock((None,), readings=readings)), [HOUR])
    assert caught.value.hint


def test_readings_within_the_footage_pass():
    check_readings(camera(Clock((EIGHT,))), [HOUR])
    check_readings(
        camera(Clock((None,), readings=(Reading(0, 0.0, EIGHT), Reading(0, 3600.0, EIGHT + HOUR_US)))), [HOUR]
    )
