"""Sets of people seen once by each of two cameras, scored over ten halves (iLIDS-VID, PRID-2011, CUHK01)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from vidreid.training.datasets import Split, Tracklet
from vidreid.training.datasets._files import natural
from vidreid.training.datasets._video import number_of, pictures_in

SPLITS = 10


def random_halves(people: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    """Ten divisions of ``people`` into training (the smaller half) and testing.

    Division k is the permutation of `numpy.random.RandomState` with seed k, which NumPy has promised not to change.
    """
    halves = []
    for seed in range(SPLITS):
        order = [people[place] for place in np.random.RandomState(seed).permutation(len(people))]
        halves.append((sorted(order[: len(people) // 2]), sorted(order[len(people) // 2 :])))
    return halves


def two_camera_split(seen: Mapping[str, Sequence[Tracklet]], train: Iterable[str], test: Iterable[str]) -> Split:
    """Train on both cameras of some people (``seen``: tracklets by person); of the others the first camera's tracklets
    are queries, the second's the gallery."""
    scored = [tracklet for person in test for tracklet in seen[person]]
    return Split(
        tuple(tracklet for person in train for tracklet in seen[person]),
        tuple(tracklet for tracklet in scored if tracklet.camera == 1),
        tuple(tracklet for tracklet in scored if tracklet.camera == 2),
    )


def people_in(root: Path, folder: str) -> list[str]:
    """Names of the people's folders of a camera, in natural order."""
    return sorted((path.name for path in (root / folder).iterdir() if path.is_dir()), key=natural)


def seen_by(root: Path, cameras: Sequence[str], people: Iterable[str]) -> dict[str, list[Tracklet]]:
    """Each person's tracklet in each camera, whose folders hold a folder a person."""
    return {
        person: [
            Tracklet(pictures_in(root, f"{folder}/{person}"), number_of(person), camera)
            for camera, folder in enumerate(cameras, 1)
        ]
        for person in people
    }
