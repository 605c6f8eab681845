"""Local time: what clocks show when they are put forward and back, and how a moment is said."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.errors import InputError
from vidreid.footage.zones import (
    at,
    instant,
    instants,
    microseconds,
    said,
    said_span,
    seconds_of,
    since_start,
    zone_named,
)

BERLIN = zone_named("Europe/Berlin")
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"]
utc_times = st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


def hours(*texts):
    return tuple(datetime.fromisoformat(text) for text in texts)


def test_a_usual_time_is_one_moment():
    assert instants(datetime(2026, 4, 12, 10, 13, 5), BERLIN) == hours("2026-04-12T08:13:05Z")


def test_a_time_that_clocks_are_put_forward_over_is_none():
    assert instants(datetime(2026, 3, 29, 2, 30), BERLIN) == ()
    with pytest.raises(InputError, match="2026-03-29 02:30:00 does not exist in Europe/Berlin") as caught:
        instant(datetime(2026, 3, 29, 2, 30), BERLIN)
    assert "offset" in caught.value.hint


def test_a_time_that_clocks_show_twice_is_two_moments_and_the_order_tells_which():
    early, late = hours("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z")
    shown = datetime(2026, 10, 25, 2, 30)
    assert instants(shown, BERLIN) == (early, late)
    assert instant(shown, BERLIN) == early
    assert instant(shown, BERLIN, early - timedelta(seconds=1)) == early
    assert instant(shown, BERLIN, early) == late
    assert instant(shown, BERLIN, late + timedelta(days=1)) == late


def test_a_time_that_states_its_zone_is_what_it_says():
    assert instants(datetime.fromisoformat("2026-10-25T02:30:00+01:00"), zone_named("Asia/Kolkata")) == hours(
        "2026-10-25T01:30:00Z"
    )


def test_the_first_and_last_day_that_there_is_are_no_fault():
    assert instants(datetime.min, zone_named("Asia/Kolkata")) == ()
    assert instants(datetime.max, zone_named("America/New_York")) == ()


@given(utc_times, st.sampled_from(ZONES))
def test_every_moment_is_among_those_at_which_its_local_time_is_shown(moment, name):
    zone = zone_named(name)
    shown = moment.astimezone(zone).replace(tzinfo=None, fold=0)
    found = instants(shown, zone)
    assert moment in found
    assert list(found) == sorted(set(found))
    assert all(one.astimezone(zone).replace(tzinfo=None) == shown for one in found)


@given(utc_times, st.sampled_from(ZONES))
def test_microseconds_and_moments_are_the_same(moment, name):
    assert at(microseconds(moment), zone_named(name)) == moment
    assert microseconds(moment.astimezone(zone_named(name))) == microseconds(moment)


@given(utc_times, st.integers(0, 200_000), st.sampled_from(ZONES))
def test_what_is_said_names_the_moment_without_doubt(moment, seconds, name):
    moment = moment.replace(microsecond=0).astimezone(zone_named(name))
    day, clock, zone, *_ = said(moment).split()
    assert datetime.fromisoformat(f"{day}T{clock}{zone.replace('UTC', '+00:00')}") == moment
    assert said(moment).endswith((" UTC", " UTC)"))
    span = said_span(moment, moment + timedelta(seconds=seconds))
    assert span.startswith(f"{day} {clock} ")
    assert " to " in span


def test_a_stretch_over_the_change_of_clocks_shows_both_offsets():
    start = datetime(2026, 10, 25, 0, 59, 50, tzinfo=UTC).astimezone(BERLIN)
    end = datetime(2026, 10, 25, 1, 0, 10, tzinfo=UTC).astimezone(BERLIN)
    assert said_span(start, end) == "2026-10-25 02:59:50 +02:00 to 02:00:10 +01:00 (00:59:50 to 01:00:10 UTC)"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("Europe/Berln", "Europe/Berlin"), ("Berlin", "Europe/Berlin"), ("zzz", "Europe/Berlin"), ("../Berlin", "Berlin")],
)
def test_an_unknown_zone_is_named_with_the_nearest(name, hint):
    with pytest.raises(InputError, match="no time zone") as caught:
        zone_named(name)
    assert hint in caught.value.hint


@given(st.integers(0, 10**6))
def test_a_players_time_is_read_as_it_is_written(seconds):
    assert seconds_of(since_start(seconds)[1:]) == seconds


@pytest.mark.parametrize("text", ["", "noon", "1:2:3:4", "00:61", "-1", "1e3", "00:00:60", "nan", "٣", "1:"])
def test_what_no_player_shows_is_refused(text):
    with pytest.raises(ValueError, match="no time of a player"):
        seconds_of(text)
