"""CUHK01 (Li et al., "Human Reidentification with Transferred Metric Learning", ACCV 2012)."""

from __future__ import annotations

import re
from pathlib import Path

from vidreid.training.datasets import Dataset, Tracklet
from vidreid.training.datasets._files import Folder, find_root, wrong_folder
from vidreid.training.datasets._tracklets import Picture, make_tracklets
from vidreid.training.datasets._two_cameras import random_halves, two_camera_split
from vidreid.training.datasets._video import pictures_in

LAYOUT = """
CUHK01
└── campus
    └── 0001001.png (person 0001, picture 001 of 4: two of each camera)
"""

TERMS = "CUHK01: for research"
OWN_SPLITS = "ten random halves of this program: the set's own are not published"

_NAME = re.compile(r"campus/(\d{4})(\d{3})\.png")


def open_dataset(root: Path, *, tracklets: bool | None = None) -> Dataset:
    """971 people, two pictures in each of two cameras; ten random halves (`random_halves`): 485 people to train on,
    486 to score, camera 1 against camera 2.

    With ``tracklets``, a person's two pictures of a camera are one tracklet.
    """
    root = find_root(root, ("campus",), LAYOUT)
    found = [(key, name) for key in pictures_in(root, "campus") if (name := _NAME.fullmatch(key))]
    if not found:
        raise wrong_folder(f"{root}: no pictures named as CUHK01's in campus", LAYOUT)
    pictures = [Picture(key, int(name[1]), (int(name[2]) + 1) // 2) for key, name in found]
    seen: dict[str, list[Tracklet]] = {}
    for tracklet in make_tracklets(pictures, grouped=bool(tracklets)):
        seen.setdefault(f"{tracklet.identity:04d}", []).append(tracklet)
    splits = tuple(two_camera_split(seen, train, test) for train, test in random_halves(sorted(seen)))
    return Dataset("cuhk01", splits, Folder(root).read, terms=TERMS, notes=(OWN_SPLITS,))
