"""Times as text: UTC where a camera's clock is known, time since its start where it is not."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc


def iso_times(table: pa.Table) -> pa.Table:
    """The same table with its column ``time`` as ISO 8601 text with microseconds; null stays null."""
    # Without its zone the column needs no time zone data base, which a small container lacks.
    naive = table["time"].cast(pa.timestamp("us"))
    text = pc.strftime(naive, format="%Y-%m-%dT%H:%M:%SZ").cast(pa.string())
    return table.set_column(table.schema.get_field_index("time"), "time", text)


def since_start(seconds: float) -> str:
    """Time since a camera's first frame.

    >>> since_start(3753.9)
    '+01:02:33'
    """
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"+{hour:02d}:{minute:02d}:{second:02d}"


def moment(time: datetime | None, elapsed_s: float, form: str = "%Y-%m-%d %H:%M:%S UTC") -> str:
    """A moment for people to read: its UTC time where that is known, else the time since the camera's start."""
    return since_start(elapsed_s) if time is None else time.strftime(form)
