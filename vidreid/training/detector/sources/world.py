"""Synthetic people of the demo's world, whose labels are exact; filmed into the folder where it is empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

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
LAST = "cameras.yaml"  # the file that says that a world is whole


def open_source(root: Path, part: Part) -> Source:
    """Frames a second apart of worlds of three cameras, as one set ``world``."""
    root.mkdir(parents=True, exist_ok=True)
    for seed, size, people in WORLDS[part]:
        if not (root / str(seed) / LAST).is_file():
            _film(root / str(seed), seed, size, people)
    return joined("world", {str(seed): footage.open_source(root / str(seed), part) for seed, *_ in WORLDS[part]})


def _film(folder: Path, seed: int, size: tuple[int, int], people: int) -> None:
    """Film a world beside its folder and move it there: others, who may be filming the same, see whole films only."""
    from vidreid.world.film import write_world

    with TemporaryDirectory(prefix=f".{seed}-", dir=folder.parent) as temporary:
        begun = Path(temporary)
        write_world(begun, seed=seed, seconds=SECONDS, people=people, size=size, fps=(1.0, 1.0, 1.0))
        if (folder / LAST).is_file():
            return
        # File by file: they are the same bytes whoever filmed them, and replace those of a world without its end.
        for path in sorted((path for path in begun.rglob("*") if path.is_file()), key=lambda path: path.name == LAST):
            place = folder / path.relative_to(begun)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
