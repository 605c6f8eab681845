"""DukeMTMC-VideoReID (Wu et al., "Exploit the Unknown Gradually: One-Shot Video-Based Person Re-Identification by
Stepwise Learning", CVPR 2018)."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from vidreid.errors import InputError
from vidreid.training.datasets import Dataset, Split, Tracklet
from vidreid.training.datasets._files import Folder, find_root
from vidreid.training.datasets._video import number_of, pictures_in, refuse_pictures

LAYOUT = """
DukeMTMC-VideoReID
├── train (or train_split)
│   └── 0001
│       └── 0003
│           └── 0001_C6_F0099_X30823.jpg (or 0001C6F0099X30823.jpg)
├── query (or query_split)
└── gallery (or gallery_split)
"""

TERMS = "DukeMTMC-VideoReID: its authors withdrew DukeMTMC in 2019 and ask that it be used no more"

_NAME = re.compile(r"\d+_?C(\d+)_?F\d+_?X\d+")


def open_dataset(root: Path, *, tracklets: bool | None = None) -> Dataset:
    """702 people to train on (2,196 tracklets), 702 to score and 408 distractors (2,636); query and gallery apart."""
    refuse_pictures("DukeMTMC-VideoReID", tracklets)
    parts = ("train", "query", "gallery")
    ending = "_split" if any(root.glob("train_split")) or any(root.glob("*/train_split")) else ""
    root = find_root(root, tuple(part + ending for part in parts), LAYOUT)
    split = Split(*(_tracklets(root, part + ending) for part in parts))
    return Dataset("dukemtmc-videoreid", (split,), Folder(root).read, terms=TERMS)


def _tracklets(root: Path, part: str) -> tuple[Tracklet, ...]:
    folders = sorted(path.relative_to(root).as_posix() for path in (root / part).glob("*/*") if path.is_dir())
    found = ((folder, pictures_in(root, folder)) for folder in folders)
    return tuple(_tracklet(PurePosixPath(folder), pictures) for folder, pictures in found if pictures)


def _tracklet(folder: PurePosixPath, pictures: tuple[str, ...]) -> Tracklet:
    name = _NAME.fullmatch(PurePosixPath(pictures[0]).stem)
    if name is None:
        hint = "leave the data set's own names as they are"
        raise InputError(f"{pictures[0]}: not named person, camera, frame as in 0001_C6_F0099_X30823.jpg", hint)
    return Tracklet(pictures, number_of(folder.parent.name), int(name[1]), folder.name)
