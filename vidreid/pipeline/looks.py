"""How the sightings of a run looked: the vectors of their clips, read back for those who explain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vidreid.identity.splitting import Look
from vidreid.pipeline.plan import plan_camera
from vidreid.pipeline.results import Run
from vidreid.pipeline.sightings import read_finished
from vidreid.settings import Settings
from vidreid.store.folder import RunFolder

Row = Mapping[str, Any]


def looks_of(run: Run, tracklets: Iterable[Row]) -> dict[str, list[Look]]:
    """The looks of tracklets (rows of `schema.TRACKLETS`) in order of time, by their names."""
    rows: dict[str, list[Row]] = {}
    for row in tracklets:
        rows.setdefault(row["camera"], []).append(row)
    return {name: looks for camera, own in rows.items() for name, looks in _of_camera(run, camera, own).items()}


def _of_camera(run: Run, camera: str, rows: Sequence[Row]) -> dict[str, list[Look]]:
    folder = RunFolder(run.path)
    record = folder.read()
    plan = plan_camera(folder, record.camera(camera).usable, Settings.model_validate(record.settings))
    wanted = {piece["segment"] for row in rows for piece in row["pieces"]}
    segments = [segment for segment in plan.segments if segment.number in wanted] if plan else []
    found = read_finished(folder, run.files(camera), run.scene(camera), segments)
    return {row["tracklet"]: _within(row["pieces"], found.looks) for row in rows}


def _within(pieces: Iterable[Row], found: Mapping[tuple[int, int], list[Look]]) -> list[Look]:
    """The looks that were taken within the pieces, in order of time."""
    looks = (
        look
        for piece in pieces
        for look in found.get((piece["segment"], piece["track"]), [])
        if look.last >= piece["first"] and look.first <= piece["last"]
    )
    return sorted(looks, key=lambda look: look.first)
