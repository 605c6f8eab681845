"""Moments as people name them: a time with its date, a time of day, or the time since a camera's first frame.

Times without a zone are local times of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

import numpy as np

from vidreid.errors import InputError
from vidreid.footage.zones import at, instant, instants, microseconds, offset, said_span
from vidreid.pipeline.results import Run
from vidreid.types import Array

Moment = datetime | time | float
NEAR = 1.0  # seconds from a moment to the frame that shows it


def bound(moment: datetime | float | None, zone: tzinfo, *, upper: bool = False) -> datetime | float | None:
    """A time with its zone for one without, as an end of a stretch of time; seconds and None stay what they are.

    Of a time that clocks of the zone show twice, the first is meant as a lower bound, the second as an ``upper`` one.
    `InputError` for one that they never show.
    """
    if not isinstance(moment, datetime):
        return moment
    return instants(moment, zone)[-1] if upper and instants(moment, zone) else instant(moment, zone)


def localised(row: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    """A row of tracklets or identities with its ``start`` and ``end`` in a zone."""
    return {**row, **{end: row[end] and row[end].astimezone(zone) for end in ("start", "end")}}


def is_within(row: Mapping[str, Any], after: Moment | None, before: Moment | None, zone: tzinfo) -> bool:
    """Whether a tracklet (row of `schema.TRACKLETS`) was in view from ``after`` on and before ``before``.

    A time of day means that of every day. `InputError` where the camera's clock is unknown and a bound is a time of
    the clock.
    """
    if not isinstance(after, time):
        after = bound(after, zone)
    if not isinstance(before, time):
        before = bound(before, zone, upper=True)
    return (after is None or _of(row, "end", after, zone) >= after) and (  # type: ignore[operator]
        before is None or _of(row, "start", before, zone) < before  # type: ignore[operator]
    )


def _of(row: Mapping[str, Any], end: str, bound: Moment, zone: tzinfo) -> Moment:
    """An end of a tracklet in the terms of ``bound``."""
    if isinstance(bound, float):
        return float(row[f"{end}_s"])
    if row[end] is None:
        raise clock_unknown(row["camera"])
    moment: datetime = row[end]
    if isinstance(bound, datetime):
        return moment
    return moment.astimezone(bound.tzinfo).timetz() if bound.tzinfo else moment.astimezone(zone).time()


def meant(moment: datetime | time, first: datetime, last: datetime, zone: tzinfo) -> list[datetime]:
    """Every moment in UTC that may be meant by a time, or a time of day, about footage from ``first`` to ``last``.

    Several where the footage has several days, or clocks show an hour twice. `InputError` where clocks never show it.
    """
    if isinstance(moment, datetime):
        return list(instants(moment, zone)) or [instant(moment, zone)]
    zone = moment.tzinfo or zone
    begin, end = (one.astimezone(zone).date() for one in (first, last))
    days = [begin + timedelta(days=number) for number in range((end - begin).days + 1)]
    times = [datetime.combine(day, moment) for day in days]
    return [one for time in times for one in instants(time, zone)] or [instant(times[0], zone)]


def frame_at(run: Run, camera: str, moment: Moment) -> int:
    """The frame of a camera that shows a moment; `InputError` where none within `NEAR` seconds does.

    A time of day is looked for on every day of the footage.
    """
    timeline = run.timeline(camera) if run.files(camera) else None
    if timeline is None:
        raise InputError(f"{camera}: none of its footage could be read", f"vidreid status {run.path}")
    frames = np.arange(sum(len(file.pts) for file in run.files(camera)))
    if isinstance(moment, float):
        seconds = timeline.elapsed(frames)
        return _nearest(camera, seconds, moment, f"to +{timedelta(seconds=int(seconds.max()))}")
    times = timeline.utc(frames)
    if times is None:
        raise clock_unknown(camera)
    first, last = (at(int(end), run.zone) for end in (times.min(), times.max()))
    wanted = [microseconds(one) for one in meant(moment, first, last, run.zone)]
    there = [one for one in wanted if np.abs(times - one).min() <= NEAR * 1e6]
    if len(there) > 1:
        choices = [at(one, run.zone) for one in there]
        if isinstance(moment, datetime):
            hint = f"say which: {' or '.join(map(_written, choices))}"
            raise InputError(f"{camera}: clocks showed {moment} twice", hint)
        raise InputError(f"{camera}: {moment} is on several days", f"give the date: {_written(choices[0])}")
    return _nearest(camera, times / 1e6, (there or wanted)[0] / 1e6, f"from {said_span(first, last)}")


def _written(time: datetime) -> str:
    """A time as it may be typed without doubt."""
    return f"{time:%Y-%m-%dT%H:%M:%S}{offset(time).replace('+00:00', 'Z')}"


def _nearest(camera: str, seconds: Array, wanted: float, covered: str) -> int:
    away = np.abs(seconds - wanted)
    if away.min() > NEAR:
        raise InputError(f"{camera}: no footage of that time", f"its footage goes {covered}")
    return int(away.argmin())


def clock_unknown(camera: str) -> InputError:
    """What is said to a time of day where a camera's clock is unknown."""
    return InputError(
        f"{camera}: its clock is unknown, so a time of day says nothing",
        "give the time since its first frame: +00:12:33",
    )
