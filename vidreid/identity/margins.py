"""How near each decision was: likeness within an identity against the nearest other one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vidreid.types import Array

BLOCK = 128
CLEAR = 0.5  # share of the way from the threshold to 1 at which a decision counts as clear


@dataclass(frozen=True)
class Margins:
    """For each tracklet: mean cosine to the rest of its cluster (``own``, nan if alone), the ``nearest`` other
    cluster (-1 if none) and the mean cosine to it (``other``, nan if none), constraints left aside."""

    own: Array
    nearest: Array
    other: Array

    def doubt(self, threshold: float) -> Array:
        """(n,) 0..1: 1 where a decision lay on the threshold, 0 from `CLEAR` of the way to a cosine of 1 on."""
        hold = np.where(np.isnan(self.own), np.inf, self.own - threshold)
        apart = np.where(np.isnan(self.other), np.inf, np.abs(threshold - self.other))
        clear = max(CLEAR * (1 - threshold), 1e-9)
        return np.asarray(1 - np.clip(np.minimum(hold, apart) / clear, 0, 1))


def margins(vectors: Array, clusters: Array) -> Margins:
    """Margins of a clustering of unit ``vectors`` (n, dim) with cluster numbers (n,) from 0."""
    count = len(clusters)
    own, other = np.full(count, np.nan), np.full(count, np.nan)
    nearest = np.full(count, -1, np.int64)
    if not count:
        return Margins(own, nearest, other)
    size = np.bincount(clusters).astype(float)
    total = np.zeros((len(size), vectors.shape[1]))
    np.add.at(total, clusters, vectors)
    for start in range(0, count, BLOCK):
        rows = np.arange(start, min(start + BLOCK, count))
        likeness = vectors[rows] @ total.T
        mine = clusters[rows]
        rest = size[mine] - 1
        inside = likeness[np.arange(len(rows)), mine] - 1
        own[rows] = np.divide(inside, rest, out=np.full(len(rows), np.nan), where=rest > 0)
        likeness /= size
        likeness[np.arange(len(rows)), mine] = -np.inf
        if len(size) > 1:
            nearest[rows] = likeness.argmax(1)
            other[rows] = likeness.max(1)
    return Margins(own, nearest, other)
