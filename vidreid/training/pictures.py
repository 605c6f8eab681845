"""The pictures of a data set by number: decoded once where they fit into memory, else whenever they are needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor

from vidreid.embedding.network import scaled
from vidreid.errors import InputError
from vidreid.types import Array

Read = Callable[[str], bytes]
AHEAD = 512  # pictures decoded ahead of the one that is asked for


class Pictures(Protocol):
    """Pictures, and where the person is in each."""

    def __len__(self) -> int: ...

    def take(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 RGB (*numbers.shape, 3, H, W), and boxes (*numbers.shape, 4) as shares of the picture."""


@dataclass(frozen=True)
class InMemory:
    """All pictures on one device: ``pixels`` (n, 3, H, W), ``boxes`` (n, 4)."""

    pixels: Tensor
    boxes: Tensor

    def __len__(self) -> int:
        return len(self.boxes)

    def take(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        there = numbers.to(self.pixels.device)
        return self.pixels[there], self.boxes[there]


@dataclass(frozen=True)
class OnDemand:
    """Pictures that are decoded each time at ``size``, for sets larger than the memory; ``boxes`` (n, 4)."""

    keys: Sequence[tuple[Read, str]]
    size: tuple[int, int]
    boxes: Tensor

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        wanted = [self.keys[number] for number in numbers.flatten().tolist()]
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            found = list(threads.map(self._one, wanted))
        pixels = torch.from_numpy(np.stack(found))
        return pixels.view(*numbers.shape, 3, *self.size), self.boxes[numbers]

    def _one(self, picture: tuple[Read, str]) -> Array:
        found = _safely(*picture, self.size)
        if found is None:
            raise InputError(f"{picture[1]}: a broken picture", "take it out of the data set, or restore it")
        return found


def opened(data: bytes) -> Array | None:
    """An encoded picture as uint8 (H, W, 3), RGB; None where it cannot be decoded."""
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    return None if found is None else np.ascontiguousarray(found[:, :, ::-1])


def decode(data: bytes, size: tuple[int, int]) -> Array | None:
    """An encoded picture as uint8 (3, H, W), RGB, of ``size`` (height, width); None where it cannot be decoded."""
    found = opened(data)
    return None if found is None else np.ascontiguousarray(scaled(found, size).transpose(2, 0, 1))


def readable(read: Read, keys: Sequence[str], size: tuple[int, int]) -> Iterator[tuple[str, Array | None]]:
    """Each key with its decoded picture, or None where it is broken; decoded side by side, a bounded number ahead."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for start in range(0, len(keys), AHEAD):
            some = keys[start : start + AHEAD]
            yield from zip(some, threads.map(lambda key: _safely(read, key, size), some), strict=True)


def _safely(read: Read, key: str, size: tuple[int, int]) -> Array | None:
    try:
        return decode(read(key), size)
    except (OSError, cv2.error):
        return None
