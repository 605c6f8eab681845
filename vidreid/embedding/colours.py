"""Vectors without a network: colours of clothing in stripes from head to foot.

Tells people apart by what they wear and nothing else. It serves the demo world and tests, on which its threshold was
chosen; on real footage two people in similar clothes are one to it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np

from vidreid.embedding.network import person
from vidreid.embedding.pooling import normalize, pool
from vidreid.types import Array, Crop, Image, InputSpec, ModelSpec

SIZE = (96, 48)
STRIPES = 6
MIDDLE = 0.6  # share of the width in which the person is looked for
BINS = (7, 8, 8)  # of lightness, green to red, blue to yellow
STEP = (16.0, 12.0, 12.0)  # of each bin, in units of CIE L*a*b*
GREY = 130.0  # mean brightness to which each crop is brought
BORDER = 4  # columns at each side that show what is behind the person
DISTINCT = 25.0  # difference in L*a*b* from which a pixel is surely not of the background
FAINT = 0.1  # weight of a pixel that looks like the background, or lies outside of the middle
CELLS = STRIPES * int(np.prod(BINS))
DIM = 512

SPEC = ModelSpec(
    name="colours",
    kind="embedder",
    family="colours",
    identity="colours-3",
    input=InputSpec(SIZE),
    dim=DIM,
    threshold=0.74,
    licence="AGPL-3.0-or-later",
)


class Colours:
    """A histogram of L*a*b* a stripe, of what lies in the middle and differs from the picture's borders.

    Histograms are projected to `DIM` numbers on random signs, always the same, which keeps their cosines to about
    0.02 (Achlioptas, Database-friendly random projections, 2003): a fifth of the memory and disk.
    """

    spec = SPEC

    def __init__(self) -> None:
        signs = np.random.default_rng(0).integers(0, 2, (CELLS, DIM)) * 2 - 1
        self._signs = signs.astype(np.float32)

    def embed(self, clips: Sequence[Sequence[Crop]]) -> Array:
        """Unit vectors, float32 (n, dim)."""
        return pool([np.stack([histogram(crop) for crop in clip]) @ self._signs for clip in clips])


def histogram(crop: Crop) -> Array:
    """One crop's histograms, root of each, as one unit vector (cells,)."""
    lab = _without_cast(person(crop, SIZE))
    parts = _soft(lab, _foreground(lab))
    # Square roots: the product of two such vectors is the overlap of the histograms (Bhattacharyya).
    parts = np.sqrt(parts / np.maximum(parts.sum(1, keepdims=True), 1e-9))
    unit: Array = normalize(parts.reshape(1, -1))[0]
    return unit


def _without_cast(image: Image) -> Array:
    """The picture in L*a*b*, its colour cast and exposure evened out (grey world)."""
    mean = image.reshape(-1, 3).mean(0)
    even = np.clip(image * (GREY / np.maximum(mean, 1.0)), 0, 255).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(even, cv2.COLOR_RGB2LAB))


def _foreground(lab: Array) -> Array:
    """Weights 0..1 (height, width): how far a pixel is from every colour at the two ends of its row."""
    ends = np.concatenate([lab[:, :BORDER], lab[:, -BORDER:]], 1)
    distance = np.linalg.norm(lab[:, :, None] - ends[:, None], axis=3).min(2)
    across = np.abs(np.linspace(-1, 1, lab.shape[1]))
    return np.asarray(np.where(across < MIDDLE, 1.0, FAINT) * np.clip(distance / DISTINCT, FAINT, 1.0))


def _soft(lab: Array, weight: Array) -> Array:
    """Histograms (stripes, bins), each pixel shared by the eight bins around its colour."""
    place = lab / np.array(STEP) + np.array([0.0, BINS[1] / 2, BINS[2] / 2]) - 0.5
    low = np.floor(place).astype(int)
    share = place - low
    stripe = np.arange(lab.shape[0])[:, None] * STRIPES // lab.shape[0]
    table = np.zeros(CELLS)
    for corner in itertools.product((0, 1), repeat=3):
        bins = np.clip(low + corner, 0, np.array(BINS) - 1)
        part = np.where(corner, share, 1 - share).prod(2) * weight
        cell = np.ravel_multi_index((np.broadcast_to(stripe, weight.shape), *np.moveaxis(bins, 2, 0)), (STRIPES, *BINS))
        table += np.bincount(cell.ravel(), part.ravel(), minlength=CELLS)
    return table.reshape(STRIPES, -1)
