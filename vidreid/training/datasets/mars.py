"""MARS (Zheng et al., "MARS: A Video Benchmark for Large-Scale Person Re-identification", ECCV 2016)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vidreid.errors import InputError
from vidreid.training.datasets import JUNK, Dataset, Split, Tracklet
from vidreid.training.datasets._files import Folder, find_root
from vidreid.training.datasets._matlab import read_mat
from vidreid.training.datasets._video import refuse_pictures
from vidreid.types import Array

LAYOUT = """
MARS
├── bbox_train
│   └── 0001
│       └── 0001C1T0001F001.jpg
├── bbox_test
└── info (of github.com/liangzheng06/MARS-evaluation)
    ├── train_name.txt
    ├── test_name.txt
    ├── tracks_train_info.mat
    ├── tracks_test_info.mat
    └── query_IDX.mat
"""

TERMS = "MARS: pictures of real people, for research"

_INFO = tuple(
    f"info/{name}"
    for name in (
        "train_name.txt",
        "test_name.txt",
        "tracks_train_info.mat",
        "tracks_test_info.mat",
        "query_IDX.mat",
    )
)


def open_dataset(root: Path, *, tracklets: bool | None = None) -> Dataset:
    """MARS by its info files: 8,298 training tracklets of 625 people, 1,980 queries, 11,310 in the gallery.

    Junk (870 tracklets) is left out, which changes no score; the gallery begins with the queries, without which 140
    of them have no match. Average precision is the rectangle's, as in the TCLNet program; the set's own MATLAB
    program takes the trapezoid's.
    """
    refuse_pictures("MARS", tracklets)
    root = find_root(root, ("bbox_train", "bbox_test", *_INFO), LAYOUT)
    train = _tracklets(root, "train")
    test = _tracklets(root, "test")
    rows = read_mat(root / "info" / "query_IDX.mat", "query_IDX").astype(np.int64).ravel() - 1
    if len(rows) and not 0 <= rows.min() <= rows.max() < len(test):
        raise InputError(f"{root}: query_IDX.mat names tracklets that are not there", "take all info files of one copy")
    asked = set(rows.tolist())
    query = tuple(test[row] for row in rows if test[row].identity != JUNK)
    others = tuple(item for row, item in enumerate(test) if row not in asked and item.identity != JUNK)
    junk = sum(item.identity == JUNK for item in test)
    notes = (f"{junk} junk tracklets left out",) if junk else ()
    return Dataset("mars", (Split(train, query, query + others),), Folder(root).read, terms=TERMS, notes=notes)


def _tracklets(root: Path, part: str) -> tuple[Tracklet, ...]:
    """Every tracklet of ``train`` or ``test``, in the order of the info file."""
    names = (root / "info" / f"{part}_name.txt").read_text().split()
    table = read_mat(root / "info" / f"tracks_{part}_info.mat", f"track_{part}_info").astype(np.int64)
    if table.ndim != 2 or table.shape[1] != 4 or not _within(table, len(names)):
        hint = "take all info files of one copy"
        raise InputError(f"{root}: tracks_{part}_info.mat does not belong to {part}_name.txt", hint)
    folder = f"bbox_{part}"
    return tuple(
        Tracklet(
            tuple(f"{folder}/{name[:4]}/{name}" for name in names[first - 1 : last]),
            identity,
            camera,
            names[first - 1][6:11],
        )
        for first, last, identity, camera in table.tolist()
    )


def _within(table: Array, count: int) -> bool:
    """Whether first and last names, from 1, are among ``count`` and in order."""
    return bool((table[:, 0] >= 1).all() and (table[:, 0] <= table[:, 1]).all() and (table[:, 1] <= count).all())
