"""Moments as people name them: a time with its date, a time of day, or the time since a camera's first frame."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np

from vidreid.errors import InputError
from vidreid.pipeline.results import Run
from vidreid.types import Array

Moment = datetime | time | float
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEAR = 1.0  # seconds from a moment to the frame that shows it


def is_within(row: Mapping[str, Any], after: Moment | None, before: Moment | None) -> bool:
    """Whether a tracklet (row of `schema.TRACKLETS`) was in view from ``after`` on and before ``before``.

    A time of day, with its zone, means that of every day. `InputError` where the camera's clock is unknown and a bound
    is a time of the clock.
    """
    return (after is None or _of(row, "end", after) >= after) and (  # type: ignore[operator]
        before is None or _of(row, "start", before) < before  # type: ignore[operator]
    )


def _of(row: Mapping[str, Any], end: str, bound: Moment) -> Moment:
    """An end of a tracklet in the terms of ``bound``."""
    if isinstance(bound, float):
        return float(row[f"{end}_s"])
    if row[end] is None:
        raise _clock_unknown(row["camera"])
    moment: datetime = row[end]
    return moment if isinstance(bound, datetime) else moment.astimezone(UTC).timetz()


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
        raise _clock_unknown(camera)
    first, last = (EPOCH + timedelta(microseconds=int(end)) for end in (times.min(), times.max()))
    days = [first.date() + timedelta(days=k) for k in range((last.date() - first.date()).days + 1)]
    wanted = [moment] if isinstance(moment, datetime) else [datetime.combine(day, moment) for day in days]
    seconds = (times - times.min()) / 1e6
    there = [one for one in wanted if np.abs(seconds - (one - first).total_seconds()).min() <= NEAR]
    if len(there) > 1:
        raise InputError(f"{camera}: {moment} is on several days", f"give the date: {there[0]:%Y-%m-%dT%H:%M:%SZ}")
    covered = f"from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"
    return _nearest(camera, seconds, ((there or wanted)[0] - first).total_seconds(), covered)


def _nearest(camera: str, seconds: Array, wanted: float, covered: str) -> int:
    away = np.abs(seconds - wanted)
    if away.min() > NEAR:
        raise InputError(f"{camera}: no footage of that time", f"its footage goes {covered}")
    return int(away.argmin())


def _clock_unknown(camera: str) -> InputError:
    return InputError(
        f"{camera}: its clock is unknown, so a time of day says nothing",
        "give the time since its first frame: +00:12:33",
    )
