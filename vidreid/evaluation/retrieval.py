"""Retrieval scores: the CMC curve and mean average precision, exactly as the field computes them.

For every query the gallery is sorted by distance; equal distances stand in the order of the gallery. What does not
count is left out first: junk, and the query's own person by the query's own camera, the query itself among them. Zheng
et al., "Scalable person re-identification: a benchmark", ICCV 2015, section 4.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vidreid.evaluation.distances import Distances

JUNK = -1  # an identity that counts for nothing
DISTRACTOR = 0  # an identity that matches nobody and counts as wrong
BLOCK = 256  # queries whose distances are in memory at a time
AveragePrecision = Literal["rectangle", "trapezoid"]


@dataclass(frozen=True, slots=True)
class Labels:
    """Who n queries or gallery entries are: ``identities``, ``cameras`` (n,) int64, and ``names``."""

    identities: NDArray[np.int64]
    cameras: NDArray[np.int64]
    names: Sequence[str]

    def __post_init__(self) -> None:
        if not len(self.identities) == len(self.cameras) == len(self.names):
            raise ValueError(f"{len(self.identities)} identities, {len(self.cameras)} cameras, {len(self.names)} names")

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How each of n queries fared in a gallery of ``gallery`` entries.

    ``first`` (n,): rank of the first right entry, 1 is the best, 0 where the gallery holds no right one: such a query
    is not scored. ``ap`` (n,): average precision, 0..1. ``best_right``, ``best_wrong`` (n,): the nearest right and
    wrong gallery entry, -1 where there is none.
    """

    first: NDArray[np.int64]
    ap: NDArray[np.float64]
    best_right: NDArray[np.int64]
    best_wrong: NDArray[np.int64]
    gallery: int

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Which queries have a match at all."""
        return self.first > 0

    @property
    def mean_ap(self) -> float:
        """Mean average precision over the scored queries; NaN without any."""
        return float(self.ap[self.scored].mean()) if self.scored.any() else float("nan")

    def cmc(self, depth: int) -> NDArray[np.float64]:
        """Share of scored queries with a right entry among the first 1, 2, ..., ``depth``; NaN without any."""
        first = self.first[self.scored]
        if not len(first):
            return np.full(depth, np.nan)
        return np.asarray(np.bincount(first, minlength=depth + 1)[1 : depth + 1].cumsum() / len(first))


def score(
    distances: Distances,
    query: Labels,
    gallery: Labels,
    *,
    ap: AveragePrecision = "rectangle",
) -> Retrieval:
    """Rank the gallery for every query.

    ``ap``: the mean of the precision at each right entry (``rectangle``), or of its mean with the precision just before
    (``trapezoid``), as the MATLAB programs of Market-1501 and of MARS have it.
    """
    found = Retrieval(
        first=np.zeros(len(query), np.int64),
        ap=np.zeros(len(query)),
        best_right=np.full(len(query), -1),
        best_wrong=np.full(len(query), -1),
        gallery=len(gallery),
    )
    every = np.arange(len(query))
    for number, order, right in rankings(distances, query, gallery, every):
        hits = np.flatnonzero(right)
        if len(hits) < len(right):
            found.best_wrong[number] = order[np.argmin(right)]
        if len(hits):
            found.best_right[number] = order[hits[0]]
            found.first[number] = hits[0] + 1
            found.ap[number] = average_precision(hits, ap)
    return found


def average_precision(hits: NDArray[np.int64], kind: AveragePrecision) -> float:
    """Average precision of a ranking whose right entries stand at positions ``hits`` (0 first), increasing."""
    count = np.arange(len(hits))
    precision = (count + 1) / (hits + 1)
    if kind == "rectangle":
        return float(precision.mean())
    before = np.where(hits > 0, count / np.maximum(hits, 1), 1.0)
    return float((precision + before).mean() / 2)


def rankings(
    distances: Distances, query: Labels, gallery: Labels, chosen: NDArray[np.int64]
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.bool_]]]:
    """Number of each chosen query, the gallery entries that count, nearest first, and which of them are right.

    ``chosen`` are numbers of queries, in any order.
    """
    blocks = (chosen[start : start + BLOCK] for start in range(0, len(chosen), BLOCK))
    rows = (zip(block.tolist(), distances(block), strict=True) for block in blocks)
    for number, row in itertools.chain.from_iterable(rows):
        same = gallery.identities == query.identities[number]
        out = (gallery.identities == JUNK) | (same & (gallery.cameras == query.cameras[number]))
        counted = np.flatnonzero(~out)
        order = counted[np.argsort(row[counted], kind="stable")]
        right = same[order] & (query.identities[number] != DISTRACTOR)
        yield number, order, right
