"""How much of a difference is chance: bootstrap over people, after Efron and Tibshirani 1993, chapters 8 and 13."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
SEED = 20170  # any number: the same files give the same interval
BLOCK = 500  # resamples at a time


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrap_mean(values: NDArray[np.float64], weights: NDArray[np.float64], people: NDArray[np.int64]) -> Interval:
    """The weighted mean of values (n,) and its percentile interval, people drawn with replacement.

    Whole people are drawn, because the queries of one person are alike. ``values`` are differences of two systems
    query by query where those are compared.
    """
    _, person = np.unique(people, return_inverse=True)
    count = int(person.max()) + 1
    sums, masses = np.bincount(person, values * weights, count), np.bincount(person, weights, count)
    generator = np.random.default_rng(SEED)
    means = []
    for _ in range(0, RESAMPLES, BLOCK):
        drawn = generator.multinomial(count, np.full(count, 1 / count), size=BLOCK).astype(np.float64)
        means.append((drawn @ sums) / (drawn @ masses))
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return Interval(float(sums.sum() / masses.sum()), float(low), float(high))
