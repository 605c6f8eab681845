"""What a cosine is worth: how many pairs of one person, and of two people, reach a threshold.

Pairs are of sightings by two cameras. Intervals are of 95 %, by bootstrap over people (Bolle, Ratha, Pankanti,
Evaluating authentication systems using bootstrap confidence intervals, 1999): pairs that share a person are alike, so
there are far fewer independent ones than pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidreid.errors import InputError
from vidreid.evaluation.significance import Interval
from vidreid.types import Array

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(4, 19))
RESAMPLES = 2000
SEED = 20170  # any number: the same vectors give the same intervals
BLOCK = 512  # rows of cosines at a time
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Level:
    """At ``threshold`` or above are the share ``true_match`` of pairs of one person, ``false_match`` of two."""

    threshold: float
    true_match: Interval
    false_match: Interval

    def as_dict(self) -> dict[str, float | list[float]]:
        """Plain values, for JSON: shares and [low, high] of their intervals."""
        return {
            "threshold": self.threshold,
            "true_match": self.true_match.value,
            "true_match_95": [self.true_match.low, self.true_match.high],
            "false_match": self.false_match.value,
            "false_match_95": [self.false_match.low, self.false_match.high],
        }


def calibrate(
    vectors: Array, identities: Array, cameras: Array, thresholds: Sequence[float] = THRESHOLDS
) -> list[Level]:
    """True-match and false-match rates of unit vectors (n, dim) of ``identities`` (n,) seen by ``cameras`` (n,).

    Identities below 1 (junk, distractors) are left out: who they are is not known. `InputError` where no person is
    seen by two cameras, or no two people by different ones.
    """
    known = np.flatnonzero(np.asarray(identities) > 0)
    order = known[np.argsort(identities[known], kind="stable")]
    vectors, cameras = np.asarray(vectors, np.float32)[order], np.asarray(cameras)[order]
    _, people = np.unique(np.asarray(identities)[order], return_inverse=True)
    pairs, *hits = _count(vectors, people, cameras, thresholds)
    if not np.trace(pairs) or pairs.sum() == np.trace(pairs):
        raise InputError("no pairs to calibrate on", "give people who are seen by two cameras, two of them at least")
    count = len(pairs)
    drawn = np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), RESAMPLES).astype(np.float64)
    return [
        Level(threshold, _same(hit, pairs, drawn), _different(hit, pairs, drawn))
        for threshold, hit in zip(thresholds, hits, strict=True)
    ]


def _count(vectors: Array, people: Array, cameras: Array, thresholds: Sequence[float]) -> Matrix:
    """Ordered pairs across cameras: all, then those of each threshold (1 + thresholds, people, people).

    ``people`` (n,) are numbers from 0, in order.
    """
    starts = np.flatnonzero(np.diff(people, prepend=-1))
    tables = np.zeros((1 + len(thresholds), len(starts), len(starts)))
    for begin in range(0, len(vectors), BLOCK):
        rows = slice(begin, begin + BLOCK)
        apart = cameras[rows, None] != cameras
        cosines = np.where(apart, vectors[rows] @ vectors.T, -np.inf)
        for table, reached in zip(tables, (apart, *(cosines >= level for level in thresholds)), strict=True):
            np.add.at(table, people[rows], np.add.reduceat(reached, starts, axis=1, dtype=np.float64))
    return tables


def _same(hits: Matrix, pairs: Matrix, drawn: Matrix) -> Interval:
    """The share of hits among pairs of one person, on the diagonal."""
    return _interval(np.diag(hits), np.diag(pairs), drawn @ np.diag(hits), drawn @ np.diag(pairs), len(pairs))


def _different(hits: Matrix, pairs: Matrix, drawn: Matrix) -> Interval:
    """The share of hits among pairs of two people; a person drawn twice is not two people."""
    hits, pairs = (np.where(np.eye(len(table), dtype=bool), 0, table) for table in (hits, pairs))
    found, given = ((drawn @ table * drawn).sum(1) for table in (hits, pairs))
    return _interval(hits, pairs, found, given, len(pairs))


def _interval(hits: Matrix, pairs: Matrix, found: Matrix, given: Matrix, people: int) -> Interval:
    """The share, and the percentiles of its resamples; ``found`` of ``given`` pairs are those of each resample."""
    share = float(hits.sum() / pairs.sum())
    shares = found[given > 0] / given[given > 0]
    low, high = (float(end) for end in np.percentile(shares, [2.5, 97.5]))
    # What never happened in any resample may still happen to the next person (Clopper and Pearson, of people).
    never = 1 - 0.025 ** (1 / people)
    return Interval(share, 1 - never if share == 1 else low, never if share == 0 else high)
