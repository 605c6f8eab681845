"""LS-VID (Li et al., "Global-Local Temporal Representations for Video Person Re-Identification", ICCV 2019)."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path, PurePosixPath

import numpy as np

from vidreid.errors import InputError
from vidreid.training.datasets import Dataset, Split, Tracklet
from vidreid.training.datasets._files import Folder, find_root, inside, wrong_folder
from vidreid.training.datasets._matlab import read_mat
from vidreid.training.datasets._video import pictures_in, refuse_pictures
from vidreid.types import Array

LAYOUT = """
LS-VID
├── list_sequence (or info/list_sequence)
│   ├── list_seq_train.txt
│   └── list_seq_test.txt
├── test/data/info_test.mat (or info/data/info_test.mat, or test/query.npy)
├── tracklet_train
│   └── 0000
│       └── 0000_0001_12_0015630.jpg
└── tracklet_test
"""

TERMS = "LS-VID: given out for academic research under an agreement"

_QUERIES = ("test/query.npy", "test/data/info_test.mat", "info/data/info_test.mat")


def open_dataset(root: Path, *, tracklets: bool | None = None) -> Dataset:
    """LS-VID by its lists: 842 people to train on (2,831 tracklets), 3,504 queries, all 11,333 test tracklets in the
    gallery, the queries first. Identities are the lists' and one more, since theirs count from 0.

    ``info_test.mat`` is HDF5: it needs h5py.
    """
    refuse_pictures("LS-VID", tracklets)
    root = find_root(root, ("tracklet_train", "tracklet_test"), LAYOUT)
    train, test = (_tracklets(root, f"list_sequence/list_seq_{part}.txt") for part in ("train", "test"))
    rows = _queries(root)
    if len(rows) == 0 or not 0 <= rows.min() <= rows.max() < len(test):
        raise InputError(f"{root}: the queries' numbers do not fit list_seq_test.txt", "take all lists of one copy")
    asked = set(rows.tolist())
    query = tuple(test[row] for row in rows)
    gallery = query + tuple(item for row, item in enumerate(test) if row not in asked)
    return Dataset("ls-vid", (Split(train, query, gallery),), Folder(root).read, terms=TERMS)


def _queries(root: Path) -> Array:
    """Places of the queries in the test list, from 0."""
    path = next((root / name for name in _QUERIES if (root / name).is_file()), None)
    if path is None:
        raise wrong_folder(f"{root}: none of {', '.join(_QUERIES)}", LAYOUT)
    if path.suffix == ".mat":
        return read_mat(path, "query").astype(np.int64).ravel() - 1
    try:
        return np.asarray(np.load(path, allow_pickle=False)).astype(np.int64).ravel() - 1
    except (ValueError, EOFError) as error:
        raise InputError(
            f"{path}: not an array of numbers ({error})", "store it with numpy.save, without objects"
        ) from error


def _tracklets(root: Path, name: str) -> tuple[Tracklet, ...]:
    """The tracklets of a list, whose lines are the start of their pictures' paths, and the identity."""
    path = next((root / top / name for top in ("", "info") if (root / top / name).is_file()), None)
    if path is None:
        raise wrong_folder(f"{root}: no {name}", LAYOUT)
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    pictures: dict[str, dict[str, list[str]]] = {}
    found = []
    for line in lines:
        if len(line) != 2 or not line[1].isdecimal():
            raise InputError(f"{path}: {' '.join(line)!r} is not a tracklet and its identity", "fetch it again")
        start = inside(line[0]).rstrip("_")
        folder = str(PurePosixPath(start).parent)
        if folder not in pictures:
            pictures[folder] = _by_start(root, folder)
        mine = pictures[folder].get(start)
        if not mine:
            raise InputError(f"{root}: no pictures {start}_*", "unpack the archive again, all of it")
        found.append(Tracklet(tuple(mine), int(line[1]) + 1, _camera(mine[0]), PurePosixPath(start).name))
    return tuple(found)


def _by_start(root: Path, folder: str) -> dict[str, list[str]]:
    """Pictures of a folder by tracklet: the key up to its last ``_``, after which comes the frame."""
    found: dict[str, list[str]] = defaultdict(list)
    if (root / folder).is_dir():
        for key in pictures_in(root, folder):
            found[key.rpartition("_")[0]].append(key)
    return found


def _camera(key: str) -> int:
    """The camera, third of the four parts of a picture's name: ``0000_0001_12_0015630.jpg``."""
    parts = PurePosixPath(key).stem.split("_")
    if len(parts) != 4 or not parts[2].isdecimal():
        raise InputError(f"{key}: not named person_tracklet_camera_frame", "leave the data set's own names as they are")
    return int(parts[2])
