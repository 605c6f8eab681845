"""The pictures of a training in memory, and the batches that are drawn from them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from vidreid.errors import InputError
from vidreid.training.detector.augmentation import Augmentation, View, pasted, view
from vidreid.training.detector.degradation import degraded
from vidreid.training.detector.recipe import Data, Set
from vidreid.training.detector.sources import Source
from vidreid.training.detector.targets import Truth
from vidreid.types import Boxes, Image

QUALITY = 95
TALL = 48  # pixels of height of people who are pasted elsewhere


@dataclass(frozen=True, eq=False)
class Kept:
    """A picture in memory: JPEG, and the boxes of its people in its pixels, None where nobody labelled it."""

    jpeg: bytes
    boxes: Boxes | None
    set: Set


@dataclass(frozen=True, eq=False)
class Batch:
    """Views as they are (B, 3, S, S) uint8 for the teacher, as a bad camera stored them for the learner, and their
    labels."""

    clean: Tensor
    degraded: Tensor
    truths: list[Truth | None]


@dataclass(frozen=True, eq=False)
class Material:
    """All pictures, and who of them can be pasted elsewhere: (picture, person).

    ``skipped`` pictures could not be decoded; ``notes`` are lines for the user. ``digest`` is of the pictures' names,
    sizes and labels, not of their pixels, which another build of a decoder may round otherwise.
    """

    pictures: Sequence[Kept]
    people: Sequence[tuple[int, int]]
    skipped: Sequence[str]
    digest: str
    notes: Sequence[str] = ()

    def batch(self, data: Data, wanted: Augmentation, seed: tuple[int, ...]) -> Batch:
        """A function of its arguments alone."""
        rng = np.random.default_rng(seed)
        weights = np.array([picture.set.weight for picture in self.pictures])
        size = int(rng.choice(data.sizes))
        chosen = rng.choice(len(weights), data.pictures, p=weights / weights.sum())
        views, worse, truths = [], [], []
        for number in chosen:
            picture = self.pictures[number]
            seen = self._view(picture, size, data.natural, wanted, rng)
            views.append(seen.image)
            worse.append(degraded(seen.image, wanted, rng))
            truths.append(_truth(picture, seen))
        return Batch(_stacked(views), _stacked(worse), truths)

    def _view(self, picture: Kept, size: int, natural: int, wanted: Augmentation, rng: np.random.Generator) -> View:
        boxes = np.zeros((0, 4), np.float32) if picture.boxes is None else picture.boxes
        seen = view(_decoded(picture.jpeg), boxes, size, natural, wanted, rng)
        if self.people and rng.random() < wanted.paste:
            chosen = rng.integers(len(self.people), size=rng.integers(1, 5))
            seen = pasted(seen, [self._person(*self.people[number]) for number in chosen], rng)
        return seen

    def _person(self, number: int, person: int) -> Image:
        picture = self.pictures[number]
        assert picture.boxes is not None
        x1, y1, x2, y2 = np.round(picture.boxes[person]).astype(int)
        return _decoded(picture.jpeg)[y1:y2, x1:x2]


def gather(sources: Sequence[Source], data: Data, wanted: Augmentation) -> Material:
    """Read every picture once, and keep it as large as views will ever show it; broken ones are skipped and named."""
    longest = math.ceil(data.natural * wanted.zoom[1])
    kept: list[Kept] = []
    skipped: list[str] = []
    digest = hashlib.sha256()
    for source in sources:
        unnamed = Set(complete=0.0 if source.partial else 1.0)
        for picture in source.pictures:
            try:
                image = source.read(picture.key)
            except OSError:
                skipped.append(f"{source.name}: {picture.key}")
                continue
            boxes = None if picture.boxes is None else picture.boxes.tolist()
            digest.update(json.dumps([picture.source, picture.key, image.shape[:2], boxes]).encode())
            kept.append(_kept(image, picture.boxes, data.sets.get(picture.source, unnamed), longest))
    if not any(picture.set.weight for picture in kept):
        raise InputError("no pictures to learn from", "give --data yolo=ROOT or footage=ROOT")
    return Material(kept, _people(kept), skipped, digest.hexdigest(), _notes(sources, data.sets))


def _notes(sources: Sequence[Source], named: Collection[str]) -> list[str]:
    """Where a recipe's names and those of the data differ, if it names sets at all: one may be misspelt."""
    if not named:
        return []
    found = {
        picture.source: "partial" if source.partial else "complete" for source in sources for picture in source.pictures
    }
    notes = [
        f"set {name}: not in the recipe, weight 1, any labels taken as {labels}"
        for name, labels in found.items()
        if name not in named
    ]
    if missing := [name for name in named if name not in found]:
        notes.append(f"not among the data, but in the recipe: set {', '.join(missing)}")
    return notes


def _kept(image: Image, shares: Boxes | None, found: Set, longest: int) -> Kept:
    scale = longest / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = image.shape[:2]
    jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
    boxes = None if shares is None else shares * np.array([width, height] * 2, np.float32)
    return Kept(jpeg, boxes, found)


def _people(kept: Sequence[Kept]) -> list[tuple[int, int]]:
    """Whole, upright people whom nobody stands before, in sets whose labels are complete."""
    found = []
    for number, picture in enumerate(kept):
        if picture.boxes is None or picture.set.complete < 0.5 or not picture.set.weight:
            continue
        boxes = picture.boxes
        sides = boxes[:, 2:] - boxes[:, :2]
        shape = sides[:, 1] / np.maximum(sides[:, 0], 1e-6)
        corner = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
        overlap = np.clip(np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - corner, 0, None).prod(2)
        np.fill_diagonal(overlap, 0)
        free = overlap.sum(1) < 0.05 * sides.prod(1)
        fit = (sides[:, 1] >= TALL) & (shape > 1.8) & (shape < 4.5) & free
        found += [(number, int(person)) for person in np.flatnonzero(fit)]
    return found


def _truth(picture: Kept, seen: View) -> Truth | None:
    if picture.boxes is None and not len(seen.boxes):
        return None
    # People who were pasted onto an unlabelled picture are its only labels.
    complete = 0.0 if picture.boxes is None else picture.set.complete
    return Truth(torch.from_numpy(seen.boxes), torch.from_numpy(seen.cut), complete)


def _decoded(jpeg: bytes) -> Image:
    return np.asarray(cv2.cvtColor(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))


def _stacked(images: Sequence[Image]) -> Tensor:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
