"""``timeline.svg``: who was seen when and where, a line an identity."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from vidreid.pipeline.results import Run
from vidreid.views.selection import Selection, selected_boxes, selected_cameras
from vidreid.views.timeline import DAY_US, Bar, Timeline, write_timeline

ENDS = [(column, end) for column in ("time", "elapsed_s") for end in ("min", "max")]


def write(run: Run, folder: Path, selection: Selection) -> list[Path]:
    """Draw the selected sightings of all cameras in one picture; see `vidreid.views.timeline`."""
    cameras = selected_cameras(run, selection)
    path = folder / "timeline.svg"
    write_timeline(path, _timeline(cameras, [row for camera in cameras for row in _spans(run, camera, selection)]))
    return [path]


def _spans(run: Run, camera: str, selection: Selection) -> list[dict[str, Any]]:
    """The selected tracklets of a camera that belong to somebody: first and last ``time`` and ``elapsed_s`` of each."""
    boxes = selected_boxes(run, camera, selection)
    boxes = boxes.filter(boxes["identity"].is_valid())
    spans = boxes.group_by(["identity", "tracklet"], use_threads=False).aggregate(ENDS).to_pylist()
    return [{"camera": camera, **span} for span in spans]


def _timeline(cameras: tuple[str, ...], spans: list[dict[str, Any]]) -> Timeline:
    known = all(span["time_min"] is not None for span in spans)
    first = min((span["time_min"].timestamp() for span in spans), default=0.0) if known else 0.0
    day = int(first * 1e6) // DAY_US * DAY_US if spans and known else None
    identities = defaultdict(list)
    for span in spans:
        if day is None:
            ends = span["elapsed_s_min"], span["elapsed_s_max"]
        else:
            ends = span["time_min"].timestamp() - day / 1e6, span["time_max"].timestamp() - day / 1e6
        identities[span["identity"]].append(Bar(span["camera"], *ends))
    return Timeline(cameras, identities, {}, day)
