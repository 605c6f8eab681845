"""Which tracklets are alike at all: the exact product of all with all, block by block.

The graph of the pairs above a floor is what clustering, unlike the product itself, has to hold in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from vidreid.types import Array

TILE = 1 << 24  # likenesses of one block: 64 MiB of float32
MOST = 1 << 24  # likenesses kept altogether: 128 MiB with their places


@dataclass(frozen=True)
class Neighbours:
    """Pairs of rows that are alike.

    ``likeness``: symmetric CSR (n, n) float32, columns in order, nothing on the diagonal. ``nearest``: None where
    every pair above the floor is in it; otherwise more passed than memory has room for (everybody in one uniform,
    say), and a pair is in it where each of the two is among the other's ``nearest``.
    """

    likeness: sparse.csr_array
    nearest: int | None

    def of(self, row: int) -> Array:
        """The rows (k,) int32 that are alike ``row``, in order."""
        return np.asarray(self.likeness.indices[self.likeness.indptr[row] : self.likeness.indptr[row + 1]])

    def highest(self) -> Array:
        """The highest likeness (n,) of each row to another, -inf where it has no neighbour."""
        found = np.full(self.likeness.shape[0], -np.inf)
        some = np.diff(self.likeness.indptr) > 0
        found[some] = np.maximum.reduceat(self.likeness.data, self.likeness.indptr[:-1][some])
        return found


def neighbours(vectors: Array, floor: float, most: int = MOST, others: Array | None = None) -> Neighbours:
    """All pairs of rows of ``vectors`` (n, dim) whose product is at least ``floor``, to the accuracy of float32.

    ``vectors`` may be a memory map, float16 too: it is read a block at a time. Where rows have more than ``most`` / n
    such pairs, they keep so many nearest ones, of equals the first. With ``others`` (n, dim) the likeness of rows i and
    j is ``vectors[i] @ others[j]``, which has to be that of j and i.
    """
    count = len(vectors)
    share = max(1, most // max(1, count))
    rows = max(1, TILE // max(1, count))
    others = vectors if others is None else others
    found = [
        _passing(vectors, others, start, min(start + rows, count), floor, share) for start in range(0, count, rows)
    ]
    graph = sparse.vstack([part for part, _ in found], "csr") if found else sparse.csr_array((0, 0), dtype=np.float32)
    cut = any(too_many for _, too_many in found)
    return Neighbours(_mutual(graph), share if cut else None)


def _passing(
    vectors: Array, others: Array, start: int, stop: int, floor: float, share: int
) -> tuple[sparse.csr_array, bool]:
    """The rows from ``start`` to ``stop`` of the graph, and whether some of them had more than their ``share``."""
    likeness = _product(vectors, others, start, stop)
    likeness[np.arange(stop - start), np.arange(start, stop)] = -np.inf
    passing = likeness >= floor
    crowded = np.flatnonzero(passing.sum(1) > share)
    for row in crowded:
        passing[row] = _highest(likeness[row], share)
    pointers = np.concatenate([[0], np.cumsum(passing.sum(1))])
    part = (likeness[passing], np.nonzero(passing)[1].astype(np.int32), pointers)
    return sparse.csr_array(part, shape=likeness.shape), len(crowded) > 0


def _product(vectors: Array, others: Array, start: int, stop: int) -> Array:
    """``vectors[start:stop] @ others.T`` (stop - start, n) float32."""
    count, step = len(others), max(1, TILE // max(1, others.shape[1]))
    likeness = np.empty((stop - start, count), np.float32)
    own = np.asarray(vectors[start:stop], np.float32)
    for first in range(0, count, step):
        part = np.asarray(others[first : first + step], np.float32)
        np.matmul(own, part.T, out=likeness[:, first : first + step])
    return likeness


def _highest(values: Array, count: int) -> Array:
    """Which (n,) bool are the ``count`` highest of ``values`` (n,), of equal ones the first."""
    least = np.partition(values, -count)[-count]
    above = values > least
    equal = np.flatnonzero(values == least)
    above[equal[: count - above.sum()]] = True
    return np.asarray(above)


def _mutual(graph: sparse.csr_array) -> sparse.csr_array:
    """The pairs that stand in ``graph`` both ways, at the lower of both likenesses, which differ by rounding only."""
    # A sparse minimum takes zero for no pair at all, so all are positive while it is taken.
    shift = 1 - graph.data.min(initial=0)
    graph.data += shift
    mutual = graph.minimum(graph.T.tocsr())
    mutual.data -= shift
    return mutual
