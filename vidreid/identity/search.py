"""Exact search: which sightings score highest with a query, over vectors that may lie on disk."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from vidreid.identity.levels import NEAREST, level_among
from vidreid.types import Array

BLOCK = 1 << 18  # numbers made float32 at a time: they stay in a core's own cache until they are multiplied


@dataclass(frozen=True)
class Gallery:
    """n sightings: unit ``vectors`` (n, dim) float16 without what their cameras give to all, memory-mapped where there
    are many; ``cameras`` (n,) numbers from 0; ``levels`` (n, k) as in `vidreid.identity.levels`."""

    vectors: Array
    cameras: Array
    levels: Array

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True)
class Query:
    """Who is looked for: a unit ``vector`` (dim,), and the ``camera`` that saw them, None where none of the gallery's.

    ``own``: the rows of the gallery that are part of the query: nobody is compared with them. ``levels`` (k,) where
    they are known, as those of a row are.
    """

    vector: Array
    camera: int | None
    own: Array
    levels: Array | None = None


@dataclass(frozen=True)
class Scores:
    """Scores (n,) of a query with all sightings: ``products`` (n,) float32 less ``shared`` (n,), what both have in
    common with others, in units of ``scale``."""

    gallery: Gallery
    query: Query
    products: Array
    shared: Array
    scale: float

    def best(self, top: int, allowed: Array) -> tuple[Array, Array]:
        """The ``top`` of the ``allowed`` (n,) bool, highest first: rows (m,), scores (m,) float64.

        Exact: whatever float32's error could put among them is computed again in float64. Of equals the first is first.
        """
        rows = np.flatnonzero(allowed)
        count = min(top, len(rows))
        if count < 1:
            return np.zeros(0, np.int64), np.zeros(0)
        near = rows[_perhaps_greatest(self.products[rows] - self.shared[rows], count, _error(self.gallery))]
        found = (_exactly(self.gallery, near, self.query) - self.shared[near]) / self.scale
        order = np.argsort(-found, kind="stable")[:count]
        return near[order], found[order]


def score(gallery: Gallery, query: Query, strangers: Array, scale: float) -> Scores:
    """Scores of a query as `levels.scores` has them of sightings; of a query from outside, the gallery's level is that
    over all cameras."""
    found = products(gallery.vectors, query.vector)
    levels = _levels(gallery, query, found, strangers) if query.levels is None else query.levels
    back = gallery.levels.mean(1) if query.camera is None else gallery.levels[:, query.camera]
    shared = (levels[gallery.cameras].astype(np.float64) + back) / 2
    return Scores(gallery, query, found, shared, scale)


def products(vectors: Array, query: Array) -> Array:
    """Products (n,) float32 of float16 ``vectors`` (n, dim) with ``query`` (dim,), block by block."""
    count, dim = vectors.shape
    rows = max(1, BLOCK // max(1, dim))
    block = np.empty((rows, dim), np.float32)
    found = np.zeros(count, np.float32)
    wanted = np.ascontiguousarray(query, np.float32)
    for start in range(0, count, rows):
        half = vectors[start : start + rows]
        # NumPy makes float16 into float32 number by number, OpenCV eight or more at once: the same numbers.
        full = cv2.convertFp16(half.view(np.int16), block[: len(half)]).reshape(half.shape)
        np.dot(full, wanted, out=found[start : start + len(half)])
    return found


def _levels(gallery: Gallery, query: Query, found: Array, strangers: Array) -> Array:
    """A query's levels (k,), from its products (n,) with all; exact as `Scores.best` is."""
    others = found.copy()
    others[query.own] = -np.inf
    count = gallery.levels.shape[1]
    order = np.argsort(gallery.cameras.astype(np.int16), kind="stable")
    bounds = np.searchsorted(gallery.cameras[order], np.arange(count + 1))
    levels = np.zeros(count)
    for camera, (start, stop) in enumerate(pairwise(bounds)):
        rows = order[start:stop]
        rows = rows[_perhaps_greatest(others[rows], NEAREST, _error(gallery))]
        near = _exactly(gallery, rows[np.isfinite(others[rows])], query)
        levels[camera] = level_among(near[None], stop - start, strangers)[0]
    return levels


def _perhaps_greatest(values: Array, count: int, error: float) -> Array:
    """Places of what could be among the ``count`` greatest if each value (n,) is wrong by ``error`` at most."""
    if len(values) <= count:
        return np.arange(len(values))
    return np.flatnonzero(values >= np.partition(values, -count)[-count] - 2 * error)


def _error(gallery: Gallery) -> float:
    """What a product of unit vectors in float32 is wrong by at most (Higham, Accuracy and Stability of Numerical
    Algorithms, 2002, equation 3.5), with room for the rounding of float16."""
    return float(2 * gallery.vectors.shape[1] * np.finfo(np.float32).eps)


def _exactly(gallery: Gallery, rows: Array, query: Query) -> Array:
    """Products (k,) in float64, each summed by itself so that equal vectors have equal ones."""
    wanted = query.vector.astype(np.float64)
    return np.array([(gallery.vectors[row].astype(np.float64) * wanted).sum() for row in rows], np.float64)
