"""Pictures of scenes to train and score a detector on; a file a layout, each with
``open_source(root: Path, part: "train" | "val") -> Source``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidreid.errors import InputError
from vidreid.types import Boxes, Image

Part = Literal["train", "val"]


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture of a scene: ``source`` is the set it belongs to, by which pictures are weighed and scored.

    ``boxes`` (n, 4) are x1, y1, x2, y2 of its people in shares of width and height; None where nobody labelled it.
    """

    source: str
    key: str
    boxes: Boxes | None


@dataclass(frozen=True, eq=False)
class Source:
    """Pictures by their keys; ``read`` decodes one, uint8 (H, W, 3) RGB, and raises `OSError` where it is broken.

    ``partial``: people in view may have no label. ``notes`` are lines for the user.
    """

    name: str
    pictures: Sequence[Picture]
    read: Callable[[str], Image]
    partial: bool = False
    notes: tuple[str, ...] = ()


def check_root(root: Path) -> None:
    """`InputError` where there is nothing to open."""
    if not root.exists():
        raise InputError(f"{root}: no such file or folder", "check the path")


def joined(name: str, sources: Mapping[str, Source]) -> Source:
    """Several sources as one set, their names before their keys."""
    pictures = [
        Picture(name, f"{part}/{picture.key}", picture.boxes)
        for part, source in sources.items()
        for picture in source.pictures
    ]

    def read(key: str) -> Image:
        part, _, inner = key.partition("/")
        return sources[part].read(inner)

    return Source(name, tuple(pictures), read, any(source.partial for source in sources.values()))
