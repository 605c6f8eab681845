"""``sightings.jsonl``: one JSON object a box and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import BinaryIO

from vidreid.pipeline.results import Run
from vidreid.store.parts import write_atomic
from vidreid.views.selection import Selection, selected_cameras, shortest, sightings
from vidreid.views.times import iso_times


def write(run: Run, folder: Path, selection: Selection) -> list[Path]:
    """Write the selected boxes of all cameras to one file: the columns of `SIGHTINGS`, times in ISO 8601."""
    cameras = selected_cameras(run, selection)
    path = folder / "sightings.jsonl"

    def fill(file: BinaryIO) -> None:
        for rows in sightings(run, cameras, selection):
            for row in shortest(iso_times(rows)).to_pylist():
                file.write(json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n")

    write_atomic(path, fill)
    return [path]
