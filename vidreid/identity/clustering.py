"""Average linkage under hard constraints: who is who, given likeness and what is impossible.

The mean cosine between two clusters of unit vectors is the product of their mean vectors. It reaches a floor only where
some pair of theirs does, so the graph of such pairs holds every merge there can be, and stays true as clusters grow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse

from vidreid.identity.neighbours import Neighbours, neighbours
from vidreid.types import Array

DIGITS = 12  # of a mean likeness: what remains is rounding, and equals shall be equal
SLACK = 1e-5  # of a likeness in float32 against one in float64

Linkage = Callable[[Array, int, Array], Array]
"""How much speaks for merging one cluster with each of k others: of the mean likeness (k,), its size and theirs (k,).

It must not fall as likeness rises, nor change when the two clusters change places.
"""


def average(likeness: Array, size: int, sizes: Array) -> Array:
    """Average linkage: the mean likeness itself, whatever the sizes."""
    return likeness


def cluster(
    vectors: Array,
    apart: Sequence[Array],
    threshold: float,
    together: Sequence[tuple[int, int]] = (),
    *,
    linkage: Linkage = average,
    floor: float | None = None,
    near: Neighbours | None = None,
) -> Array:
    """Cluster numbers (n,) of unit ``vectors`` (n, dim), numbered by their first row.

    ``apart[i]`` are the rows that row i must not meet, and i is in theirs; pairs ``together`` are put together first.
    Then the two clusters of highest ``linkage`` that no constraint separates are merged until none reaches
    ``threshold``. Ties go to the lowest rows. ``floor`` (the threshold) is the mean likeness below which the linkage
    reaches it at no size. ``near`` are the neighbours above that floor where they are known already.

    ValueError: two rows are to be both together and apart.
    """
    threshold = round(threshold, DIGITS)
    floor = threshold if floor is None else floor
    near = neighbours(vectors, floor - SLACK) if near is None else near
    clusters = _Clusters(vectors, apart, near, linkage, floor)
    for first, others in _groups(len(vectors), apart, together):
        for other in others:
            clusters.join(first, other)
    clusters.merge_down_to(threshold)
    _, numbers = np.unique(clusters.member, return_inverse=True)
    return numbers


def _groups(count: int, apart: Sequence[Array], together: Sequence[tuple[int, int]]) -> list[tuple[int, Array]]:
    """Must-link groups: the first row of each, and its other rows in order."""
    pairs = np.array(together, np.int64).reshape(-1, 2)
    links = sparse.coo_array((np.ones(len(pairs)), pairs.T), shape=(count, count))
    _, group = sparse.csgraph.connected_components(links, directed=False)
    for row in np.unique(pairs):
        clash = apart[row][group[apart[row]] == group[row]]
        if len(clash):
            raise ValueError(f"rows {row} and {clash[0]} are to be both together and apart")
    rows = [np.flatnonzero(group == number) for number in np.unique(group[pairs])]
    return [(int(row[0]), row[1:]) for row in rows]


class _Clusters:
    """Clusters under way, each at the position of its first row.

    ``best`` (n,) is the cluster that each is to merge with and ``peak`` (n,) their linkage; where ``stale``, it may be
    anything up to ``peak``. ``near`` and ``apart`` name clusters by any row of theirs.
    """

    def __init__(
        self, vectors: Array, apart: Sequence[Array], near: Neighbours, linkage: Linkage, floor: float
    ) -> None:
        count = len(vectors)
        self.linkage = linkage
        self.floor = floor
        self.mean = np.array(vectors, np.float64)
        self.size = np.ones(count, np.int64)
        self.member = np.arange(count)
        self.rows = [[i] for i in range(count)]
        self.near = [near.of(i) for i in range(count)]
        self.apart = list(apart)
        self.best = np.full(count, -1)
        self.peak = linkage(near.highest() + SLACK, 1, self.size)
        self.stale = np.ones(count, bool)

    def merge_down_to(self, threshold: float) -> None:
        """Merge the two of highest linkage until none reaches ``threshold``."""
        while self.peak.size and self.peak[a := int(self.peak.argmax())] >= threshold:
            if self.stale[a]:
                self._search(a)
            else:
                first, second = sorted((a, int(self.best[a])))
                self.join(first, second)
                self._tell(first)

    def join(self, a: int, b: int) -> None:
        """Put cluster ``b`` into ``a``; those that were to merge with either have to search again."""
        self.mean[a] = (self.mean[a] * self.size[a] + self.mean[b] * self.size[b]) / (self.size[a] + self.size[b])
        self.size[a] += self.size[b]
        self.member[self.rows[b]] = a
        self.rows[a] += self.rows[b]
        self.near[a] = np.concatenate([self.near[a], self.near[b]])
        self.apart[a] = np.concatenate([self.apart[a], self.apart[b]])
        self.near[b] = self.apart[b] = self.near[b][:0]
        self.peak[b] = -np.inf
        self.stale |= (self.best == a) | (self.best == b)
        self.stale[a], self.peak[a] = True, np.inf

    def _tell(self, a: int) -> None:
        """Let the others know of cluster ``a`` where it is now the best for them."""
        near, linkage = self._search(a)
        better = (linkage > self.peak[near]) | ((linkage == self.peak[near]) & (a < self.best[near]))
        self.best[near[better]] = a
        self.peak[near[better]] = linkage[better]
        self.stale[near[better]] = False

    def _search(self, a: int) -> tuple[Array, Array]:
        """The clusters (k,) that ``a`` may merge with and their linkage (k,)."""
        allowed = np.zeros(len(self.member), bool)
        allowed[self.member[self.near[a]]] = True
        allowed[self.member[self.apart[a]]] = False
        allowed[a] = False
        near = np.flatnonzero(allowed)
        # A product a row, not one of a matrix: equal rows get equal numbers wherever they stand, seen from both sides.
        likeness = np.vecdot(self.mean[near], self.mean[a]).round(DIGITS)
        # Likeness to the union of two is at most the higher one to either, so what is below the floor can be forgotten.
        reached = likeness >= self.floor
        near, likeness = near[reached], likeness[reached]
        self.near[a] = near
        linkage = self.linkage(likeness, int(self.size[a]), self.size[near])
        highest = int(linkage.argmax()) if len(near) else -1
        self.best[a] = near[highest] if len(near) else -1
        self.peak[a] = linkage[highest] if len(near) else -np.inf
        self.stale[a] = False
        return near, linkage
