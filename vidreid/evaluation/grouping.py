"""How well tracklets are grouped into identities, counted in pairs, items and whole people.

Everything is read from the table of how many items of each person each identity holds, so 200,000 items cost no more
than sorting them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidreid.evaluation.significance import Interval
from vidreid.types import Array

RESAMPLES = 2000
SEED = 20170  # any number: the same grouping gives the same interval
BLOCK = 100  # resamples at a time


@dataclass(frozen=True)
class Grouping:
    """Scores of identities over ``items`` tracklets; fractions, 1 is perfect, None where there is nothing to judge.

    A *pair* is two items; ``pairs`` are put together, ``wrong_pairs`` of them are of two people. ``pair_precision`` is
    the share of pairs put together that are one person, ``pair_recall`` the share of pairs of one person that are put
    together, ``pair_f1`` their harmonic mean; ``cross_pair_precision`` and ``cross_pair_recall`` count pairs of
    different cameras only. ``b3_precision`` is the mean over items of the share of its identity that is its person,
    ``b3_recall`` of the share of its person that is in its identity (B-cubed; Bagga and Baldwin, Entity-based
    cross-document coreferencing, 1998), ``b3_f1`` their harmonic mean. ``purity``: share of items that are of the
    person of whom their identity has most (Manning et al. 2008, section 16.3); ``completeness``: share of items that
    are in the identity that has most of their person. ``mixed`` identities hold two people or more, ``split`` people
    have two identities or more. ``wrong_share`` is the share of wrong pairs among those put together, with its 95 %
    interval.
    """

    items: int
    people: int
    distractors: int
    identities: int
    pairs: int
    wrong_pairs: int
    pair_precision: float | None
    pair_recall: float | None
    pair_f1: float | None
    cross_pair_precision: float | None
    cross_pair_recall: float | None
    b3_precision: float | None
    b3_recall: float | None
    b3_f1: float | None
    purity: float | None
    completeness: float | None
    mixed: int
    split: int
    wrong_share: Interval | None

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, plain values; of the interval its ends."""
        wrong = self.wrong_share
        plain = {name: value for name, value in self.__dict__.items() if name != "wrong_share"}
        return {
            **plain,
            "wrong_share": None if wrong is None else wrong.value,
            "wrong_share_95": None if wrong is None else [wrong.low, wrong.high],
        }


def score_grouping(clusters: Array, people: Array, cameras: Array) -> Grouping:
    """Score numbers of identities ``clusters`` (n,) against true ``people`` (n,), items seen by ``cameras`` (n,).

    Person 0 is a distractor: someone nobody else is equal to, each of them another. Negative ones are junk: left out.
    """
    known = np.asarray(people) >= 0
    stranger = people[known] == 0
    # Distractors get numbers that nobody has.
    person = _numbered(np.where(stranger, -1 - np.arange(len(stranger)), people[known]))
    cluster, camera = _numbered(clusters[known]), _numbered(cameras[known])
    table = _Table.of(cluster, person)
    together, same, right = (_same_pairs(*labels) for labels in ((cluster,), (person,), (cluster, person)))
    apart = [
        pairs - _same_pairs(*labels, camera)
        for pairs, labels in ((together, (cluster,)), (same, (person,)), (right, (cluster, person)))
    ]
    b3_precision, b3_recall = table.b_cubed()
    return Grouping(
        items=int(known.sum()),
        people=len(np.unique(people[known][~stranger])),
        distractors=int(stranger.sum()),
        identities=len(table.clusters),
        pairs=together,
        wrong_pairs=together - right,
        pair_precision=_share(right, together),
        pair_recall=_share(right, same),
        pair_f1=_share(2 * right, together + same),
        cross_pair_precision=_share(apart[2], apart[0]),
        cross_pair_recall=_share(apart[2], apart[1]),
        b3_precision=b3_precision,
        b3_recall=b3_recall,
        b3_f1=None if not (b3_precision and b3_recall) else 2 / (1 / b3_precision + 1 / b3_recall),
        purity=_share(table.kept(table.cluster), len(cluster)),
        completeness=_share(table.kept(table.person), len(cluster)),
        mixed=int((np.bincount(table.cluster) > 1).sum()),
        split=int((np.bincount(table.person) > 1).sum()),
        wrong_share=_wrong_share(table),
    )


@dataclass(frozen=True)
class _Table:
    """Cells (k,) that are not empty: ``count`` items of ``person`` in ``cluster``; ``clusters`` and ``persons`` are
    the sizes of each."""

    cluster: NDArray[np.int64]
    person: NDArray[np.int64]
    count: NDArray[np.int64]
    clusters: NDArray[np.int64]
    persons: NDArray[np.int64]

    @classmethod
    def of(cls, cluster: NDArray[np.int64], person: NDArray[np.int64]) -> _Table:
        cells, count = np.unique(np.stack([cluster, person]), axis=1, return_counts=True)
        return cls(cells[0], cells[1], count, np.bincount(cluster), np.bincount(person))

    def b_cubed(self) -> tuple[float | None, float | None]:
        """Precision and recall; every item of a cell has the same."""
        agreeing, items = self.count.astype(np.float64) ** 2, int(self.count.sum())
        precision = float((agreeing / self.clusters[self.cluster]).sum())
        recall = float((agreeing / self.persons[self.person]).sum())
        return _share(precision, items), _share(recall, items)

    def kept(self, side: NDArray[np.int64]) -> int:
        """Items in the largest cell of each row, or of each column."""
        largest = np.zeros(len(self.count), np.int64)
        np.maximum.at(largest, side, self.count)
        return int(largest.sum())


def _numbered(labels: Array) -> NDArray[np.int64]:
    """Labels (n,) as numbers from 0 without gaps."""
    _, numbers = np.unique(labels, return_inverse=True)
    return np.asarray(numbers, np.int64)


def _same_pairs(*labels: NDArray[np.int64]) -> int:
    """Pairs of items that agree in all of these labels (n,) each."""
    _, count = np.unique(np.stack(labels), axis=1, return_counts=True)
    return int((count * (count - 1) // 2).sum())


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _wrong_share(table: _Table) -> Interval | None:
    """Share of wrong pairs among those put together; percentile bootstrap over identities.

    Pairs of one identity stand or fall together, so whole identities are drawn. Where no pair is wrong the upper end is
    what that many identities cannot rule out (Clopper and Pearson 1934), likewise the lower end where all are.
    """
    right = np.bincount(table.cluster, table.count * (table.count - 1) / 2)
    pairs = table.clusters * (table.clusters - 1) / 2
    judged = pairs > 0
    right, pairs = right[judged], pairs[judged]
    count = len(pairs)
    if not count:
        return None
    share = 1 - float(right.sum() / pairs.sum())
    generator = np.random.default_rng(SEED)
    shares = []
    for _ in range(0, RESAMPLES, BLOCK):
        drawn = generator.multinomial(count, np.full(count, 1 / count), BLOCK).astype(np.float64)
        shares.append(1 - (drawn @ right) / (drawn @ pairs))
    low, high = (float(end) for end in np.percentile(np.concatenate(shares), [2.5, 97.5]))
    never = 1 - 0.025 ** (1 / count)
    return Interval(share, 1 - never if share == 1 else low, never if share == 0 else high)
