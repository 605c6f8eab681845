"""Times as people type them on a command line."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING

from vidreid.errors import UsageError

if TYPE_CHECKING:
    from vidreid.pipeline.moments import Moment

HOW = "write 2026-04-12 10:13:05, or with a zone 2026-04-12T08:13:05Z"


def parse_time(text: str | None) -> datetime | float | None:
    """A time, without a zone where it states none, or seconds since a camera's first frame for ``+HH:MM:SS``.

    >>> parse_time("+00:01:30.5"), parse_time("2026-04-12 10:13:05")
    (90.5, datetime.datetime(2026, 4, 12, 10, 13, 5))
    """
    if text is None:
        return None
    from vidreid.footage.zones import seconds_of

    try:
        return seconds_of(text[1:]) if text.startswith("+") else datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time", f"{HOW}, or +00:12:33") from None


def parse_moment(text: str | None) -> Moment | None:
    """The same, or a time of day.

    >>> parse_moment("14:32:10"), parse_moment("+83.2")
    (datetime.time(14, 32, 10), 83.2)
    """
    try:
        return time.fromisoformat(text or "")
    except ValueError:
        return parse_time(text)
