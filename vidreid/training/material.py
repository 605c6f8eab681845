"""Data sets made ready to train on: pictures decoded, people numbered, batches drawn."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vidreid.errors import InputError
from vidreid.training.datasets import Dataset, Tracklet
from vidreid.training.pictures import InMemory, OnDemand, Pictures, Read, readable
from vidreid.training.recipe import Data
from vidreid.training.sampler import Sample, Sampler
from vidreid.types import Array

ROOM = 0.6  # share of the free memory that decoded pictures may take
WHOLE = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Material:
    """What a training draws from. ``skipped`` pictures could not be decoded."""

    pictures: Pictures
    sampler: Sampler
    people: int
    skipped: tuple[str, ...]


def gather(
    labelled: Sequence[Dataset],
    strangers: Sequence[Dataset],
    data: Data,
    *,
    device: str,
    seed: int,
    rank: int = 0,
    ranks: int = 1,
) -> Material:
    """Decode the training tracklets of data sets. People of different sets are different people.

    Of ``strangers`` only pictures are taken, no labels. `InputError` where a set has nobody to train on.
    """
    everything = [*labelled, *strangers]
    store = _Store(data.size, _room(device, sum(_count(dataset) for dataset in everything), data.size))
    samples = []
    people: dict[tuple[int, int], int] = {}
    for number, dataset in enumerate(labelled):
        known = [one for one in dataset.splits[0].train if one.identity >= 0]
        if not known:
            raise InputError(f"{dataset.name}: nobody to train on", "give a set with tracklets of the split train")
        store.add(dataset, known)
        for tracklet in known:
            kept = store.numbers(dataset, tracklet)
            if len(kept):
                person = people.setdefault((number, tracklet.identity), len(people))
                samples.append(Sample(kept, person, tracklet.camera))
    first = store.count
    for dataset in strangers:
        store.add(dataset, dataset.splits[0].train)
    unlabelled = np.arange(first, store.count)
    if data.strangers and not len(unlabelled):
        raise InputError("the recipe wants pictures of strangers", "give some: --strangers NAME=ROOT")
    sampler = Sampler(samples, unlabelled, data, seed=seed, rank=rank, ranks=ranks)
    return Material(store.pictures(), sampler, len(people), tuple(store.skipped))


class _Store:
    """Pictures as they come in: pixels on ``place``, or only their keys where that is None."""

    def __init__(self, size: tuple[int, int], place: str | None) -> None:
        self._size, self._place = size, place
        self._pixels: list[Array] = []
        self._keys: list[tuple[Read, str]] = []
        self._boxes: list[tuple[float, float, float, float]] = []
        self._numbers: dict[tuple[int, str], int] = {}
        self.skipped: list[str] = []

    @property
    def count(self) -> int:
        return len(self._boxes)

    def add(self, dataset: Dataset, tracklets: Sequence[Tracklet]) -> None:
        """Decode pictures, once each, to keep them or only to learn which ones are broken."""
        keys = list(dict.fromkeys(key for tracklet in tracklets for key in tracklet.pictures))
        for key, pixels in readable(dataset.read, keys, self._size):
            if pixels is None:
                self.skipped.append(f"{dataset.name}: {key}")
                continue
            self._numbers[id(dataset), key] = self.count
            self._boxes.append(dataset.boxes.get(key, WHOLE))
            if self._place is None:
                self._keys.append((dataset.read, key))
            else:
                self._pixels.append(pixels)

    def numbers(self, dataset: Dataset, tracklet: Tracklet) -> Array:
        """Numbers of a tracklet's readable pictures."""
        found = (self._numbers.get((id(dataset), key)) for key in tracklet.pictures)
        return np.array([number for number in found if number is not None], int)

    def pictures(self) -> Pictures:
        boxes = torch.tensor(self._boxes)
        if self._place is None:
            return OnDemand(self._keys, self._size, boxes)
        return InMemory(torch.from_numpy(np.stack(self._pixels)).to(self._place), boxes.to(self._place))


def _count(dataset: Dataset) -> int:
    return sum(len(tracklet.pictures) for tracklet in dataset.splits[0].train)


def _room(device: str, pictures: int, size: tuple[int, int]) -> str | None:
    """Where decoded pictures fit: on the device, in the memory beside it, or nowhere (None)."""
    wanted = pictures * 3 * size[0] * size[1]
    if device.startswith("cuda") and wanted < ROOM * torch.cuda.mem_get_info()[0]:
        return device
    return "cpu" if wanted < ROOM * _free_memory() else None


def _free_memory() -> int:
    """Bytes that can be had without swapping."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)

