"""An export, whichever its format: the files, and what seals them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from vidreid import plugins
from vidreid.pipeline.manifest import describe
from vidreid.pipeline.results import Run
from vidreid.store.seals import seal, sealed
from vidreid.views.selection import Selection


def export(run: Run, kind: str, folder: Path, selection: Selection) -> list[Path]:
    """Write a run's sightings in a format of `views.export`, then the folder's manifest and sums; the format's files.

    Errors as `vidreid.views.export` has them; `InputError` where the folder's seal is broken, before anything is
    written.
    """
    sealed(folder)
    paths: list[Path] = plugins.load("views.export", kind).write(run, folder, selection)
    seal(folder, paths, {"format": kind, "selection": _stated(selection), "run": describe(run)})
    return paths


def _stated(selection: Selection) -> dict[str, Any]:
    bounds = {"start": selection.start, "end": selection.end}
    times = {name: bound.isoformat() if isinstance(bound, datetime) else bound for name, bound in bounds.items()}
    return {**asdict(selection), **times}
