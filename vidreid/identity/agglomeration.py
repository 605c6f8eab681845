"""Average linkage under hard constraints: who is who, given likeness and what is impossible.

The mean cosine between two clusters of unit vectors is the product of their mean vectors. It reaches a floor only where
some pair of theirs does, so the graph of such pairs holds every merge there can be, and stays true as clusters grow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse

from vidreid.identity.merges import Merges
from vidreid.identity.neighbours import Neighbours, neighbours
from vidreid.types import Array

DIGITS = 12  # of a mean likeness: what remains is rounding, and equals shall be equal
SLACK = 1e-4  # of a likeness in float32 against one in float64

Linkage = Callable[[Array, int, Array], Array]
"""How much speaks for merging one cluster with each of k others: of the mean likeness (k,), its size and theirs (k,).

It must not fall as likeness rises, nor change when the two clusters change places.
"""


def average(likeness: Array, size: int, sizes: Array) -> Array:
    """Average linkage: the mean likeness itself, whatever the sizes."""
    return likeness


def agglomerate(
    left: Array, right: Array, apart: Sequence[Array], together: Sequence[tuple[int, int]], floor: float
) -> Merges:
    """Merges of average linkage down to ``floor``; the score of rows i and j is ``left[i] @ right[j]``, the same as
    ``left[j] @ right[i]``; both (n, dim).

    ``apart[i]`` are the rows that row i must not meet, and i is in theirs; pairs ``together`` are put together first.
    Then the two clusters of highest mean score that no constraint separates are merged. Ties go to the lowest rows.

    ValueError: two rows are to be both together and apart.
    """
    clusters = _Clusters(left, right, apart, neighbours(left, floor - SLACK, others=right), floor)
    for first, others in _groups(len(left), apart, together):
        for other in others:
            clusters.join(first, other)
    clusters.begin()
    clusters.merge_down_to(floor)
    return clusters.merges()


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

    def __init__(self, left: Array, right: Array, apart: Sequence[Array], near: Neighbours, floor: float) -> None:
        count = len(left)
        self.floor = floor
        self.mean = np.array(left, np.float64)
        self.other = np.array(right, np.float64)
        self.size = np.ones(count, np.int64)
        self.member = np.arange(count)
        self.rows = [[i] for i in range(count)]
        self.near = [near.of(i) for i in range(count)]
        self.apart = list(apart)
        self.best = np.full(count, -1)
        self.peak = near.highest() + SLACK
        self.stale = np.ones(count, bool)
        self.history: list[tuple[int, int, float, int]] = []
        self.begin()

    def begin(self) -> None:
        """Number the clusters of now as those that merges begin with."""
        _, self.group = np.unique(self.member, return_inverse=True)
        self.node = self.group.copy()
        self.history.clear()

    def merges(self) -> Merges:
        """What was merged since the beginning."""
        table = np.array(self.history, float).reshape(-1, 4)
        first, second, pairs = table[:, [0, 1, 3]].astype(np.int64).T
        return Merges(self.group, first, second, table[:, 2], pairs)

    def merge_down_to(self, threshold: float) -> None:
        """Merge the two of highest linkage until none reaches ``threshold``."""
        while self.peak.size and self.peak[a := int(self.peak.argmax())] >= threshold:
            if self.stale[a]:
                self._search(a)
            else:
                first, second = sorted((a, int(self.best[a])))
                pairs = int(self.size[first] * self.size[second])
                self.history.append((int(self.node[first]), int(self.node[second]), float(self.peak[a]), pairs))
                self.join(first, second)
                self.node[first] = int(self.group.max()) + len(self.history)
                self._tell(first)

    def join(self, a: int, b: int) -> None:
        """Put cluster ``b`` into ``a``; those that were to merge with either have to search again."""
        both = self.size[a] + self.size[b]
        self.mean[a] = (self.mean[a] * self.size[a] + self.mean[b] * self.size[b]) / both
        self.other[a] = (self.other[a] * self.size[a] + self.other[b] * self.size[b]) / both
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
        likeness = np.vecdot(self.other[near], self.mean[a]).round(DIGITS)
        # Likeness to the union of two is at most the higher one to either, so what is below the floor can be forgotten.
        reached = likeness >= self.floor
        near, likeness = near[reached], likeness[reached]
        self.near[a] = near
        linkage = likeness
        highest = int(linkage.argmax()) if len(near) else -1
        self.best[a] = near[highest] if len(near) else -1
        self.peak[a] = linkage[highest] if len(near) else -np.inf
        self.stale[a] = False
        return near, linkage
