"""Data sets made ready to train on: pictures decoded, people numbered, batches drawn."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vidreid.errors import InputError
from vidreid.posix import free_memory
from vidreid.training.datasets import DISTRACTOR, WHOLE, Box, Dataset, Tracklet
from vidreid.training.pictures import InMemory, OnDemand, Pictures, Read, readable
from vidreid.training.place import Place
from vidreid.training.recipe import Data
from vidreid.training.sampler import Sample, Sampler
from vidreid.types import Array

ROOM = 0.6  # share of the free memory that decoded pictures may take


@dataclass(frozen=True)
class Material:
    """What a training draws from. ``skipped`` pictures could not be decoded; ``digest`` is of who is on which, and of
    the strangers' pictures."""

    pictures: Pictures
    sampler: Sampler
    people: int
    digest: str
    skipped: tuple[str, ...]


def gather(
    labelled: Sequence[Dataset], strangers: Sequence[Dataset], data: Data, *, place: Place, seed: int, split: int = 1
) -> Material:
    """Decode the training tracklets of data sets. People of different sets are different people.

    Of ``strangers``, of distractors and of junk only pictures are taken, no labels. Sets of several splits are trained
    on one, ``split``, counted from 1. `InputError` where a set has nobody to train on.
    """
    if strangers and not data.strangers:
        raise InputError("the recipe takes no pictures of strangers", "--set data.strangers=16")
    known = [(dataset, [one for one in _train(dataset, split) if _named(one)]) for dataset in labelled]
    others: list[tuple[Dataset, list[Tracklet]]] = []
    if data.strangers:
        others += [(dataset, [one for one in _train(dataset, split) if not _named(one)]) for dataset in labelled]
        others += [(dataset, list(_train(dataset, split))) for dataset in strangers]
    most = sum(len(one.pictures) for _, tracklets in (*known, *others) for one in tracklets)
    store = _Store(data.size, most, place)
    samples: list[Sample] = []
    people = 0
    for dataset, tracklets in known:
        samples += _samples(store, dataset, tracklets, people)
        people = 1 + max(sample.person for sample in samples)
    unlabelled = [kept for dataset, tracklets in others for _, kept in store.add(dataset, tracklets)]
    if data.strangers and not unlabelled:
        raise InputError("the recipe wants pictures of strangers", "give some: --strangers LAYOUT=ROOT")
    sampler = Sampler(samples, unlabelled, data, seed=seed, rank=place.rank, ranks=place.ranks)
    return Material(store.pictures(), sampler, people, store.digest(samples, unlabelled), tuple(store.skipped))


def _train(dataset: Dataset, split: int) -> Sequence[Tracklet]:
    """What is trained on of a set, which may have one split only."""
    count = len(dataset.splits)
    if count > 1 and not 1 <= split <= count:
        raise InputError(f"{dataset.name}: no split {split}", f"it has 1 to {count}")
    return dataset.splits[split - 1 if count > 1 else 0].train


def _samples(store: _Store, dataset: Dataset, tracklets: Sequence[Tracklet], first: int) -> list[Sample]:
    """The tracklets of named people, who get numbers from ``first`` on, without their broken pictures."""
    whole = store.add(dataset, tracklets)
    if not whole:
        raise InputError(f"{dataset.name}: nobody to train on", "give a set with tracklets of the split train")
    people = {identity: first + n for n, identity in enumerate(dict.fromkeys(one.identity for one, _ in whole))}
    return [Sample(kept, people[tracklet.identity], tracklet.camera) for tracklet, kept in whole]


def _named(tracklet: Tracklet) -> bool:
    return tracklet.identity > DISTRACTOR


class _Store:
    """Pictures as they come in, up to ``most``: pixels where memory allows, else only their keys."""

    def __init__(self, size: tuple[int, int], most: int, place: Place) -> None:
        shape = (most, 3, *size)
        self._size = size
        self._device = _device(place, math.prod(shape))
        # Beside the GPU, memory that is never written to is never taken.
        self._pixels = torch.empty(shape if self._device else 0, dtype=torch.uint8, device=self._device)
        self._keys: list[tuple[Read, str]] = []
        self._boxes: list[Box] = []
        self._numbers: dict[tuple[int, str], int] = {}
        self.skipped: list[str] = []

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, dataset: Dataset, tracklets: Sequence[Tracklet]) -> list[tuple[Tracklet, Array]]:
        """Decode pictures, once each, to keep them or only to learn which ones are broken.

        Returns tracklets with the numbers of their readable pictures, without those that have none."""
        keys = list(dict.fromkeys(key for tracklet in tracklets for key in tracklet.pictures))
        for key, pixels in readable(dataset.read, keys, self._size):
            if pixels is None:
                self.skipped.append(f"{dataset.name}: {key}")
                continue
            if self._device:
                self._pixels[len(self)] = torch.from_numpy(pixels)
            self._numbers[id(dataset), key] = len(self)
            self._boxes.append(dataset.boxes.get(key, WHOLE))
            self._keys.append((dataset.read, key))
        return [(one, kept) for one in tracklets if len(kept := self._readable(dataset, one))]

    def _readable(self, dataset: Dataset, tracklet: Tracklet) -> Array:
        found = (self._numbers.get((id(dataset), key)) for key in tracklet.pictures)
        return np.array([number for number in found if number is not None], int)

    def digest(self, samples: Sequence[Sample], strangers: Sequence[Array]) -> str:
        """SHA-256 of the names of everybody's pictures, in order."""
        named = [[sample.person, *self._names(sample.pictures)] for sample in samples]
        return hashlib.sha256(json.dumps([named, [*map(self._names, strangers)]]).encode()).hexdigest()

    def _names(self, numbers: Array) -> list[str]:
        return [self._keys[number][1] for number in numbers]

    def pictures(self) -> Pictures:
        """All of them, where they are to stay."""
        boxes = torch.tensor(self._boxes)
        if self._device is None:
            return OnDemand(self._keys, self._size, boxes)
        return InMemory(self._pixels[: len(self)], boxes.to(self._device))


def _device(place: Place, wanted: int) -> str | None:
    """Where so many bytes fit: on the GPU, in the memory that all processes share, or nowhere (None)."""
    if place.device.startswith("cuda") and wanted <= ROOM * torch.cuda.mem_get_info()[0]:
        return place.device
    return "cpu" if wanted <= ROOM * free_memory() / place.ranks else None
