"""``timeline.svg``: who was seen when and where, a line an identity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

from vidreid.footage.zones import microseconds
from vidreid.pipeline.results import Run
from vidreid.views.selection import Selection, selected_boxes, selected_cameras
from vidreid.views.timeline import Bar, Timeline, midnight, write_timeline

Span = Mapping[str, Any]
ENDS = [(column, end) for column in ("time", "elapsed_s") for end in ("min", "max")]


def write(run: Run, folder: Path, selection: Selection) -> list[Path]:
    """Draw the selected sightings of all cameras in one picture; see `vidreid.views.timeline`."""
    cameras = selected_cameras(run, selection)
    path = folder / "timeline.svg"
    spans = [row for camera in cameras for row in _spans(run, camera, selection)]
    write_timeline(path, _timeline(cameras, spans, run.zone))
    return [path]


def _spans(run: Run, camera: str, selection: Selection) -> list[Span]:
    """The selected tracklets of a camera that belong to somebody: first and last ``time`` and ``elapsed_s`` of each."""
    boxes = selected_boxes(run, camera, selection)
    boxes = boxes.filter(boxes["identity"].is_valid())
    spans = boxes.group_by(["identity", "tracklet"], use_threads=False).aggregate(ENDS).to_pylist()
    return [{"camera": camera, **span} for span in spans]


def _timeline(cameras: tuple[str, ...], spans: Sequence[Span], zone: tzinfo) -> Timeline:
    day = _midnight(spans, zone)
    identities: dict[str, list[Bar]] = defaultdict(list)
    for span in spans:
        identities[span["identity"]].append(_bar(span, day))
    return Timeline(cameras, identities, {}, day, zone)


def _midnight(spans: Sequence[Span], zone: tzinfo) -> int | None:
    """The day on which it begins, UTC microseconds; None where a clock is unknown, or nobody was seen."""
    times = [span["time_min"] for span in spans]
    if not times or None in times:
        return None
    return midnight(microseconds(min(times)), zone)


def _bar(span: Span, day: int | None) -> Bar:
    if day is None:
        return Bar(span["camera"], span["elapsed_s_min"], span["elapsed_s_max"])
    start, end = (span[key].timestamp() - day / 1e6 for key in ("time_min", "time_max"))
    return Bar(span["camera"], start, end)
