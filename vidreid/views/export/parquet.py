"""``sightings.parquet``: one row a box, for DuckDB, Polars and pandas."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pyarrow.parquet as pq

from vidreid.pipeline.results import Run
from vidreid.store.parts import write_atomic
from vidreid.views.selection import SIGHTINGS, Selection, selected_cameras, sightings


def write(run: Run, folder: Path, selection: Selection) -> list[Path]:
    """Write the selected boxes of all cameras to one file (`SIGHTINGS`); no row group holds two cameras."""
    cameras = selected_cameras(run, selection)
    path = folder / "sightings.parquet"

    def fill(file: BinaryIO) -> None:
        with pq.ParquetWriter(file, SIGHTINGS, compression="zstd") as writer:
            for rows in sightings(run, cameras, selection):
                writer.write_table(rows)

    write_atomic(path, fill)
    return [path]
