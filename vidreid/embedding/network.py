"""Clips of crops to vectors with a compiled re-identification network."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TypeVar

import cv2
import numpy as np

from vidreid.embedding.pooling import normalize, pool
from vidreid.types import Array, Crop, Engine, Image, ModelSpec

Frame = TypeVar("Frame")


class NetworkEmbedder:
    """Clips as a network takes them, ``spec.frames`` crops at a time; the parts of a longer clip are averaged.

    Where that is one crop, the best one stands for its clip: the others were taken within a second of it and show
    little else, at the same cost.
    """

    def __init__(self, engine: Engine, spec: ModelSpec) -> None:
        self.spec = spec
        self._engine = engine

    def embed(self, clips: Sequence[Sequence[Crop]]) -> Array:
        """Unit vectors, float32 (n, dim), of clips of one crop or more each."""
        jobs = [[self._engine.submit({"images": part}) for part in self._parts(clip)] for clip in clips]
        vectors = [np.concatenate([_vector(job.result()) for job in of_one]) for of_one in jobs]
        return pool(vectors, self.spec.branches)

    def _parts(self, clip: Sequence[Crop]) -> Iterator[Array]:
        """What the engine sees of a clip, part by part."""
        for part in [[best(clip)]] if self.spec.frames == 1 else parts(clip, self.spec.frames):
            pictures = [person(crop, self.spec.input.size) for crop in part]
            yield np.stack(pictures).reshape(self._engine.inputs["images"])


def parts(clip: Sequence[Frame], frames: int) -> list[list[Frame]]:
    """A clip cut into parts of ``frames``; a last one that is short is filled with its own again, in order.

    >>> [first, second] = parts("abcdefg", 4)
    >>> "".join(first), "".join(second)
    ('abcd', 'efge')
    """
    starts = range(0, len(clip), frames)
    return [list(itertools.islice(itertools.cycle(clip[start : start + frames]), frames)) for start in starts]


def best(clip: Sequence[Crop]) -> Crop:
    """The crop of highest quality, the earliest of equals."""
    return max(clip, key=lambda crop: crop.quality)


def person(crop: Crop, size: tuple[int, int]) -> Image:
    """The person's box cut out of a crop and scaled to ``size`` (height, width), as these networks are trained."""
    height, width = crop.image.shape[:2]
    x1, y1 = np.clip(np.floor(crop.box[:2]), 0, [width - 1, height - 1]).astype(int)
    x2, y2 = np.maximum(np.ceil(crop.box[2:]).astype(int), [x1 + 1, y1 + 1])
    return scaled(crop.image[y1:y2, x1:x2], size)


def scaled(image: Image, size: tuple[int, int]) -> Image:
    """A picture at ``size`` (height, width), in training as in runs: every pixel counts where it shrinks."""
    shrinks = image.shape[0] > size[0] or image.shape[1] > size[1]
    found: Image = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return found


def _vector(outputs: dict[str, Array]) -> Array:
    first = next(iter(outputs.values()))
    return normalize(first.reshape(first.shape[0], -1).astype(np.float32))
