"""Clips of crops to vectors with a compiled re-identification network."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vidreid.embedding.pooling import normalize, pool
from vidreid.types import Array, Crop, Engine, Image, ModelSpec


class NetworkEmbedder:
    """An image network (T = 1): the best crop stands for its clip.

    The others were taken within a second of it and show little else, at the same cost; video networks get them all.
    """

    def __init__(self, engine: Engine, spec: ModelSpec) -> None:
        self.spec = spec
        self._engine = engine

    def embed(self, clips: Sequence[Sequence[Crop]]) -> Array:
        """Unit vectors, float32 (n, dim), of clips of one crop or more each."""
        size = self.spec.input.size
        jobs = [self._engine.submit({"images": person(best(clip), size)[None]}) for clip in clips]
        return pool([_vector(job.result()) for job in jobs], self.spec.branches)


def best(clip: Sequence[Crop]) -> Crop:
    """The crop of highest quality, the earliest of equals."""
    return max(clip, key=lambda crop: crop.quality)


def person(crop: Crop, size: tuple[int, int]) -> Image:
    """The person's box cut out of a crop and scaled to ``size`` (height, width), as these networks are trained."""
    height, width = crop.image.shape[:2]
    x1, y1 = np.clip(np.floor(crop.box[:2]), 0, [width - 1, height - 1]).astype(int)
    x2, y2 = np.maximum(np.ceil(crop.box[2:]).astype(int), [x1 + 1, y1 + 1])
    scaled: Image = cv2.resize(crop.image[y1:y2, x1:x2], (size[1], size[0]))
    return scaled


def _vector(outputs: dict[str, Array]) -> Array:
    first = next(iter(outputs.values()))
    return normalize(first.reshape(first.shape[0], -1).astype(np.float32))
