"""Times as people type them about a run: local, with a zone, of every day, or since the first frame."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.errors import InputError
from vidreid.footage.zones import zone_named
from vidreid.pipeline.moments import bound, is_within, localised, meant

BERLIN = zone_named("Europe/Berlin")
FIRST, LAST = datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2026, 10, 25, 4, tzinfo=UTC)


def seen(start, seconds=10):
    begin = datetime.fromisoformat(start)
    end = begin + timedelta(seconds=seconds)
    return {"camera": "c0", "start": begin, "end": end, "start_s": 5.0, "end_s": 5.0 + seconds}


def test_a_time_without_a_zone_is_local():
    assert bound(datetime(2026, 4, 12, 10), BERLIN) == datetime(2026, 4, 12, 8, tzinfo=UTC)
    assert bound(datetime(2026, 4, 12, 10, tzinfo=UTC), BERLIN) == datetime(2026, 4, 12, 10, tzinfo=UTC)
    assert (bound(5.0, BERLIN), bound(None, BERLIN)) == (5.0, None)


def test_between_two_times_of_the_hour_that_clocks_show_twice_lies_all_of_it():
    from_, to = datetime(2026, 10, 25, 2, 10), datetime(2026, 10, 25, 2, 50)
    assert bound(from_, BERLIN) == datetime(2026, 10, 25, 0, 10, tzinfo=UTC)
    assert bound(to, BERLIN, upper=True) == datetime(2026, 10, 25, 1, 50, tzinfo=UTC)


@pytest.mark.parametrize("upper", [True, False])
def test_a_bound_that_clocks_never_show_is_refused(upper):
    with pytest.raises(InputError, match="does not exist"):
        bound(datetime(2026, 3, 29, 2, 30), BERLIN, upper=upper)


@pytest.mark.parametrize(
    ("after", "before", "inside"),
    [
        (datetime(2026, 4, 12, 10, 0, 5), None, True),
        (datetime(2026, 4, 12, 10, 0, 11), None, False),
        (None, datetime(2026, 4, 12, 10, 0, 1), True),
        (None, datetime(2026, 4, 12, 10), False),
        (time(10), time(10, 0, 5), True),
        (time(8), time(8, 0, 5), False),
        (time(8, tzinfo=UTC), time(8, 0, 5, tzinfo=UTC), True),
        (datetime(2026, 4, 12, 10, tzinfo=UTC), None, False),
        (4.0, 6.0, True),
        (16.0, None, False),
    ],
)
def test_a_sighting_is_within_local_times(after, before, inside):
    row = seen("2026-04-12T08:00:00+00:00")
    assert is_within(row, after, before, BERLIN) is inside


def test_a_clock_that_is_unknown_has_no_local_time():
    row = {**seen("2026-04-12T08:00:00+00:00"), "start": None, "end": None}
    with pytest.raises(InputError, match="c0: its clock is unknown"):
        is_within(row, time(8), None, BERLIN)
    assert is_within(row, 4.0, None, BERLIN)
    assert localised(row, BERLIN)["start"] is None


def test_a_time_of_day_is_meant_of_every_day_and_of_both_hours_that_clocks_show_twice():
    assert meant(time(23), FIRST, LAST, BERLIN) == [
        datetime(2026, 10, 24, 21, tzinfo=UTC),
        datetime(2026, 10, 25, 22, tzinfo=UTC),
    ]
    assert meant(time(2, 30), FIRST, LAST, BERLIN) == [
        datetime(2026, 10, 24, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    ]
    assert meant(time(2, 30, tzinfo=UTC), FIRST, LAST, BERLIN)[1] == datetime(2026, 10, 25, 2, 30, tzinfo=UTC)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_what_is_shown_of_a_sighting_finds_it_again(moment, name):
    """Typed as date and time, and as time of day."""
    zone = zone_named(name)
    row = localised(seen(moment.isoformat()), zone)
    shown = row["start"].replace(tzinfo=None, fold=0)
    assert is_within(row, shown, None, zone)
    assert moment in meant(shown, moment, moment, zone)
    assert moment in meant(shown.time(), moment, moment, zone)
