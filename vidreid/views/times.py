"""Times as text: of the run's zone with UTC beside it where a camera's clock is known, else time since its start."""

from __future__ import annotations

from datetime import datetime, tzinfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vidreid.footage.zones import at, offset, said, since_start

MINUTE_US = 60_000_000


def iso_times(table: pa.Table) -> pa.Table:
    """The same table with its column ``time`` as ISO 8601 text with microseconds; null stays null."""
    text = pc.binary_join_element_wise(_text(table["time"]), "Z", "")
    return table.set_column(table.schema.get_field_index("time"), "time", text)


def with_local_time(table: pa.Table, zone: tzinfo) -> pa.Table:
    """The same table with a column ``local_time`` beside ``time``: ISO 8601 text with its offset from UTC."""
    times = table["time"]
    # Clocks are put forward and back at whole minutes, so that few places have to be looked up.
    minutes, places = np.unique(times.cast(pa.int64()).fill_null(0).to_numpy() // MINUTE_US, return_inverse=True)
    local = [at(minute * MINUTE_US, zone) for minute in minutes.tolist()]
    ahead = np.array([time.utcoffset() for time in local], "timedelta64[us]")[places]
    moved = pc.add(times, pa.array(ahead, pa.duration("us")))
    offsets = pa.array(np.array([offset(time) for time in local], object)[places], pa.string())
    text = pc.binary_join_element_wise(_text(moved), offsets, "")
    return table.add_column(table.schema.get_field_index("time") + 1, "local_time", text)


def _text(times: pa.ChunkedArray) -> pa.ChunkedArray:
    # Without its zone the column needs no time zone data base, which a small container lacks.
    return pc.strftime(times.cast(pa.timestamp("us")), format="%Y-%m-%dT%H:%M:%S").cast(pa.string())


def in_zone(time: datetime | None, zone: tzinfo) -> datetime | None:
    """A moment as the people of a zone see it; None where the clock is unknown."""
    return None if time is None else time.astimezone(zone)


def moment(time: datetime | None, elapsed_s: float) -> str:
    """A moment for people to read: in its own zone where it is known, else the time since the camera's start."""
    return since_start(elapsed_s) if time is None else said(time)


def short_moment(time: datetime | None, elapsed_s: float) -> str:
    """The same where there is room for the time of day alone; what is beside it says of which zone."""
    return since_start(elapsed_s) if time is None else f"{time:%H:%M:%S}"
