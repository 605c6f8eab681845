"""CUHK03 (Li et al., "DeepReID", CVPR 2014) in its new protocol (Zhong et al., "Re-ranking Person Re-identification
with k-reciprocal Encoding", CVPR 2017)."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from vidreid.errors import InputError
from vidreid.training.datasets import Dataset
from vidreid.training.datasets._files import Folder, wrong_folder
from vidreid.training.datasets._matlab import read_mat
from vidreid.training.datasets._tracklets import Picture, image_split
from vidreid.training.datasets._video import pictures_in

LAYOUT = """
cuhk03-np                          or  cuhk03
├── detected (or labeled)              ├── images_detected (or images_labeled)
│   ├── bounding_box_train             │   └── 1_001_1_01.png
│   │   └── 0001_c1_1.png              └── splits_new_detected.json
│   ├── bounding_box_test                  (or cuhk03_new_protocol_config_detected.mat)
│   └── query
└── ...
"""

TERMS = "CUHK03: for research"

_PARTS = ("bounding_box_train", "query", "bounding_box_test")
_NEW_NAME = re.compile(r"(\d{4})_c(\d)_\d+\.png")
_OLD_NAME = re.compile(r"(\d)_(\d{3})_(\d)_\d+\.png")


def open_dataset(root: Path, *, tracklets: bool | None = None) -> Dataset:
    """767 people to train on, 700 to score, single query, as extracted pictures in either of two layouts.

    Detected boxes where both kinds are there; give the folder ``labeled`` or ``images_labeled`` itself for those
    drawn by hand. The authors' cuhk-03.mat is not read: it is HDF5. With ``tracklets``, pictures of one person and
    camera together, as in Market-1501.
    """
    for folder in (root, root / "detected", root / "labeled"):
        if all((folder / part).is_dir() for part in _PARTS):
            pictures = [_of_new_layout(folder, part) for part in _PARTS]
            return _dataset(folder, pictures, tracklets)
    for folder in (root, root / "images_detected", root / "images_labeled"):
        if folder.name.startswith("images_") and folder.is_dir():
            return _dataset(folder, _of_old_layout(folder), tracklets)
    found = "only cuhk-03.mat, which is not read" if any(root.rglob("cuhk-03.mat")) else "no CUHK03 in it"
    raise wrong_folder(f"{root}: {found}", LAYOUT)


def _dataset(folder: Path, pictures: list[list[Picture]], tracklets: bool | None) -> Dataset:
    train, query, gallery = pictures
    if not (train and query and gallery):
        raise wrong_folder(f"{folder}: no pictures named as CUHK03's for training, query or gallery", LAYOUT)
    split, notes = image_split(train, query, gallery, grouped=bool(tracklets))
    kind = f"boxes: {folder.name.removeprefix('images_')}"
    return Dataset("cuhk03", (split,), Folder(folder).read, terms=TERMS, notes=(kind, *notes))


def _of_new_layout(folder: Path, part: str) -> list[Picture]:
    keys = pictures_in(folder, part)
    found = ((key, _NEW_NAME.fullmatch(PurePosixPath(key).name)) for key in keys)
    return [Picture(key, int(name[1]), int(name[2])) for key, name in found if name]


def _of_old_layout(folder: Path) -> list[list[Picture]]:
    """Training, query and gallery pictures as the new protocol's file beside ``folder`` says."""
    kind = folder.name.removeprefix("images_")
    as_json = folder.parent / f"splits_new_{kind}.json"
    as_mat = folder.parent / f"cuhk03_new_protocol_config_{kind}.mat"
    if as_json.is_file():
        names = _read_json(as_json)
    elif as_mat.is_file():
        names = _read_mat(as_mat)
    else:
        raise wrong_folder(f"{folder.parent}: no {as_json.name}, no {as_mat.name}", LAYOUT)
    return [[_picture(name) for name in part] for part in names]


def _picture(name: str) -> Picture:
    """A picture named pair_person_view_number. The split files count people anew: only the name tells who it is."""
    found = _OLD_NAME.fullmatch(name)
    if found is None:
        raise InputError(f"{name}: not named as CUHK03's pictures are (1_001_1_01.png)", "extract them again")
    return Picture(name, int(found[1]) * 1000 + int(found[2]), int(found[3]))


def _read_json(path: Path) -> list[list[str]]:
    try:
        split: dict[str, Any] = json.loads(path.read_text())[0]
        # Paths of whoever wrote the file; their last part is what counts.
        return [[PureWindowsPath(str(row[0])).name for row in split[part]] for part in ("train", "query", "gallery")]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise InputError(f"{path}: not a file of splits ({error!r})", "extract the data set again") from error


def _read_mat(path: Path) -> list[list[str]]:
    names = [str(cell.item()) for cell in read_mat(path, "filelist").ravel()]
    parts = [read_mat(path, f"{part}_idx").ravel() - 1 for part in ("train", "query", "gallery")]
    if any(len(part) and not 0 <= part.min() <= part.max() < len(names) for part in parts):
        raise InputError(f"{path}: names pictures that it does not list", "fetch it again")
    return [[names[place] for place in part] for part in parts]
