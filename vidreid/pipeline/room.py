"""Room on the disk: how much a run will fill, and whether that much is free."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from vidreid.errors import StorageError
from vidreid.pipeline.plan import CameraPlan
from vidreid.resources import carried
from vidreid.store.folder import RunFolder
from vidreid.types import Segment


def frame_rates() -> dict[str, dict[str, dict[str, float]]]:
    """Of labelled scenes, by ``5``, ``10`` and ``all`` frames a second: see tests/benchmarks/frame_rates.py."""
    found: dict[str, Any] = json.loads((carried("configs") / "frame_rates.json").read_text(encoding="utf-8"))
    return found


def needed_bytes(folder: RunFolder, plans: Mapping[str, CameraPlan], due: Iterable[Segment]) -> int:
    """Bytes that the ``due`` segments will add: as many a second as the run's own parts have, else as the labelled
    scenes had. What lies there already of a segment is replaced."""
    seconds, stored = 0.0, 0
    for plan in plans.values():
        for segment in plan.segments:
            if found := _stored(folder, segment):
                stored += found
                seconds += segment_seconds(plan, segment)
    rate = stored / seconds if seconds else usual_rate()
    return round(sum(rate * segment_seconds(plans[one.camera], one) - _stored(folder, one) for one in due))


def usual_rate() -> float:
    """Bytes of a run for each second of a camera, mean of the labelled scenes."""
    return fmean(scene["all"]["bytes_per_second"] for scene in frame_rates().values())


def check_room(folder: Path, needed: int) -> None:
    """Raise `StorageError` where the disk of a folder has not ``needed`` bytes left."""
    free = free_bytes(folder)
    if needed > free:
        raise StorageError(
            f"{folder}: too little free disk: about {size(needed)} are needed, {size(free)} are free",
            "make room, choose another --output, or take less of it at a time: --from TIME --to TIME",
        )


def free_bytes(folder: Path) -> int:
    """Bytes that can be written to the disk of a folder, which may not be there yet."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
    return shutil.disk_usage(there).free


def size(count: float) -> str:
    """Bytes as a person says them.

    >>> size(740), size(12_300_000)
    ('740 B', '12.3 MB')
    """
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} TB"


def _stored(folder: RunFolder, segment: Segment) -> int:
    """Bytes of a segment's parts."""
    parts = (part(segment.camera, segment.name) for part in (folder.track, folder.crops, folder.embed))
    return sum(path.stat().st_size for path in parts if path.is_file())


def segment_seconds(plan: CameraPlan, segment: Segment) -> float:
    """Seconds of footage that a segment reads."""
    file = plan.files[segment.file]
    first, last = segment.first - file.first, segment.stop - 1 - file.first
    return file.seconds(last) - file.seconds(first)
