"""Who is who: sightings to people, as many as a promise allows, and what to expect of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vidreid.identity.calibration import NEVER, Curve, Kind, Known, fit, histogram, logit, odds
from vidreid.identity.card import CENTRES, EDGES, Card
from vidreid.identity.clustering import agglomerate
from vidreid.identity.levels import BLOCK, CROWD, Levels, centred, find_levels, own_share, scores
from vidreid.identity.merges import Merges
from vidreid.types import Array

FLOOR = -1.5  # scores above even odds down to which groups are looked at: what is missed is counted there
# By how much the log odds of a group of more than two exceed those of a pair of the same mean likeness: of greatest
# likelihood on the held-out people of slim-afa's card.
SEVERAL = 1.4
SPREAD = 2.0  # factor by which held-out sets strayed from what was expected of them


@dataclass(frozen=True)
class Sightings:
    """What is to be told apart: unit ``vectors`` (n, dim) and ``cameras`` (n,), numbers from 0.

    ``apart[i]`` are the rows that row i cannot be, ``together`` pairs that are one person whatever they look like.
    ``impostors`` (k, 2): pairs of rows that are surely two people, though nobody chose them for their looks;
    ``halves`` (m,): likenesses of the two halves of a tracklet. ``reviewed``: pairs, and whether a person said "same".
    """

    vectors: Array
    cameras: Array
    apart: Sequence[Array]
    together: Sequence[tuple[int, int]] = ()
    impostors: Array = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    halves: Array = field(default_factory=lambda: np.zeros(0))
    reviewed: Sequence[tuple[int, int, bool]] = ()


@dataclass(frozen=True)
class Space:
    """Where scores are taken: ``vectors`` (n, dim) without what their cameras give to all, ``means`` (cameras, dim)
    of that, and the `Levels`."""

    vectors: Array
    means: Array
    cameras: Array
    levels: Levels

    def scores(self, rows: Array) -> Array:
        """Scores (rows, n) of some rows with all."""
        return scores(self.vectors[rows] @ self.vectors.T, self.levels, rows, self.cameras)

    def pair_scores(self, pairs: Array) -> Array:
        """Scores (k,) of pairs of rows (k, 2)."""
        one, other = np.asarray(pairs, np.int64).reshape(-1, 2).T
        likeness = np.vecdot(self.vectors[one], self.vectors[other])
        level = self.levels.level
        shared = (level[one, self.cameras[other]] + level[other, self.cameras[one]]) / 2
        return np.asarray((likeness - shared) / self.levels.scale)

    def halves(self, likeness: Array) -> Array:
        """Likenesses as scores, levels left aside."""
        return np.asarray(likeness / self.levels.scale)


@dataclass(frozen=True)
class Likeness:
    """How far above even odds the scores of two sightings lie: ``left[i] @ right[j]``, the same as ``left[j] @
    right[i]``. Of groups it is the mean over their pairs: the product of their mean sides."""

    left: Array
    right: Array

    def of(self, pairs: Array) -> Array:
        """Likenesses (k,) of pairs of rows (k, 2)."""
        one, other = np.asarray(pairs, np.int64).reshape(-1, 2).T
        return np.asarray(np.vecdot(self.left[one], self.right[other], dtype=np.float64))

    def between(self, ones: Array, others: Array) -> Array:
        """Likenesses (k, m) of rows (k,) with rows (m,)."""
        return np.asarray(np.matmul(self.left[ones], self.right[others].T, dtype=np.float64))


@dataclass(frozen=True)
class Expected:
    """What to expect of the pairs put together: ``pairs`` of them, ``wrong`` that are two people, ``mixed``
    identities of two people, ``split`` people of two identities, ``compared`` pairs in all, ``false_matches``
    strangers among those that alone would reach the threshold."""

    pairs: float
    wrong: float
    mixed: float
    split: float
    compared: float
    false_matches: float

    @property
    def wrong_share(self) -> tuple[float, float, float]:
        """The expected share of wrong pairs, and how low and high it may be: a factor of two, and never under 3 / n."""
        if not self.pairs:
            return 0.0, 0.0, 1.0
        share = self.wrong / self.pairs
        return share, share / SPREAD, min(1.0, max(share * SPREAD, 3 / self.pairs))

    @property
    def false_match_rate(self) -> tuple[float, float, float]:
        """Of comparisons of two people, the share that reaches the threshold, and how low and high it may be."""
        if not self.compared:
            return 0.0, 0.0, 1.0
        rate = self.false_matches / self.compared
        return rate, rate / SPREAD, min(1.0, max(rate * SPREAD, 3 / self.compared))


@dataclass(frozen=True)
class Association:
    """Sightings told apart: ``clusters`` (n,) numbered by their first row. ``threshold``: how far above even odds the
    mean score of a group lies at least; None where nothing could be put together. ``chances`` (m,): the probability
    that what each of the ``merges`` puts together is one person, whether it was kept or not."""

    clusters: Array
    space: Space
    curves: dict[Kind, Curve]
    likeness: Likeness
    merges: Merges
    chances: Array
    promise: float
    threshold: float | None
    expected: Expected

    def chance(self, pairs: Array) -> Array:
        """The probability (k,) that pairs of rows (k, 2) are one person, by their own likeness alone."""
        pairs = np.asarray(pairs, np.int64).reshape(-1, 2)
        found = self.likeness.of(pairs)
        alike = self.space.cameras[pairs[:, 0]] == self.space.cameras[pairs[:, 1]]
        return np.where(alike, *(self.curves[kind].above(found) for kind in ("same", "cross")))


def associate(sightings: Sightings, card: Card, promise: float) -> Association:
    """Tell sightings apart so that of the pairs put together the share ``promise`` (0..1) is expected to be wrong.

    Average linkage on scores above even odds, under the constraints, cut where the promise would be passed.
    """
    space = make_space(sightings.vectors, sightings.cameras, card)
    curves = find_curves(space, sightings, card)
    likeness = above_even(space, curves)
    merges = agglomerate(likeness.left, likeness.right, sightings.apart, sightings.together, FLOOR)
    chance = _chances(merges, sightings.cameras, curves)
    kept = _cut(merges, chance, promise)
    threshold = float(merges.linkage[kept - 1]) if kept else None
    expected = _expected(merges, chance, kept, curves, threshold)
    return Association(merges.clusters(kept), space, curves, likeness, merges, chance, promise, threshold, expected)


def make_space(vectors: Array, cameras: Array, card: Card, crowd: float = CROWD) -> Space:
    """The space of unit vectors (n, dim) of cameras (n,); ``crowd`` as in `find_levels`."""
    moved, means = centred(vectors, cameras, card.mean)
    return Space(moved, means, cameras, find_levels(moved, cameras, card.strangers, card.scale, crowd))


def find_curves(space: Space, sightings: Sightings, card: Card) -> dict[Kind, Curve]:
    """What scores mean in this run, for pairs of one camera and of two."""
    sizes = np.bincount(space.cameras)
    count, pairs = len(space.cameras), _pairs(space.cameras, sightings.apart)
    looked: dict[Kind, float] = {"same": count / 2, "cross": count * (np.count_nonzero(sizes) - 1) / 2}
    counts = _count(space, sightings.apart)
    known = {kind: _known(space, sightings, card, kind) for kind in counts}
    crowded = float(own_share(sizes[space.cameras]).mean()) if count else 0.0
    return {
        kind: fit(counts[kind], looked[kind], pairs[kind], card, kind, known[kind], crowded=crowded) for kind in counts
    }


def _pairs(cameras: Array, apart: Sequence[Array]) -> dict[Kind, float]:
    """How many pairs of rows could be one person."""
    sizes = np.bincount(cameras)
    possible = [(sizes * (sizes - 1)).sum(), len(cameras) ** 2 - (sizes**2).sum()]
    for row, others in enumerate(apart):
        same = np.count_nonzero(cameras[others] == cameras[row])
        possible[0] -= same
        possible[1] -= len(others) - same
    return {"same": possible[0] / 2, "cross": possible[1] / 2}


def _count(space: Space, apart: Sequence[Array]) -> dict[Kind, Array]:
    """Histograms (bins,) of the scores of pairs of rows that could be one person."""
    sides, cameras = _sides(space, {"same": 0.0, "cross": 0.0}), space.cameras
    counts: dict[Kind, Array] = {"same": np.zeros(len(CENTRES)), "cross": np.zeros(len(CENTRES))}
    for start in range(0, len(cameras), BLOCK):
        rows = slice(start, start + BLOCK)
        found = sides.left[rows] @ sides.right[start:].T
        found[np.tril_indices(len(found))] = -np.inf  # each pair once
        one = np.repeat(np.arange(len(found)), [len(others) for others in apart[rows]])
        other = np.concatenate(apart[rows]) - start
        found[one[other >= 0], other[other >= 0]] = -np.inf
        one, other = np.nonzero(found >= EDGES[0])
        same = cameras[one + start] == cameras[other + start]
        counts["same"] += histogram(found[one, other][same])
        counts["cross"] += histogram(found[one, other][~same])
    return counts


def _known(space: Space, sightings: Sightings, card: Card, kind: Kind) -> Known:
    """The pairs of a kind that are certain; what one camera says of strangers and halves holds for both kinds."""
    reviewed = [(one, other, same) for one, other, same in sightings.reviewed if _kind(space, one, other) == kind]
    halves = space.halves(sightings.halves - card.halves)
    return Known(
        space.pair_scores(sightings.impostors),
        space.pair_scores(np.array([(one, other) for one, other, _ in reviewed], np.int64)),
        np.array([same for _, _, same in reviewed], bool),
        (float(halves.mean()) if len(halves) and card.halves else 0.0, len(halves)),
    )


def _kind(space: Space, one: int, other: int) -> Kind:
    return "same" if space.cameras[one] == space.cameras[other] else "cross"


def above_even(space: Space, curves: Mapping[Kind, Curve]) -> Likeness:
    """How far above even odds scores lie."""
    return _sides(space, {kind: min(curve.even, NEVER) for kind, curve in curves.items()})


def _sides(space: Space, even: Mapping[Kind, float]) -> Likeness:
    """Scores less those that are ``even``, as products of what two sightings have in common, of one's camera and of
    the other's level there. Their float32 is alike on both sides, so that a pair is as alike as its mirror image."""
    camera = np.eye(space.levels.level.shape[1], dtype=np.float32)[space.cameras]
    level = space.levels.level / space.levels.scale + np.where(camera > 0, even["same"], even["cross"])
    look = space.vectors / np.sqrt(space.levels.scale)
    sides = [look, level, camera], [look, -camera / 2, -level / 2]
    left, right = (np.concatenate([part.astype(np.float32) for part in side], axis=1) for side in sides)
    return Likeness(left, right)


