"""Average linkage under hard constraints: who is who, given likeness and what is impossible.

The mean likeness of the pairs between two clusters is the product of their mean sides. It reaches a floor only where
some pair of theirs does, so the graph of such pairs holds every merge there can be, and stays true as clusters grow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from vidreid.identity.merges import Merges
from vidreid.identity.neighbours import MOST, Neighbours, neighbours
from vidreid.types import Array

DIGITS = 9  # of a mean likeness: what remains is rounding, and equals shall be equal


def agglomerate(
    left: Array,
    right: Array,
    apart: Sequence[Array],
    together: Sequence[tuple[int, int]],
    floor: float,
    most: int = MOST,
) -> Merges:
    """Merges of average linkage down to ``floor``, which is enough; the likeness of rows i and j is ``left[i] @
    right[j]``, the same as ``left[j] @ right[i]``, (n, dim) each.

    ``apart[i]`` are the rows that row i must not meet, and i is in theirs; pairs ``together`` are put together first.
    Then the two clusters of highest mean likeness that no constraint separates are merged. Ties go to the lowest rows.
    ``most`` pairs of rows are kept in memory.

    ValueError: two rows are to be both together and apart.
    """
    floor = round(floor, DIGITS)
    slack = _rounding(left, right)
    near = neighbours(left, floor - slack, most, right)
    clusters = _Clusters(left, right, apart, near, floor, slack)
    for first, others in _groups(len(left), apart, together):
        for other in others:
            clusters.join(first, other)
    return clusters.merge()


def _rounding(left: Array, right: Array) -> float:
    """By how much a product in float32 may miss the true one (Higham, Accuracy and Stability of Numerical Algorithms,
    2002, equation 3.5)."""
    one, other = (float(np.linalg.norm(side, axis=1).max(initial=0.0)) for side in (left, right))
    return float((left.shape[1] + 2) * np.finfo(np.float32).eps * one * other)


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

    ``left`` and ``right`` (n, dim) are their mean sides. ``best`` (n,) is the cluster that each is to merge with and
    ``peak`` (n,) their likeness; where ``stale``, it may be anything up to ``peak``. ``near`` and ``apart`` name
    clusters by any row of theirs.
    """

    def __init__(
        self, left: Array, right: Array, apart: Sequence[Array], near: Neighbours, floor: float, slack: float
    ) -> None:
        count = len(left)
        self.floor = floor
        self.left = np.array(left, np.float64)
        self.right = np.array(right, np.float64)
        self.size = np.ones(count, np.int64)
        self.member = np.arange(count)
        self.rows = [[i] for i in range(count)]
        self.near = [near.of(i) for i in range(count)]
        self.nearest = near.nearest
        self.apart = list(apart)
        self.best = np.full(count, -1)
        self.peak = near.highest() + slack
        self.stale = np.ones(count, bool)

    def merge(self) -> Merges:
        """Merge the two of highest likeness until none reaches the floor."""
        _, group = np.unique(self.member, return_inverse=True)
        made = int(group.max(initial=-1)) + 1
        node = group.copy()
        history: list[tuple[int, int, float, int]] = []
        while self.peak.size and self.peak[a := int(self.peak.argmax())] >= self.floor:
            if self.stale[a]:
                self._search(a)
                continue
            first, second = sorted((a, int(self.best[a])))
            pairs = int(self.size[first] * self.size[second])
            history.append((int(node[first]), int(node[second]), float(self.peak[a]), pairs))
            node[first] = made + len(history) - 1
            self.join(first, second)
            self._tell(first)
        one, other, likeness, pairs_of = np.array(history, np.float64).reshape(-1, 4).T
        numbers = (one.astype(np.int64), other.astype(np.int64), likeness, pairs_of.astype(np.int64))
        return Merges(group, *numbers, nearest=self.nearest)

    def join(self, a: int, b: int) -> None:
        """Put cluster ``b`` into ``a``; those that were to merge with either have to search again."""
        both = self.size[a] + self.size[b]
        for side in (self.left, self.right):
            side[a] = (side[a] * self.size[a] + side[b] * self.size[b]) / both
        self.size[a] = both
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
        near, likeness = self._search(a)
        better = (likeness > self.peak[near]) | ((likeness == self.peak[near]) & (a < self.best[near]))
        self.best[near[better]] = a
        self.peak[near[better]] = likeness[better]
        self.stale[near[better]] = False

    def _search(self, a: int) -> tuple[Array, Array]:
        """The clusters (k,) that ``a`` may merge with and their likeness (k,)."""
        allowed = np.zeros(len(self.member), bool)
        allowed[self.member[self.near[a]]] = True
        allowed[self.member[self.apart[a]]] = False
        allowed[a] = False
        near = np.flatnonzero(allowed)
        # A product a row, not one of a matrix: equal rows get equal numbers wherever they stand, seen from both sides.
        likeness = np.vecdot(self.right[near], self.left[a]).round(DIGITS)
        # Likeness to the union of two is at most the higher one to either, so what is below the floor can be forgotten.
        reached = likeness >= self.floor
        near, likeness = near[reached], likeness[reached]
        self.near[a] = near
        highest = int(likeness.argmax()) if len(near) else -1
        self.best[a] = near[highest] if len(near) else -1
        self.peak[a] = likeness[highest] if len(near) else -np.inf
        self.stale[a] = False
        return near, likeness
