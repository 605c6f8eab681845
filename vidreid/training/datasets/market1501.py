"""Market-1501 (Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015)."""

from __future__ import annotations

import re
from pathlib import Path

from vidreid.training.datasets import Dataset
from vidreid.training.datasets._files import Folder, find_root, natural, wrong_folder
from vidreid.training.datasets._tracklets import Picture, image_split

LAYOUT = """
Market-1501
├── bounding_box_train
│   └── 0002_c1s1_000451_03.jpg
├── bounding_box_test
└── query
"""

TERMS = "Market-1501: for research only, not to be distributed"

_NAME = re.compile(r"(-1|\d{4,})_c(\d+)s(\d+)_(\d+)_(\d+)\.jpg")


def open_dataset(root: Path, *, tracklets: bool | None = None) -> Dataset:
    """Market-1501's official folders: 751 people to train on, 750 to score, single query.

    With ``tracklets``, sparse tracklets of (identity, camera, sequence): those of bounding_box_test are both queries
    and gallery, since a query picture has no second beside it; junk and distractors are left out.
    """
    root = find_root(root, ("bounding_box_train", "bounding_box_test", "query"), LAYOUT)
    parts = [_pictures(root, name) for name in ("bounding_box_train", "query", "bounding_box_test")]
    if not all(parts):
        raise wrong_folder(f"{root}: no pictures named as Market-1501's", LAYOUT)
    split, notes = image_split(*parts, grouped=bool(tracklets))
    return Dataset("market1501", (split,), Folder(root).read, terms=TERMS, notes=notes)


def parse_name(name: str) -> tuple[int, int, str] | None:
    """Identity, camera and sequence of a picture's name; None where it is not named as this set's pictures are.

    >>> parse_name("-1_c3s2_000451_03.jpg")
    (-1, 3, '2')
    """
    found = _NAME.fullmatch(name)
    return (int(found[1]), int(found[2]), found[3]) if found else None


def _pictures(root: Path, folder: str) -> list[Picture]:
    names = sorted((path.name for path in (root / folder).iterdir()), key=natural)
    return [Picture(f"{folder}/{name}", *label) for name in names if (label := parse_name(name))]
