"""How near each decision was: likeness within an identity against the nearest other one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vidreid.types import Array

BLOCK = 128


@dataclass(frozen=True)
class Margins:
    """For each tracklet: mean likeness to the rest of its cluster (``own``, nan if alone), the ``nearest`` other
    cluster (-1 if none) and the mean likeness to it (``other``, nan if none), constraints left aside."""

    own: Array
    nearest: Array
    other: Array


def margins(left: Array, right: Array, clusters: Array) -> Margins:
    """Margins of cluster numbers (n,) from 0; the likeness of rows i and j is ``left[i] @ right[j]``, (n, dim) each."""
    count = len(clusters)
    own, other = np.full(count, np.nan), np.full(count, np.nan)
    nearest = np.full(count, -1, np.int64)
    if not count:
        return Margins(own, nearest, other)
    size = np.bincount(clusters).astype(float)
    total = np.zeros((len(size), right.shape[1]))
    np.add.at(total, clusters, right)
    for start in range(0, count, BLOCK):
        rows = np.arange(start, min(start + BLOCK, count))
        likeness = left[rows] @ total.T
        mine = clusters[rows]
        rest = size[mine] - 1
        inside = likeness[np.arange(len(rows)), mine] - np.vecdot(left[rows], right[rows])
        own[rows] = np.divide(inside, rest, out=np.full(len(rows), np.nan), where=rest > 0)
        likeness /= size
        likeness[np.arange(len(rows)), mine] = -np.inf
        if len(size) > 1:
            nearest[rows] = likeness.argmax(1)
            other[rows] = likeness.max(1)
    return Margins(own, nearest, other)
