"""Which boxes of a run are exported."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from vidreid.errors import InputError, UsageError
from vidreid.pipeline.results import BOXES, Run
from vidreid.views.times import with_local_time

SIGHTINGS = pa.schema([pa.field("camera", pa.string()), *BOXES]).insert(5, pa.field("local_time", pa.string()))
"""One row a box, as the table formats write it: the camera, then the columns of `BOXES`, ``local_time`` (ISO 8601 with
its offset from UTC, in the run's zone) beside ``time``."""

ROWS = 1 << 16  # rows held at once while a camera is written


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a run is exported; an empty tuple means all of them, None no bound.

    ``start`` (inclusive) and ``end`` (exclusive) are times with a zone, or seconds since each camera's first
    frame. Without ``interpolate`` only boxes that a detector found remain. ``ids`` says which number a format with
    a single one (MOT) carries.
    """

    identities: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    start: datetime | float | None = None
    end: datetime | float | None = None
    interpolate: bool = True
    ids: Literal["identity", "track"] = "identity"


def selected_cameras(run: Run, selection: Selection) -> tuple[str, ...]:
    """The cameras to export, in the run's order.

    Raises `UsageError` for a camera or person that the run does not have, and `InputError` for a time of day in
    a camera whose clock is unknown.
    """
    _check_names("camera", selection.cameras, run.cameras)
    _check_names("person", selection.identities, run.identities()["identity"].to_pylist())
    cameras = tuple(name for name in run.cameras if not selection.cameras or name in selection.cameras)
    if isinstance(selection.start, datetime) or isinstance(selection.end, datetime):
        _check_clocks(run, cameras)
    return cameras


def selected_boxes(run: Run, camera: str, selection: Selection) -> pa.Table:
    """The selected boxes of a camera (`BOXES`), sorted by frame, then tracklet."""
    boxes = run.boxes(camera, interpolate=selection.interpolate)
    if selection.identities:
        boxes = boxes.filter(pc.is_in(boxes["identity"], pa.array(selection.identities, pa.string())))
    for bound, inside in ((selection.start, pc.greater_equal), (selection.end, pc.less)):
        if bound is not None:
            column, kind = ("time", BOXES.field("time").type) if isinstance(bound, datetime) else ("elapsed_s", None)
            boxes = boxes.filter(inside(boxes[column], pa.scalar(bound, kind)))
    return boxes


def sightings(run: Run, cameras: Sequence[str], selection: Selection) -> Iterator[pa.Table]:
    """The selected boxes of one camera after the other (`SIGHTINGS`), at most `ROWS` at once."""
    for camera in cameras:
        boxes = selected_boxes(run, camera, selection)
        for first in range(0, len(boxes), ROWS):
            rows = boxes.slice(first, ROWS)
            name = pa.repeat(pa.scalar(camera), len(rows))
            rows = with_local_time(rows.add_column(0, "camera", name), run.zone)
            yield rows.select(SIGHTINGS.names).cast(SIGHTINGS)


def shortest(table: pa.Table) -> pa.Table:
    """Each float32 as the float64 of fewest digits that stands for it: 12.3, not 12.300000191."""
    for place, column in enumerate(table.schema):
        if column.type == pa.float32():
            digits = table.column(place).cast(pa.string()).cast(pa.float64())
            table = table.set_column(place, column.name, digits)
    return table


def _check_names(what: str, wanted: Collection[str], known: Collection[str]) -> None:
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            raise UsageError(f"no {what} {name!r} in this run", f"did you mean {', '.join(near)}?" if near else "")


def _check_clocks(run: Run, cameras: Collection[str]) -> None:
    tracklets = run.tracklets().filter(pc.field("start").is_null())
    unknown = sorted(set(tracklets["camera"].to_pylist()) & set(cameras))
    if unknown:
        raise InputError(
            f"{unknown[0]}: its clock is unknown, so a time of day selects nothing",
            "give the time since its start (+00:12:33), or leave this camera out",
        )
