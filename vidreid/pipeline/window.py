"""The part of the footage that a run is asked for: whole segments from one time to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

import numpy as np

from vidreid.errors import InputError, UsageError
from vidreid.footage.zones import at, microseconds, said_span, since_start
from vidreid.pipeline.moments import bound
from vidreid.pipeline.plan import CameraPlan
from vidreid.types import Segment

Bound = datetime | float


@dataclass(frozen=True)
class Window:
    """From ``start`` on and before ``end``: times, or seconds since each camera's first frame; None is no limit.

    Times without a zone are those of the run: see `in_zone`. `UsageError` where nothing can lie between the two.
    """

    start: Bound | None = None
    end: Bound | None = None

    def __post_init__(self) -> None:
        if self.start is None or self.end is None:
            return
        if isinstance(self.start, float) or isinstance(self.end, float):
            if type(self.start) is not type(self.end):
                raise UsageError("--from and --to are of two kinds", "give both with dates, or both like +00:12:33")
        elif (self.start.tzinfo is None) != (self.end.tzinfo is None):
            return  # `in_zone` can tell
        if self.start >= self.end:  # type: ignore[operator]
            raise UsageError("--from is not before --to", "exchange them")

    @property
    def open(self) -> bool:
        """Whether all footage lies in it."""
        return self.start is None and self.end is None

    def in_zone(self, zone: tzinfo) -> Window:
        """The same with times of this zone; `InputError` where its clocks never show one of them."""
        start, end = bound(self.start, zone), bound(self.end, zone, upper=True)
        return Window(*(one.astimezone(zone) if isinstance(one, datetime) else one for one in (start, end)))

    def segments(self, plan: CameraPlan) -> list[Segment]:
        """The segments of a camera that own something of it; `InputError` where its unknown clock does not tell."""
        clocked = isinstance(self.start, datetime) or isinstance(self.end, datetime)
        if clocked and not plan.timeline.known:
            raise InputError(
                f"{plan.record.name}: its clock is unknown, so --from and --to say nothing of it",
                "give times since its first frame: --from +00:12:33",
            )
        return [segment for segment in plan.segments if self._meets(plan, segment)]

    def _meets(self, plan: CameraPlan, segment: Segment) -> bool:
        ends = np.array([segment.own_first, segment.own_stop - 1])
        return (self.start is None or _times(plan, ends, self.start)[1] >= _number(self.start)) and (
            self.end is None or _times(plan, ends, self.end)[0] < _number(self.end)
        )


EVERYTHING = Window()


def chosen(plans: Mapping[str, CameraPlan], window: Window) -> dict[str, list[Segment]]:
    """The segments of each camera in a window; `InputError` where no camera has any."""
    found = {name: window.segments(plan) for name, plan in plans.items()}
    if not window.open and not any(found.values()):
        raise InputError("no footage between --from and --to", f"there is footage from {_extent(plans, window)}")
    return found


def _times(plan: CameraPlan, frames: np.ndarray, bound: Bound) -> list[float]:
    """The times of frames in the terms of ``bound``."""
    utc = None if isinstance(bound, float) else plan.timeline.utc(frames)
    return [float(time) for time in (plan.timeline.elapsed(frames) if utc is None else utc)]


def _number(bound: Bound) -> float:
    """Seconds since the first frame, or microseconds since 1970."""
    return bound if isinstance(bound, float) else float(microseconds(bound))


def _extent(plans: Mapping[str, CameraPlan], window: Window) -> str:
    """From when to when there is footage, in the terms of the window."""
    stated = window.end if window.start is None else window.start
    assert stated is not None
    ends = [_times(plan, np.array([0, plan.frames - 1]), stated) for plan in plans.values()]
    first, last = min(first for first, _ in ends), max(last for _, last in ends)
    if isinstance(stated, float):
        return f"{since_start(first)} to {since_start(last)}"
    return said_span(*(at(int(time), stated.tzinfo) for time in (first, last)))  # type: ignore[arg-type]
