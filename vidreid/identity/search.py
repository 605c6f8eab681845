"""Exact search: which tracklets look most like a query, over vectors that may lie on disk."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vidreid.types import Array

BLOCK = 1 << 18  # numbers made float32 at a time: they stay in a core's own cache until they are multiplied


@dataclass(frozen=True)
class Gallery:
    """The looks of t tracklets, those of one tracklet after those of another.

    ``vectors`` (n, dim) float16, memory-mapped where there are many; ``first`` (t + 1,) int64: looks of tracklet i are
    rows ``first[i]`` to ``first[i + 1]``, at least one; ``weights`` (n,) float32, by which its looks add up to its
    unit vector (`mean_weights`).
    """

    vectors: Array
    first: Array
    weights: Array

    def __post_init__(self) -> None:
        rows = len(self.vectors)
        if len(self.weights) != rows or self.first[0] != 0 or self.first[-1] != rows or (np.diff(self.first) < 1).any():
            raise ValueError(f"{rows} vectors, {len(self.weights)} weights, bounds {self.first[:1]}..{self.first[-1:]}")

    def __len__(self) -> int:
        return len(self.first) - 1


def mean_weights(vectors: Array, qualities: Array) -> Array:
    """Weights (n,) by which ``vectors`` (n, dim) add up to their mean by ``qualities`` (n,), at length 1.

    The product of a query with that mean, the likeness that `match` calibrates, is then the weighted sum of its
    products with the looks. Zeros where the mean has no direction.
    """
    shares = np.maximum(qualities, 1e-3).astype(np.float64)
    length = float(np.linalg.norm(shares @ vectors.astype(np.float64)))
    return np.asarray((shares / length if length > 0 else 0 * shares).astype(np.float32))


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


def search(gallery: Gallery, query: Array, top: int, allowed: Array | None = None) -> tuple[Array, Array]:
    """The ``top`` tracklets most like a unit vector ``query`` (dim,), best first: numbers (k,), cosines (k,) float64.

    ``allowed`` (t,) bool: those that may be found, all where None. Exact: whatever could be among them within float32's
    error (Higham, Accuracy and Stability of Numerical Algorithms, 2002, equation 3.5) is computed again in float64, so
    that equal looks are equally like the query wherever they lie; of equals the first is first.
    """
    candidates = np.arange(len(gallery)) if allowed is None else np.flatnonzero(allowed)
    count = min(top, len(candidates))
    if count < 1:
        return np.zeros(0, np.int64), np.zeros(0)
    starts = gallery.first[:-1]
    rough = np.add.reduceat(gallery.weights * products(gallery.vectors, query), starts)[candidates]
    total = np.add.reduceat(np.abs(gallery.weights), starts)[candidates]
    looks = np.diff(gallery.first)[candidates]
    error = 2 * (gallery.vectors.shape[1] + looks) * np.finfo(np.float32).eps * total
    least = np.partition(rough - error, -count)[-count]
    near = candidates[rough + error >= least]
    cosines = np.array([_cosine(gallery, number, query) for number in near])
    order = np.argsort(-cosines, kind="stable")[:count]
    return near[order], cosines[order]


def _cosine(gallery: Gallery, number: int, query: Array) -> float:
    """A tracklet's cosine in float64, each look summed by itself so that equal ones are equal."""
    rows = slice(*gallery.first[number : number + 2])
    each = (gallery.vectors[rows].astype(np.float64) * query.astype(np.float64)).sum(1)
    return float((gallery.weights[rows].astype(np.float64) * each).sum())
