"""k-reciprocal re-ranking: Zhong et al., "Re-ranking person re-identification with k-reciprocal encoding", CVPR 2017.

All queries and gallery entries are one set of n. Where the paper's words leave room, its authors' program decides:
squared Euclidean distances are divided by the greatest of their row, and k1 / 2 is rounded to even. Neighbours at
equal distance stand in their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidreid.evaluation.distances import Vectors, squared_euclidean

BLOCK = 128  # rows that are worked on at a time, so that n x n numbers are never in memory
Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sparse:
    """A sparse n x n matrix: row i holds ``columns`` (increasing) and ``values`` from ``start[i]`` to
    ``start[i + 1]``."""

    start: Index
    columns: Index
    values: NDArray[np.float64]

    def entries(self, rows: Index) -> tuple[Index, Index]:
        """Positions of the entries of some rows, one row after the other, and the place of their row in ``rows``."""
        lengths = self.start[rows + 1] - self.start[rows]
        owner = np.repeat(np.arange(len(rows)), lengths)
        first = np.cumsum(lengths) - lengths
        return np.arange(len(owner)) + (self.start[rows] - first)[owner], owner


def reranked(queries: Vectors, gallery: Vectors, *, k1: int = 20, k2: int = 6, weight: float = 0.3) -> Vectors:
    """Distances (queries, gallery) between prepared vectors: ``weight`` times the original distance, the rest the
    Jaccard distance of expanded k-reciprocal sets (equation 12)."""
    vectors = np.concatenate([queries, gallery])
    near, greatest = _neighbours(vectors, max(k1 + 1, k2))
    members = _reciprocal_sets(near[:, : k1 + 1], near[:, : round(k1 / 2) + 1])
    encoded = _expanded(_encoded(vectors, members, greatest), near[:, :k2])
    mixed = (1 - weight) * _jaccard(encoded, len(queries))
    for rows in _blocks(len(queries)):
        mixed[rows] += weight * squared_euclidean(queries[rows], gallery) / greatest[rows, None]
    return mixed


def _blocks(count: int) -> Iterator[Index]:
    return (np.arange(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK))


def _neighbours(vectors: Vectors, count: int) -> tuple[Index, Vectors]:
    """The nearest ``count`` (at most n) of every row, itself among them, nearest first; its greatest distance (n,)."""
    count = min(count, len(vectors))
    near = np.empty((len(vectors), count), np.int64)
    greatest = np.empty(len(vectors), np.float32)
    for rows in _blocks(len(vectors)):
        block = squared_euclidean(vectors[rows], vectors)
        greatest[rows] = block.max(1)
        limits = np.partition(block, count - 1, axis=1)[:, count - 1]
        for number, distances, limit in zip(rows, block, limits, strict=True):
            within = np.flatnonzero(distances <= limit)
            near[number] = within[np.argsort(distances[within], kind="stable")[:count]]
    return near, np.maximum(greatest, np.finfo(np.float32).tiny)


def _reciprocal(near: Index) -> Index:
    """R(p, k) (equation 3): neighbours that have p among their own, -1 in the place of the others."""
    kept = np.empty_like(near)
    for rows in _blocks(len(near)):
        back = (near[near[rows]] == rows[:, None, None]).any(2)
        kept[rows] = np.where(back, near[rows], -1)
    return kept


def _reciprocal_sets(near: Index, half: Index) -> Index:
    """R*(p, k) of all rows (equation 5), as row * n + member: a member's own R(q, k/2) joins where more than two
    thirds of it are in R(p, k)."""
    sets, halves = _reciprocal(near), _reciprocal(half)
    pairs = []
    for rows in _blocks(len(near)):
        own = sets[rows]
        theirs = np.where(own[:, :, None] >= 0, halves[own], -1)
        known = theirs >= 0
        shared = ((theirs[:, :, :, None] == own[:, None, None, :]).any(3) & known).sum(2)
        joins = known & (3 * shared > 2 * known.sum(2))[:, :, None]
        offset = rows[:, None] * len(near)
        pairs += [(own + offset)[own >= 0], (theirs + offset[:, :, None])[joins]]
    return np.unique(np.concatenate(pairs))


def _sparse(codes: Index, values: NDArray[np.float64], count: int) -> Sparse:
    """From increasing row * n + column."""
    return Sparse(np.searchsorted(codes, np.arange(count + 1) * count), codes % count, values)


def _encoded(vectors: Vectors, members: Index, greatest: Vectors) -> Sparse:
    """Each set as a row of Gaussian weights that sum to one (equation 7, and the program's normalisation)."""
    count = len(vectors)
    sets = _sparse(members, np.zeros(len(members)), count)
    for rows in _blocks(count):
        entries, owner = sets.entries(rows)
        between = np.square(vectors[rows[owner]] - vectors[sets.columns[entries]]).sum(1)
        weights = np.exp(-between / greatest[rows[owner]])
        sets.values[entries] = weights / np.bincount(owner, weights, len(rows))[owner]
    return sets


def _expanded(encoded: Sparse, near: Index) -> Sparse:
    """Each row as the mean of its nearest neighbours' rows (local query expansion, equation 11)."""
    count = len(near)
    codes, values = [], []
    for rows in _blocks(count):
        entries, owner = encoded.entries(near[rows].ravel())
        every = rows[owner // near.shape[1]] * count + encoded.columns[entries]
        code, place = np.unique(every, return_inverse=True)
        codes.append(code)
        values.append(np.bincount(place, encoded.values[entries]) / near.shape[1])
    return _sparse(np.concatenate(codes), np.concatenate(values), count)


def _jaccard(encoded: Sparse, queries: int) -> Vectors:
    """Jaccard distances (queries, n - queries) between the first rows and the others (equation 10)."""
    count = len(encoded.start) - 1
    row = np.repeat(np.arange(count), np.diff(encoded.start))
    order = np.lexsort((row, encoded.columns))
    columns = Sparse(np.searchsorted(encoded.columns[order], np.arange(count + 1)), row[order], encoded.values[order])
    distance = np.empty((queries, count - queries), np.float32)
    for number in range(queries):
        mine = slice(encoded.start[number], encoded.start[number + 1])
        entries, owner = columns.entries(encoded.columns[mine])
        least = np.minimum(encoded.values[mine][owner], columns.values[entries])
        shared = np.bincount(columns.columns[entries], least, count)[queries:]
        distance[number] = 1 - shared / (2 - shared)
    return distance
