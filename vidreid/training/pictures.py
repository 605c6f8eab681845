"""The pictures of a data set as one array: decoded once where they fit into memory, else whenever they are needed."""

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

from vidreid.errors import InputError

Read = Callable[[str], bytes]


class Pictures(Protocol):
    """Pictures by number. ``boxes`` (n, 4) float32: the person within each, as shares of the picture."""

    boxes: Tensor

    def take(self, numbers: Tensor) -> Tensor:
        """uint8 (*numbers.shape, 3, H, W), RGB, on the device of the training."""


@dataclass(frozen=True)
class InMemory:
    """All pictures on one device."""

    pixels: Tensor
    boxes: Tensor

    def take(self, numbers: Tensor) -> Tensor:
        return self.pixels[numbers.to(self.pixels.device)]


@dataclass(frozen=True)
class OnDemand:
    """Pictures that are decoded each time, for sets larger than the memory."""

    keys: Sequence[tuple[Read, str]]
    size: tuple[int, int]
    boxes: Tensor

    def take(self, numbers: Tensor) -> Tensor:
        wanted = [self.keys[number] for number in numbers.flatten().tolist()]
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            found = list(threads.map(lambda one: _stored(*one, self.size), wanted))
        stacked = torch.from_numpy(np.stack(found)).view(*numbers.shape, 3, *self.size)
        return stacked.to(self.boxes.device)


def decode(data: bytes, size: tuple[int, int]) -> np.ndarray | None:
    """An encoded picture as uint8 (3, H, W), RGB, of ``size`` (height, width); None where it cannot be decoded."""
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if found is None:
        return None
    shrinks = found.shape[0] > size[0] or found.shape[1] > size[1]
    scaled = cv2.resize(found, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.ascontiguousarray(scaled[:, :, ::-1].transpose(2, 0, 1))


def readable(read: Read, keys: Sequence[str], size: tuple[int, int]) -> Iterator[tuple[str, np.ndarray | None]]:
    """Each key with its decoded picture, or None where it is broken; decoded side by side, a bounded number ahead."""
    ahead = 512
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for start in range(0, len(keys), ahead):
            some = keys[start : start + ahead]
            yield from zip(some, threads.map(lambda key: _safely(read, key, size), some), strict=True)


def _safely(read: Read, key: str, size: tuple[int, int]) -> np.ndarray | None:
    try:
        return decode(read(key), size)
    except (OSError, cv2.error):
        return None


def _stored(read: Read, key: str, size: tuple[int, int]) -> np.ndarray:
    found = _safely(read, key, size)
    if found is None:
        raise InputError(f"{key}: a broken picture", "take it out of the data set, or restore it")
    return found
