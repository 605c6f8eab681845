"""A burned-in stamp that somebody read: checked against the footage, and kept in the cameras YAML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from vidreid.errors import InputError, UsageError
from vidreid.footage.camera_lines import with_reading
from vidreid.footage.cameras import Site, site_of
from vidreid.footage.clock import Timeline, agreement, check_readings
from vidreid.footage.outline import outline
from vidreid.footage.zones import at as moment_at
from vidreid.footage.zones import since_start, zone_named
from vidreid.settings import read_yaml
from vidreid.store.parts import write_atomic
from vidreid.types import Camera


@dataclass(frozen=True, slots=True)
class Stamp:
    """What somebody read: at a player's ``seconds`` the picture of ``file`` (None: the camera's first) ``shows`` a
    time, of the site's zone where it states none."""

    seconds: float
    shows: datetime
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Corrected:
    """A camera's clock by its ``readings``: when its ``first`` frame was taken, and by how many seconds that
    ``moved`` (None where nothing was known of it before).

    ``drift_ppm`` is what several readings found, give or take ``unsure_ppm``; None where they are too near to each
    other. No reading is off by more than ``miss`` seconds.
    """

    camera: str
    readings: int
    first: datetime
    moved: float | None
    drift_ppm: float | None
    unsure_ppm: float | None
    miss: float


def add_stamp(path: Path, name: str, stamp: Stamp) -> Corrected:
    """Write a stamp into the cameras YAML at ``path`` as a reading of a camera, and say what it does to its clock.

    `UsageError` for a camera that the file does not have; `InputError` where the reading lies outside of the footage,
    contradicts the others or is there already. Then nothing is written.
    """
    old = read_yaml(path)
    before = _camera(site_of(old, path), name, path)
    item = _item(stamp, old["cameras"][name])
    new = _with(old, name, item)
    site = site_of(new, path)
    camera = _camera(site, name, path)
    _check_new(before, camera)
    files = [outline(file) for file in camera.files]
    check_readings(camera, files)
    _write(path, name, item, new)
    utc = [Timeline(files, one.clock).utc(np.zeros(1, np.int64)) for one in (before, camera)]
    found = agreement(files, camera.clock)
    assert utc[1] is not None
    return Corrected(
        camera=name,
        readings=len(camera.clock.readings),
        first=moment_at(int(utc[1][0]), zone_named(site.timezone or "UTC")),
        moved=None if utc[0] is None else float(utc[1][0] - utc[0][0]) / 1e6,
        drift_ppm=found.drift_ppm,
        unsure_ppm=found.unsure_ppm,
        miss=max(map(abs, found.misses)),
    )


def _camera(site: Site, name: str, path: Path) -> Camera:
    names = [camera.name for camera in site.cameras]
    if name not in names:
        raise UsageError(f"no camera {name!r} in {path}", f"cameras: {', '.join(names)}")
    return site.cameras[names.index(name)]


def _item(stamp: Stamp, entry: Mapping[str, Any]) -> str:
    """The reading as a line of YAML."""
    file = [f"file: {json.dumps(stamp.file, ensure_ascii=False)}"] if stamp.file else []
    at = since_start(stamp.seconds)[1:] + f"{stamp.seconds % 1:.3f}"[1:].rstrip("0.")
    return "{" + ", ".join([*file, f'at: "{at}"', f"shows: {stamp.shows.isoformat()}"]) + "}"


def _with(found: Mapping[str, Any], name: str, item: str) -> dict[str, Any]:
    """What the file should say with a reading more."""
    entry = found["cameras"][name]
    readings = [*entry.get("readings", []), yaml.safe_load(item)]
    return {**found, "cameras": {**found["cameras"], name: {**entry, "readings": readings}}}


def _check_new(before: Camera, after: Camera) -> None:
    """Refuse what was read of a picture of which something was read."""
    known, now = ({(one.file, one.seconds) for one in camera.clock.readings} for camera in (before, after))
    if len(now) == len(known):
        raise InputError(f"{after.name}: this picture has a reading already", "mend it in the cameras YAML")


def _write(path: Path, name: str, item: str, wanted: Mapping[str, Any]) -> None:
    text = path.read_bytes().decode("utf-8")
    try:
        changed = with_reading(text, name, item)
        written = yaml.safe_load(changed) == wanted
    except (yaml.YAMLError, AttributeError):
        written = False
    if not written:
        raise InputError(f"{path}: written in a way that cannot be added to", f"add to `readings` of {name}: - {item}")
    write_atomic(path, lambda file: file.write(changed.encode()))
