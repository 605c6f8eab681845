"""Labelled pictures in YOLO's layout, a folder or a tar of it; sets are told by the folder above ``images``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from vidreid.training.datasets._crops import decode
from vidreid.training.datasets._files import Files, inside
from vidreid.training.datasets.yolo import label_of, listed_pictures, open_layout, parse_labels, person_class
from vidreid.training.detector.sources import Part, Picture, Source, check_root
from vidreid.types import Boxes, Image

UNLABELLED = "unlabelled.txt"  # beside data.yaml: pictures of people whom nobody labelled


def open_source(root: Path, part: Part) -> Source:
    """The pictures that data.yaml names as ``part``; for training also those of ``unlabelled.txt``, without boxes.

    A picture without a label file, or with an empty one, is one without people. `InputError` where this is no such
    layout.
    """
    check_root(root)
    files, config, settings = open_layout(root)
    known = frozenset(files.names())
    person = person_class(settings.get("names"), config)
    base = PurePosixPath(config).parent
    unlabelled = dict.fromkeys(_unlabelled(files, known, base))
    wrong, pictures = 0, []
    for key in listed_pictures(files, known, base, settings.get(part), config, part):
        if key in unlabelled:
            continue
        label = label_of(key)
        text = files.read(label).decode(errors="replace") if label in known else ""
        found, bad = parse_labels(text, person)
        wrong += bad
        pictures.append(Picture(_set_of(key, root.stem), key, _corners(found)))
    if part == "train":
        pictures += [Picture(_set_of(key, root.stem), key, None) for key in unlabelled]
    notes = (f"{wrong} label lines that are no boxes left out",) if wrong else ()

    def read(key: str) -> Image:
        return np.asarray(cv2.cvtColor(decode(files.read(key), key), cv2.COLOR_BGR2RGB))

    return Source(root.stem, tuple(pictures), read, notes=notes)


def _unlabelled(files: Files, known: frozenset[str], base: PurePosixPath) -> Iterable[str]:
    listing = inside(str(base / UNLABELLED))
    lines = files.read(listing).decode(errors="replace").splitlines() if listing in known else []
    return [inside(str(base / line.strip())) for line in lines if line.strip()]


def _set_of(key: str, whole: str) -> str:
    """The folder above ``images``, or the first folder where there is none; ``whole`` where nothing is above."""
    folders = PurePosixPath(key).parts[:-1]
    above = folders[: folders.index("images")] if "images" in folders else folders[:1]
    return above[-1] if above else whole


def _corners(found: Iterable[tuple[float, float, float, float]]) -> Boxes:
    """Centres and sizes as corners, within the picture."""
    boxes = np.array(list(found), np.float32).reshape(-1, 4)
    corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)
    return np.asarray(np.clip(corners, 0, 1), np.float32)
