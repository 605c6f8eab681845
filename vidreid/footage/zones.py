"""Local time: when the clocks of a place show a time, and how a moment is said to its people."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from datetime import UTC, datetime, timedelta, tzinfo

from vidreid.errors import InputError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = "%Y-%m-%d %H:%M:%S"


def zone_named(name: str) -> tzinfo:
    """A time zone of the IANA data base; `InputError` names the nearest where there is none of that name."""
    if name == "UTC":
        return UTC  # needs no data base
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = sorted(zoneinfo.available_timezones())
        cities = {zone.rpartition("/")[2]: zone for zone in known}
        near = [*difflib.get_close_matches(name, known, n=2), *difflib.get_close_matches(name, cities, n=1)]
        hint = f"did you mean {cities.get(near[0], near[0])}?" if near else "name it as Europe/Berlin"
        raise InputError(f"no time zone {name!r}", hint) from None


def instants(time: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """When clocks of a zone show ``time``, in UTC: none where they are put forward over it, two where they show it
    again after they were put back. A time with a zone of its own is one moment."""
    if time.tzinfo is not None:
        return (time.astimezone(UTC),)
    try:
        found = {time.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
        return tuple(sorted(one for one in found if one.astimezone(zone).replace(tzinfo=None) == time))
    except OverflowError:  # the first or last day that there is
        return ()


def instant(time: datetime, zone: tzinfo, after: datetime | None = None) -> datetime:
    """The moment in UTC that is meant by ``time``: of two the first that comes ``after`` a moment, where one does.

    `InputError` where clocks of the zone never show this time.
    """
    found = instants(time, zone)
    if not found:
        raise InputError(
            f"{time:{DAY}} does not exist in {zone}: clocks were put forward over it",
            f"look again, or write it with its offset from UTC: {time:%Y-%m-%dT%H:%M:%S}Z",
        )
    return next((one for one in found if after is None or one > after), found[-1])


def microseconds(time: datetime) -> int:
    """Of a time with its zone, since 1970 in UTC."""
    return (time - EPOCH) // timedelta(microseconds=1)


def at(utc_us: int, zone: tzinfo = UTC) -> datetime:
    """The time in a zone at UTC microseconds."""
    return (EPOCH + timedelta(microseconds=utc_us)).astimezone(zone)


def is_utc(time: datetime) -> bool:
    """Whether a time is said in UTC; `pyarrow` gives such times zones of several kinds."""
    return time.tzname() == "UTC"


def offset(time: datetime) -> str:
    """How far a time's zone is from UTC: ``+02:00``."""
    return time.isoformat()[-6:]


def said(time: datetime) -> str:
    """A moment in its own zone, UTC beside it.

    >>> said(datetime(2026, 4, 12, 8, 13, 5, tzinfo=UTC).astimezone(zone_named("Europe/Berlin")))
    '2026-04-12 10:13:05 +02:00 (08:13:05 UTC)'
    >>> said(datetime(2026, 4, 12, 8, 13, 5, tzinfo=UTC))
    '2026-04-12 08:13:05 UTC'
    """
    if is_utc(time):
        return f"{time:{DAY}} UTC"
    utc = time.astimezone(UTC)
    return f"{time:{DAY}} {offset(time)} ({_clock(utc, time)} UTC)"


def said_span(start: datetime, end: datetime) -> str:
    """From one moment to another of the same zone, UTC beside it.

    >>> start = datetime(2026, 4, 12, 23, 13, 5, tzinfo=UTC)
    >>> said_span(start, start + timedelta(seconds=9))
    '2026-04-12 23:13:05 to 23:13:14 UTC'
    >>> zone = zone_named("Europe/Berlin")
    >>> said_span(start.astimezone(zone), (start + timedelta(seconds=9)).astimezone(zone))
    '2026-04-13 01:13:05 to 01:13:14 +02:00 (2026-04-12 23:13:05 to 23:13:14 UTC)'
    """
    if is_utc(start):
        return f"{start:{DAY}} to {_clock(end, start)} UTC"
    utc = start.astimezone(UTC), end.astimezone(UTC)
    first = "" if offset(start) == offset(end) else f" {offset(start)}"
    in_utc = f"{_clock(utc[0], start)} to {_clock(utc[1], utc[0])}"
    return f"{start:{DAY}}{first} to {_clock(end, start)} {offset(end)} ({in_utc} UTC)"


def _clock(time: datetime, other: datetime) -> str:
    """A time beside another one: without its date where that is the same."""
    return f"{time:%H:%M:%S}" if time.date() == other.date() else f"{time:{DAY}}"


def since_start(seconds: float) -> str:
    """Time since a camera's first frame.

    >>> since_start(3753.9)
    '+01:02:33'
    """
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"+{hour:02d}:{minute:02d}:{second:02d}"


def seconds_of(text: str) -> float:
    """Seconds of a player's time, ``HH:MM:SS.s``, ``MM:SS`` or seconds alone; `ValueError` where it is none.

    >>> seconds_of("01:02:33"), seconds_of("01:30.5"), seconds_of("83.2")
    (3753.0, 90.5, 83.2)
    """
    *larger, last = text.split(":")
    if not re.fullmatch(r"([0-9]+:){0,2}[0-9]+(\.[0-9]*)?", text) or (larger and float(last) >= 60):
        raise ValueError(f"{text!r} is no time of a player: write HH:MM:SS")
    minutes = 0
    for part in larger:
        minutes = 60 * minutes + int(part)
    return 60 * minutes + float(last)
