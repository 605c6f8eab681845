"""Tables of docs/recorder.md: what fewer frames a second cost, and how near estimates come."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

Table = Callable[[Sequence[str], Sequence[Sequence[str]]], str]


def frame_rates(file: Path, table: Table) -> str:
    """A row a labelled scene and rate, from configs/frame_rates.json."""
    rows = [
        (
            scene,
            f"{row['footage_fps']:g}",
            name,
            f"{row['people_idf1']:.3f}",
            f"{row['tracks_idf1']:.3f}",
            f"{row['tracks_mota']:.3f}",
        )
        for scene, rates in json.loads(file.read_text(encoding="utf-8")).items()
        for name, row in rates.items()
    ]
    return table(("footage", "frames a second", "`--fps`", "people, IDF1", "tracks, IDF1", "tracks, MOTA"), rows)


def estimates(file: Path, table: Table) -> str:
    """What a dry run said beside what came true, from results/estimate.json."""
    rows = [
        (
            clip,
            name,
            f"{row['told_s']:.0f} s",
            f"{row['true_s']:.0f} s",
            f"{row['time_ratio']:.2f}",
            f"{row['disk_ratio']:.2f}",
        )
        for clip, rates in json.loads(file.read_text(encoding="utf-8")).items()
        for name, row in rates.items()
    ]
    return table(("footage", "`--fps`", "told", "true", "told / true", "disk, told / true"), rows)
