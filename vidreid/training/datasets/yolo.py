"""A detection data set in YOLO's layout: every labelled person an unlabelled crop, for distillation only."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from vidreid.errors import InputError
from vidreid.training.datasets import JUNK, Box, Dataset, Split, Tracklet
from vidreid.training.datasets._crops import cut, decode
from vidreid.training.datasets._files import Archive, Files, Folder, inside, is_picture, natural, tar_stem, wrong_folder

LAYOUT = """
folder (or a tar of it)
├── data.yaml: train: train.txt, or a folder of images; names: [person]
├── train.txt: images/0001.jpg, one picture a line
├── images
│   └── 0001.jpg
└── labels
    └── 0001.txt: class x y w h, as fractions of the picture
"""

MARGIN = 0.25  # of the box's width and height, on each side: room for the augmentation's jitter


def open_dataset(root: Path, *, tracklets: bool | None = None) -> Dataset:
    """The training pictures' persons, each a tracklet of one picture with `MARGIN` around its box, identity `JUNK`.

    ``root`` is the folder, its data.yaml, a tar of it, or a folder that holds only that tar. ``tracklets`` has no
    meaning here: a detection data set does not say who is who.
    """
    files, config, settings = open_layout(root)
    base = PurePosixPath(config).parent
    person = person_class(settings.get("names"), config)
    labels: dict[str, tuple[str, Box]] = {}
    bad = 0
    known = frozenset(files.names())
    for picture in listed_pictures(files, known, base, settings.get("train"), config):
        label = label_of(picture)
        found, wrong = parse_labels(files.read(label).decode(errors="replace") if label in known else "", person)
        labels |= {f"{picture}#{number}": (picture, box) for number, box in enumerate(found)}
        bad += wrong
    pixels = functools.lru_cache(maxsize=8)(lambda picture: decode(files.read(picture), picture))

    def read(key: str) -> bytes:
        picture, box = labels[key]
        height, width = pixels(picture).shape[:2]
        x1, y1, x2, y2 = with_margin(box)[0]
        return cut(pixels(picture), (x1 * width, y1 * height, x2 * width, y2 * height), key)

    train = tuple(Tracklet((key,), JUNK, 1) for key in labels)
    boxes = {key: with_margin(box)[1] for key, (_, box) in labels.items()}
    notes = (f"{bad} label lines that are no boxes left out",) if bad else ()
    return Dataset("yolo", (Split(train),), read, boxes=boxes, notes=notes)


def parse_labels(text: str, person: int) -> tuple[list[Box], int]:
    """Boxes of a class, as x, y (centre), w, h in fractions of the picture; and the number of lines that are none.

    >>> parse_labels("0 .5 .5 .2 .4", person=0)
    ([(0.5, 0.5, 0.2, 0.4)], 0)
    """
    boxes, bad = [], 0
    for line in filter(str.strip, text.splitlines()):
        try:
            number, x, y, width, height = map(float, line.split())
        except ValueError:
            bad += 1
            continue
        sound = all(map(math.isfinite, (x, y, width, height))) and 0 <= x <= 1 and 0 <= y <= 1
        if not sound or not (0 < width <= 1 and 0 < height <= 1):
            bad += 1
        elif number == person:
            boxes.append((x, y, width, height))
    return boxes, bad


def with_margin(box: Box) -> tuple[Box, Box]:
    """Of a label: the region to cut out, `MARGIN` around the box as far as the picture goes, and the box within it.

    Both as x1, y1, x2, y2; the first in fractions of the picture, the second in fractions of the first.

    >>> with_margin((0.5, 0.5, 0.25, 0.5))[0]
    (0.3125, 0.125, 0.6875, 0.875)
    """
    x, width = _stretch(box[0], box[2])
    y, height = _stretch(box[1], box[3])
    return (x[0], y[0], x[1], y[1]), (width[0], height[0], width[1], height[1])


def _stretch(centre: float, size: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Along one axis: the ends of the region, and those of the box within it."""
    low, high = max(0.0, centre - size / 2), min(1.0, centre + size / 2)
    first, last = max(0.0, centre - size * (0.5 + MARGIN)), min(1.0, centre + size * (0.5 + MARGIN))
    return (first, last), ((low - first) / (last - first), (high - first) / (last - first))


def open_layout(root: Path) -> tuple[Files, str, dict[str, Any]]:
    """The files, the name of data.yaml among them, and what it says.

    ``root`` is the folder, its data.yaml, a tar of it, or a folder that holds only that tar."""
    if root.name == "data.yaml":
        root = root.parent
    files: Files = Folder(root)
    if root.is_dir():
        if (root / "data.yaml").is_file():
            return files, "data.yaml", _settings(files, "data.yaml")
        tars = [path for path in root.iterdir() if tar_stem(path)]
        if len(tars) == 1:
            files = Archive(tars[0])
    elif root.is_file():
        files = Archive(root)
    else:
        raise wrong_folder(f"{root}: no such folder or tar", LAYOUT)
    found = [name for name in files.names() if PurePosixPath(name).name == "data.yaml"]
    if not found:
        raise wrong_folder(f"{root}: no data.yaml in it", LAYOUT)
    config = min(found, key=lambda name: (name.count("/"), name))
    return files, config, _settings(files, config)


def _settings(files: Files, config: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(files.read(config))
    except yaml.YAMLError as error:
        raise wrong_folder(f"{config}: not YAML ({error})".replace("\n", " "), LAYOUT) from error
    if not isinstance(found, dict):
        raise wrong_folder(f"{config}: states nothing", LAYOUT)
    return found


def person_class(names: object, config: str) -> int:
    """The number of the class ``person``, or of the only class."""
    numbered = dict(enumerate(names)) if isinstance(names, list) else names if isinstance(names, dict) else {}
    for number, name in numbered.items():
        if str(name).lower() == "person" and isinstance(number, int):
            return number
    if len(numbered) > 1:
        raise InputError(f"{config}: no class 'person'", f"its classes: {', '.join(map(str, numbered.values()))}")
    return 0


def listed_pictures(
    files: Files, known: frozenset[str], base: PurePosixPath, named: object, config: str, part: str = "train"
) -> Iterator[str]:
    """Names of the pictures of a ``part``: those that a list names, or all below a folder; several of either in a
    list."""
    for entry in named if isinstance(named, list) else [named]:
        if not isinstance(entry, str):
            raise wrong_folder(f"{config}: states no {part}", LAYOUT)
        # Some exporters write ../train/images and mean the folder beside data.yaml.
        place = inside(str(base / entry.removeprefix("../")))
        if place in known:
            lines = files.read(place).decode(errors="replace").splitlines()
            yield from (inside(str(base / line.strip())) for line in lines if line.strip())
        else:
            below = sorted((name for name in known if name.startswith(f"{place}/") and is_picture(name)), key=natural)
            if not below:
                raise wrong_folder(f"{config}: no pictures in {place}", LAYOUT)
            yield from below


def label_of(picture: str) -> str:
    """The label file of a picture: the last ``images`` of its path is ``labels``."""
    path = PurePosixPath(picture).with_suffix(".txt")
    parts = list(path.parts)
    for place in range(len(parts) - 1, -1, -1):
        if parts[place] == "images":
            parts[place] = "labels"
            break
    return "/".join(parts)
