"""The index of a finished run, written as `match` writes it."""

from __future__ import annotations

from pathlib import Path

from vidreid.pipeline.index import Indexed, index_run
from vidreid.pipeline.looks import looks_of
from vidreid.pipeline.results import Run
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_header


def write_index_of(path: Path) -> None:
    """Index a matched run from its stored parts."""
    run, folder = Run(path), RunFolder(path)
    rows = run.tracklets().to_pylist()
    looks = looks_of(run, rows)
    shown = [Indexed(row["tracklet"], row["camera"], row["height"], looks[row["tracklet"]]) for row in rows]
    header = read_header(folder.match("tracklets"))
    assert header is not None
    index_run(folder, shown, folder.read().networks["embedder"], header.inputs)
