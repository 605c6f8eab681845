"""Synthetic people of the demo's world, whose labels are exact; filmed into the folder where it is empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from vidreid.training.detector.sources import Part, Source, footage, joined

# Seeds of our own, far from those of demonstrations and tests; size of the picture and people a world.
WORLDS: Mapping[Part, Sequence[tuple[int, tuple[int, int], int]]] = {
    "train": (
        (100, (640, 360), 14),
        (101, (480, 270), 8),
        (102, (854, 480), 20),
        (103, (640, 360), 10),
        (104, (480, 270), 12),
    ),
    "val": ((110, (640, 360), 12),),
}
SECONDS = 100.0


def open_source(root: Path, part: Part) -> Source:
    """Frames a second apart of worlds of three cameras, as one set ``world``."""
    from vidreid.world.film import write_world

    for seed, size, people in WORLDS[part]:
        if not (root / str(seed) / "cameras.yaml").is_file():
            write_world(root / str(seed), seed=seed, seconds=SECONDS, people=people, size=size, fps=(1.0, 1.0, 1.0))
    return joined("world", {str(seed): footage.open_source(root / str(seed), part) for seed, *_ in WORLDS[part]})
