"""Distances between embeddings, as rankings use them: only their order counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vidreid.embedding.pooling import normalize
from vidreid.errors import InputError
from vidreid.types import Array

Vectors = NDArray[np.float32]
Metric = Literal["cosine", "euclidean"]
# Numbers of some queries to their distances (queries, gallery): the whole matrix need never be in memory.
Distances = Callable[[NDArray[np.int64]], NDArray[np.float32]]


def prepared(vectors: Array, metric: Metric, branches: int = 1) -> Vectors:
    """Embeddings (n, dim) as a metric compares them: for cosine each of ``branches`` equal parts has one length.

    Numbers that are not finite, or too large to be squared, are an `InputError`.
    """
    plain = np.asarray(vectors, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        usable = np.isfinite(4 * np.square(plain).sum(1))
    if not usable.all():
        raise InputError(
            f"embeddings: {np.count_nonzero(~usable)} of {len(usable)} hold numbers that are not finite or too large",
            "the network or the file that they come from is broken: make them anew",
        )
    return normalize(plain, branches) if metric == "cosine" else plain


def distances(queries: Vectors, gallery: Vectors, metric: Metric) -> Distances:
    """Distances between prepared vectors: 1 - cosine, or the squared Euclidean distance."""
    if metric == "cosine":
        return lambda rows: 1 - queries[rows] @ gallery.T
    return lambda rows: squared_euclidean(queries[rows], gallery)


def squared_euclidean(first: Vectors, second: Vectors) -> Vectors:
    """Squared distances (n, m) between the rows of two arrays, never negative."""
    products: Vectors = first @ second.T
    products *= -2
    products += np.square(first).sum(1)[:, None]
    products += np.square(second).sum(1)
    return np.maximum(products, 0, out=products)