def regroup(
    likeness: Likeness, rows: Array, apart: Sequence[Array], together: Sequence[tuple[int, int]], threshold: float
) -> Array:
    """Cluster numbers (k,) of ``rows`` (k,) alone, whose constraints are given by their places in ``rows``."""
    some = Likeness(likeness.left[rows], likeness.right[rows])
    merges = agglomerate(some.left, some.right, apart, together, threshold)
    return merges.clusters(len(merges.linkage))


def _chances(merges: Merges, cameras: Array, curves: dict[Kind, Curve]) -> Array:
    """The probability (m,) that what a merge puts together is one person."""
    if not len(merges.linkage):
        return np.zeros(0)
    same = merges.share_alike(cameras)
    found = [curves[kind].above(merges.linkage) for kind in ("same", "cross")]
    chance = same * found[0] + (1 - same) * found[1]
    return odds(logit(chance) + np.where(merges.pairs > 1, SEVERAL, 0.0))


def _cut(merges: Merges, chance: Array, promise: float) -> int:
    """How many merges are kept: as many as keep the promise, none that is likelier wrong than right."""
    wrong = np.cumsum(merges.pairs * (1 - chance))
    fine = (wrong <= promise * np.cumsum(merges.pairs)) & (chance >= 0.5)
    return int(np.flatnonzero(fine)[-1]) + 1 if fine.any() else 0


def _expected(merges: Merges, chance: Array, kept: int, curves: dict[Kind, Curve], threshold: float | None) -> Expected:
    pairs, sure = merges.pairs[:kept], chance[:kept]
    right = np.ones(len(merges.first) + merges.count)
    for number, (one, other) in enumerate(zip(merges.first[:kept], merges.second[:kept], strict=True)):
        right[merges.count + number] = right[one] * right[other] * sure[number]
    roots = np.setdiff1d(np.arange(merges.count + kept), np.concatenate([merges.first[:kept], merges.second[:kept]]))
    strangers = 0.0
    if threshold is not None:
        for curve in curves.values():
            strangers += curve.strangers[min(curve.even, NEVER) + threshold <= CENTRES].sum()
    return Expected(
        pairs=float(pairs.sum()),
        wrong=float((pairs * (1 - sure)).sum()),
        mixed=float((1 - right[roots]).sum()),
        split=float(chance[kept:].sum()),
        compared=merges.count * (merges.count - 1) / 2,
        false_matches=float(strangers),
    )
