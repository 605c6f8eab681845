"""PRID-2011 (Hirzer et al., "Person Re-identification by Descriptive and Discriminative Classification", SCIA 2011)."""

from __future__ import annotations

import json
from pathlib import Path

from vidreid.errors import InputError
from vidreid.training.datasets import Dataset
from vidreid.training.datasets._files import Folder, find_root
from vidreid.training.datasets._two_cameras import people_in, random_halves, seen_by, two_camera_split
from vidreid.training.datasets._video import number_of, refuse_pictures

LAYOUT = """
prid2011
├── splits_prid2011.json (if you have it)
└── prid_2011
    └── multi_shot
        ├── cam_a
        │   └── person_0001
        │       └── 0001.png
        └── cam_b
"""

TERMS = "PRID-2011: pictures of real people, for research"
SHARED = 200  # people 1 to 200 are in both views; later numbers are other people in each
OWN_SPLITS = "ten random halves of this program; splits_prid2011.json beside prid_2011 is taken where it is there"

_CAMERAS = ("multi_shot/cam_a", "multi_shot/cam_b")
_SPLITS = "splits_prid2011.json"


def open_dataset(root: Path, *, tracklets: bool | None = None) -> Dataset:
    """The 200 people of both views, a tracklet in each, ten splits, queries of view A.

    Splits are those of ``splits_prid2011.json`` ([{"train": ["person_0001", ...], "test": [...]}, ...]), which the
    field shares and which leaves out 22 people with few pictures; else ten random halves (`random_halves`).
    """
    refuse_pictures("PRID-2011", tracklets)
    top = root
    root = find_root(root / "prid_2011" if (root / "prid_2011").is_dir() else root, _CAMERAS, LAYOUT)
    stored = next((path for path in (top / _SPLITS, root.parent / _SPLITS) if path.is_file()), None)
    both = set(people_in(root, _CAMERAS[0])) & set(people_in(root, _CAMERAS[1]))
    people = sorted(name for name in both if number_of(name) <= SHARED)
    halves = random_halves(people) if stored is None else _read_splits(stored, people)
    seen = seen_by(root, _CAMERAS, people)
    splits = tuple(two_camera_split(seen, train, test) for train, test in halves)
    return Dataset("prid2011", splits, Folder(root).read, terms=TERMS, notes=() if stored else (OWN_SPLITS,))


def _read_splits(path: Path, people: list[str]) -> list[tuple[list[str], list[str]]]:
    try:
        halves = [
            (list(map(str, split["train"])), list(map(str, split["test"]))) for split in json.loads(path.read_text())
        ]
    except (ValueError, KeyError, TypeError) as error:
        hint = 'expected [{"train": ["person_0001", ...], "test": [...]}, ...]'
        raise InputError(f"{path}: not a file of splits ({error})", hint) from error
    strangers = {person for half in halves for side in half for person in side} - set(people)
    if strangers:
        raise InputError(f"{path}: names {min(strangers)}, who is not in both views", "fetch the data set again, whole")
    return halves
