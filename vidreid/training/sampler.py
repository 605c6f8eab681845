"""Which pictures a step's batch is made of: P people, K clips each, T frames a clip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from vidreid.training.recipe import Data
from vidreid.types import Array


@dataclass(frozen=True)
class Sample:
    """A tracklet to train on: numbers of its pictures in order of time, its person (0..K-1) and camera."""

    pictures: Array
    person: int
    camera: int


@dataclass(frozen=True)
class Batch:
    """``pictures`` (B, T) numbers, labelled clips first; ``labels`` of those."""

    pictures: Tensor
    labels: Tensor


class Sampler:
    """Every person once an epoch, clips of one person from several cameras where there are several.

    ``strangers`` are tracklets without labels, each as numbers of its pictures. With several GPUs each ``rank`` draws
    its own share.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        strangers: Sequence[Array],
        data: Data,
        *,
        seed: int,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self._data = data
        self._strangers = strangers
        self._seed, self._rank, self._ranks = seed, rank, ranks
        self._of: dict[int, list[Sample]] = {}
        for sample in samples:
            self._of.setdefault(sample.person, []).append(sample)
        self._people = np.array(sorted(self._of))

    @property
    def epoch(self) -> int:
        """Steps in which every person is drawn once, but for what does not fill another batch."""
        return max(1, len(self._people) // (self._data.people * self._ranks))

    def batch(self, step: int) -> Batch:
        """The batch of a step, the same whenever it is asked for."""
        rng = np.random.default_rng((self._seed, 1, step, self._rank))
        rows, labels = [], []
        for person in self._draw_people(step):
            for sample in self._draw_tracklets(self._of[person], rng):
                rows.append(self._clip(sample.pictures, rng))
                labels.append(person)
        if self._data.strangers:
            drawn = rng.integers(len(self._strangers), size=self._data.strangers)
            rows += [self._clip(self._strangers[place], rng) for place in drawn]
        return Batch(torch.from_numpy(np.stack(rows)).long(), torch.tensor(labels))

    def _clip(self, tracklet: Array, rng: np.random.Generator) -> Array:
        return tracklet[draw_frames(len(tracklet), self._data, rng)]

    def _draw_people(self, step: int) -> list[int]:
        count = self._data.people
        epoch, place = divmod(step, self.epoch)
        order = np.random.default_rng((self._seed, 0, epoch)).permutation(self._people)
        first = (place * self._ranks + self._rank) * count
        return [int(person) for person in np.resize(np.roll(order, -first), count)]

    def _draw_tracklets(self, all_of_one: Sequence[Sample], rng: np.random.Generator) -> list[Sample]:
        """``clips`` tracklets, other cameras before other tracklets of the same, repeated only where there are few."""
        shuffled = [all_of_one[place] for place in rng.permutation(len(all_of_one))]
        seen: Counter[int] = Counter()
        turns = []
        for sample in shuffled:
            turns.append(seen[sample.camera])
            seen[sample.camera] += 1
        ordered = [shuffled[place] for place in np.argsort(turns, kind="stable")]
        return [ordered[place % len(ordered)] for place in range(self._data.clips)]


def draw_frames(length: int, data: Data, rng: np.random.Generator) -> Array:
    """Positions of ``data.frames`` frames of a tracklet, in order of time; shorter tracklets are gone through again.

    ``chunks``: one of each of T equal parts (STE-NVAN). ``stride``: T frames that far apart from a random start,
    as far as the tracklet is long enough, else T distinct ones (the TCLNet program). ``random``: any T.
    """
    frames = data.frames
    if length < frames:
        return np.arange(frames) % length
    if data.sampling == "chunks":
        edges = np.linspace(0, length, frames + 1).astype(int)
        return np.array([rng.integers(low, high) for low, high in pairwise(edges)])
    if data.sampling == "stride" and length >= data.stride * frames:
        start = rng.integers(length - data.stride * (frames - 1))
        return np.asarray(start + data.stride * np.arange(frames))
    return np.sort(rng.permutation(length)[:frames])
