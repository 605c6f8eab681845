"""Vectors without a network: colours of clothing in stripes from head to foot.

Tells people apart by what they wear and nothing else. It serves the demo world and tests; on real footage two
people in similar clothes are one to it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vidreid.embedding.network import person
from vidreid.embedding.pooling import normalize, pool
from vidreid.types import Array, Crop, InputSpec, ModelSpec

SIZE = (96, 48)
STRIPES = 8
HUES, SHADES = 16, 6

SPEC = ModelSpec(
    name="colours",
    kind="embedder",
    family="colours",
    identity="colours-1",
    input=InputSpec(SIZE),
    dim=STRIPES * (HUES + SHADES),
    threshold=0.8,
    licence="AGPL-3.0-or-later",
)


class Colours:
    """Histograms of hue (by saturation) and of brightness in horizontal stripes, weighted to the middle."""

    spec = SPEC

    def embed(self, clips: Sequence[Sequence[Crop]]) -> Array:
        """Unit vectors, float32 (n, dim)."""
        return pool([np.stack([histogram(crop) for crop in clip]) for clip in clips])


def histogram(crop: Crop) -> Array:
    """One crop's unit vector (dim,)."""
    image = _without_cast(person(crop, SIZE))
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL).astype(np.float32)
    hue, saturation, value = hsv[..., 0] / 256, hsv[..., 1] / 255, hsv[..., 2] / 256
    across = np.abs(np.linspace(-1, 1, SIZE[1]))[None]
    weight = np.broadcast_to(np.where(across < 0.6, 1.0, 0.1), SIZE)
    stripe = np.broadcast_to(np.arange(SIZE[0])[:, None] * STRIPES // SIZE[0], SIZE)
    colour = _soft(stripe, hue * HUES, weight * saturation * value, HUES, circular=True)
    shade = _soft(stripe, value * SHADES, weight * (1 - saturation), SHADES, circular=False)
    parts = np.concatenate([colour, shade], 1)
    # Square roots: the product of two such vectors is the overlap of the histograms (Bhattacharyya).
    parts = np.sqrt(parts / np.maximum(parts.sum(1, keepdims=True), 1e-9))
    unit: Array = normalize(parts.reshape(1, -1))[0]
    return unit


def _without_cast(image: Array) -> Array:
    """The picture with its colour cast and exposure evened out (grey world)."""
    mean = image.reshape(-1, 3).mean(0)
    return np.asarray(np.clip(image * (110.0 / np.maximum(mean, 1.0)), 0, 255).astype(np.uint8))


def _soft(stripe: Array, place: Array, weight: Array, bins: int, *, circular: bool) -> Array:
    """Histogram (stripes, bins) with each pixel shared by its two nearest bins."""
    low = np.floor(place - 0.5).astype(int)
    share = place - 0.5 - low
    table = np.zeros((STRIPES, bins))
    for shift, part in ((0, 1 - share), (1, share)):
        column = (low + shift) % bins if circular else np.clip(low + shift, 0, bins - 1)
        np.add.at(table, (stripe, column), part * weight)
    return table
