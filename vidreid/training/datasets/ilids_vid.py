"""iLIDS-VID (Wang et al., "Person Re-Identification by Video Ranking", ECCV 2014)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vidreid.errors import InputError
from vidreid.training.datasets import Dataset
from vidreid.training.datasets._files import Folder, find_root
from vidreid.training.datasets._matlab import read_mat
from vidreid.training.datasets._two_cameras import people_in, seen_by, two_camera_split
from vidreid.training.datasets._video import refuse_pictures

LAYOUT = """
iLIDS-VID
├── i-LIDS-VID
│   └── sequences
│       ├── cam1
│       │   └── person001
│       │       └── cam1_person001_00317.png
│       └── cam2
└── train-test people splits
    └── train_test_splits_ilidsvid.mat
"""

TERMS = "iLIDS-VID: pictures of real people, for research"

_CAMERAS = ("i-LIDS-VID/sequences/cam1", "i-LIDS-VID/sequences/cam2")
_SPLITS = "train-test people splits/train_test_splits_ilidsvid.mat"


def open_dataset(root: Path, *, tracklets: bool | None = None) -> Dataset:
    """300 people, a tracklet in each of two cameras; the ten official splits, 150 people to train on, 150 to score.

    Each row of the split file is a permutation of people: its first half is scored, its second trained on. Queries
    are camera 1's.
    """
    refuse_pictures("iLIDS-VID", tracklets)
    root = find_root(root, (*_CAMERAS, _SPLITS), LAYOUT)
    first, second = (people_in(root, folder) for folder in _CAMERAS)
    if first != second:
        raise InputError(f"{root}: cam1 and cam2 do not hold the same people", "unpack the archive again, all of it")
    rows = read_mat(root / _SPLITS, "ls_set").astype(np.int64) - 1
    if any(sorted(row) != list(range(len(first))) for row in rows.tolist()):
        raise InputError(f"{root / _SPLITS}: is for other people than the {len(first)} here", "fetch it again")
    seen = seen_by(root, _CAMERAS, first)
    half = len(first) // 2
    people = [[first[place] for place in row] for row in rows.tolist()]
    splits = tuple(two_camera_split(seen, sorted(row[half:]), sorted(row[:half])) for row in people)
    return Dataset("ilids-vid", splits, Folder(root).read, terms=TERMS)
