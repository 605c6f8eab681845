"""``sightings.csv``: one row a box, times in ISO 8601, empty where nothing is known."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
from pyarrow import csv

from vidreid.pipeline.results import Run
from vidreid.store.parts import write_atomic
from vidreid.views.selection import SIGHTINGS, Selection, selected_cameras, sightings
from vidreid.views.times import iso_times

SCHEMA = SIGHTINGS.set(SIGHTINGS.get_field_index("time"), pa.field("time", pa.string()))


def write(run: Run, folder: Path, selection: Selection) -> list[Path]:
    """Write the selected boxes of all cameras to one file (`SIGHTINGS`)."""
    cameras = selected_cameras(run, selection)
    path = folder / "sightings.csv"

    def fill(file: BinaryIO) -> None:
        with csv.CSVWriter(file, SCHEMA) as writer:
            for rows in sightings(run, cameras, selection):
                writer.write_table(iso_times(rows))

    write_atomic(path, fill)
    return [path]
