"""Average linkage under hard constraints: who is who, given likeness and what is impossible.

The mean cosine between two clusters of unit vectors is the product of their mean vectors, so no matrix of all pairs
is held: memory grows with the number of tracklets, not with its square.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidreid.types import Array

BLOCK = 128  # rows of one product: its size bounds the memory


def cluster(vectors: Array, apart: Sequence[Array], threshold: float) -> Array:
    """Cluster numbers (n,) of unit ``vectors`` (n, dim); ``apart[i]`` are the rows that row i must not meet.

    The two clusters of highest mean cosine that no such pair separates are merged until none reaches
    ``threshold``. Ties go to the lowest rows. Clusters are numbered by their first row.
    """
    linkage = _Linkage(vectors, apart)
    while linkage.peak.size and (a := int(np.argmax(linkage.peak))) >= 0 and linkage.peak[a] >= threshold:
        linkage.merge(*sorted((a, int(linkage.best[a]))))
    _, numbers = np.unique(linkage.member, return_inverse=True)
    return numbers


class _Linkage:
    """Clusters under way, each at the position of its first row; ``best`` and ``peak`` are its nearest and how near.

    ``mean`` (n, dim), ``size`` (n,), ``member`` (n,) the cluster of each row, ``apart`` rows it must not meet.
    """

    def __init__(self, vectors: Array, apart: Sequence[Array]) -> None:
        count = len(vectors)
        self.mean = np.array(vectors, np.float64)
        self.size = np.ones(count)
        self.member = np.arange(count)
        self.apart = list(apart)
        self.gone = np.zeros(count, bool)
        self.best = np.zeros(count, np.int64)
        self.peak = np.full(count, -np.inf)
        for start in range(0, count, BLOCK):
            self._search(np.arange(start, min(start + BLOCK, count)))

    def merge(self, a: int, b: int) -> None:
        """Put cluster ``b`` into ``a`` and bring the nearest neighbours up to date."""
        self.mean[a] = (self.mean[a] * self.size[a] + self.mean[b] * self.size[b]) / (self.size[a] + self.size[b])
        self.size[a] += self.size[b]
        self.member[self.member == b] = a
        self.apart[a] = np.concatenate([self.apart[a], self.apart[b]])
        self.mean[b] = 0
        self.gone[b] = True
        self.peak[b] = -np.inf
        stale = np.flatnonzero(((self.best == a) | (self.best == b)) & ~self.gone)
        self._search(np.union1d(stale, [a]))
        likeness = self._likeness(np.array([a]))[0]
        nearer = likeness > self.peak
        self.best[nearer] = a
        self.peak[nearer] = likeness[nearer]

    def _search(self, rows: Array) -> None:
        for part in np.array_split(rows, max(1, -(-len(rows) // BLOCK))):
            likeness = self._likeness(part)
            self.best[part] = likeness.argmax(1)
            self.peak[part] = likeness[np.arange(len(part)), self.best[part]]

    def _likeness(self, rows: Array) -> Array:
        """Mean cosines (rows, n); -inf with itself, with what is gone, and where a constraint stands between."""
        likeness = self.mean[rows] @ self.mean.T
        likeness[:, self.gone] = -np.inf
        for i, row in enumerate(rows):
            likeness[i, self.member[self.apart[row]]] = -np.inf
            likeness[i, row] = -np.inf
        return np.asarray(likeness)
