"""What a score means: the probability that two sightings are one person, and how sure that is.

Two groups make the histogram of all scores: strangers, whose shape the network's card knows from held-out people, and
pairs of one person (Efron, Size, power and false discovery rates, Annals of Statistics 2007, section 2). How many of
each there are the run says itself, for pairs of one camera and of two cameras apart. What a run is too small to say
comes from the card.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from vidreid.identity.card import BULK, CENTRES, EDGES, Card
from vidreid.types import Array

Kind = Literal["same", "cross"]  # pairs of one camera, of two
FITTED = CENTRES > -1.0
ROUNDS = 300
# What the card is worth beside the run, and what it expects where the run is silent.
PAIRS = 50.0  # pairs of one person
SIGHTINGS = 30.0  # sightings
AGAIN: Mapping[Kind, float] = {"same": 0.2, "cross": 0.5}  # chance that a sighting has another one of its person
STRANGERS = 100.0  # pairs of strangers, of which the share IN_BULK scores within two units of the nearest
IN_BULK = 0.05
# Strangers within a camera are less alike from site to site than the card can know; pairs of one person are not looked
# for far from where held-out people lie.
DOUBT: Mapping[Kind, float] = {"same": 1.2, "cross": 1.0}
DRIFT = 0.5
# By how much more often strangers score above the bulk where the crowd is the card's and not their own, from the ratio
# of wrong pairs to expected ones at 20, 67 and 203 sightings a camera of Market-1501; and how many certain strangers
# of the run's own halve that doubt.
THIN = 8.0
CERTAIN = 30.0
BLUR = np.array([0.25, 0.5, 0.25])  # a bin more or less is chance
REVIEWED = 20.0  # reviewed pairs that count as much as the curve
FEWEST = 30  # people that a network is taken to have been tried on where nobody says
CEILING = 0.999
NEVER = 20.0  # a score that nobody reaches


@dataclass(frozen=True)
class Curve:
    """Probability by score: ``probability`` (bins,) never falls; ``even``: the score of even odds, inf if none.

    ``counted`` (bins,) pairs the run has, ``strangers`` and ``genuine`` (bins,) how many of two people and of one it is
    held to have.
    """

    probability: Array
    even: float
    counted: Array
    strangers: Array
    genuine: Array

    def at(self, score: Array) -> Array:
        """Probabilities of scores, any shape."""
        return np.asarray(np.interp(score, CENTRES, self.probability))

    def above(self, likeness: Array) -> Array:
        """Probabilities of likenesses: scores above that of even odds."""
        return self.at(np.asarray(likeness) + min(self.even, NEVER))


def supported(curve: Curve, people: int) -> Curve:
    """The curve as far as ``people`` whom a network never learnt from support it: no error among n of them leaves room
    for 3 / n (Hanley and Lippman-Hand, If nothing goes wrong, is everything all right?, JAMA 1983)."""
    most = 1 - 3 / max(people, FEWEST)
    return replace(curve, probability=np.clip(curve.probability, 1 - most, most))


@dataclass(frozen=True)
class Known:
    """Scores of pairs that the run is certain of: ``impostors`` (i,), and ``reviewed`` (r,) with what a person said
    of each, ``same`` (r,) bool. ``halves``: mean score of the two halves of a tracklet above the card's, and of how
    many tracklets."""

    impostors: Array
    reviewed: Array
    same: Array
    halves: tuple[float, int] = (0.0, 0)


NOTHING = Known(np.zeros(0), np.zeros(0), np.zeros(0, bool))


def histogram(scores: Array) -> Array:
    """Counts (bins,) of scores, what lies below the first bin left out, what lies beyond the last within it."""
    return np.histogram(np.minimum(scores, EDGES[-1] - 1e-6), EDGES)[0].astype(float)


def fit(
    counts: Array,
    sightings: float,
    pairs: float,
    card: Card,
    kind: Kind,
    known: Known = NOTHING,
    *,
    crowded: float = 1.0,
) -> Curve:
    """The curve of pairs of a ``kind`` from the ``counts`` (bins,) of all ``pairs`` in the run.

    ``sightings``: how many sightings could find themselves again: half of sightings times cameras looked at.
    ``crowded`` (0..1): how far sightings were measured against the run's own crowds, and not against the card's.
    """
    sightings, pairs = max(sightings, 1.0), max(pairs, 1.0)
    mean, deviation = _expected(card, kind)
    mean += known.halves[0] * known.halves[1] / (known.halves[1] + PAIRS)
    strangers = pairs * (counts[BULK].sum() + IN_BULK * STRANGERS) / (pairs + STRANGERS)
    unsure = CERTAIN / (CERTAIN + len(known.impostors))
    doubt = np.where(FITTED, DOUBT[kind] * (1 + unsure * THIN * (1 - crowded) ** 1.5), 1.0)
    alone = _moved(card.null["without"], known.impostors)
    expected = _normal(mean, deviation)
    people, shape = AGAIN[kind] * sightings, expected
    for _ in range(ROUNDS):
        met = min(1.0, people / max(sightings, 1e-9))
        null = strangers * (met * card.null["with"] + (1 - met) * alone) * doubt
        genuine = people * shape
        mine = (counts * genuine / np.maximum(null + genuine, 1e-12))[FITTED]
        people = sightings * (mine.sum() + SIGHTINGS * AGAIN[kind]) / (sightings + SIGHTINGS)
        centre = ((mine * CENTRES[FITTED]).sum() + mean) / (mine.sum() + 1)
        squares = (mine * (CENTRES[FITTED] - centre) ** 2).sum() + deviation**2
        spread = float(np.sqrt(squares / (mine.sum() + 1)))
        if kind == "same":
            centre, spread = max(centre, mean - DRIFT), min(spread, deviation)
        own = mine.sum() / (mine.sum() + PAIRS)
        shape = own * _normal(centre, spread) + (1 - own) * expected
    return _reviewed(_curve(counts, null, genuine), known)


def _expected(card: Card, kind: Kind) -> tuple[float, float]:
    """Mean and deviation of the scores of one person. One camera sees people from all sides in time, as two do at once,
    while the card's pairs of one camera were moments apart: both kinds together stand for it."""
    if kind == "cross":
        return card.genuine["cross"]
    (same, near), (cross, far) = card.genuine["same"], card.genuine["cross"]
    return (same + cross) / 2, float(np.sqrt((near**2 + far**2) / 2 + ((same - cross) / 2) ** 2))


def _moved(null: Array, impostors: Array) -> Array:
    """The card's strangers moved by the run's own certain ones, in proportion to their number; 1 in the bulk."""
    own = np.convolve(histogram(impostors), BLUR, "same")
    shape = null / null.sum() * STRANGERS + own
    return np.asarray(shape / shape[BULK].sum())


def _normal(centre: float, spread: float) -> Array:
    shape = np.exp(-0.5 * ((CENTRES - centre) / spread) ** 2)
    return np.asarray(shape / max(shape.sum(), 1e-12))


def _curve(counted: Array, strangers: Array, genuine: Array) -> Curve:
    share = np.maximum.accumulate(genuine / np.maximum(strangers + genuine, 1e-12))
    share = np.clip(share, 1 - CEILING, CEILING)
    return Curve(share, _even(share), counted, strangers, genuine)


def _even(share: Array) -> float:
    above = np.flatnonzero(share >= 0.5)
    if not len(above):
        return np.inf
    upto = slice(0, above[0] + 1)
    return float(np.interp(0.5, share[upto], CENTRES[upto]))


def _reviewed(curve: Curve, known: Known) -> Curve:
    """The curve with its odds moved to what reviewed pairs turned out to be."""
    if not len(known.reviewed):
        return curve
    said = curve.at(known.reviewed)
    weight = len(said) + REVIEWED
    found = (known.same.sum() + REVIEWED * said.mean()) / weight
    move = logit(np.clip(found, 0.001, 0.999)) - logit(np.clip(said.mean(), 0.001, 0.999))
    share = np.clip(odds(logit(curve.probability) + move), 1 - CEILING, CEILING)
    return replace(curve, probability=share, even=_even(share))


def logit(probability: Array | float) -> Array:
    """Log odds of probabilities in 0..1, exclusive."""
    return np.asarray(np.log(probability) - np.log1p(-np.asarray(probability)))


def odds(log_odds: Array | float) -> Array:
    """Probabilities of log odds."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(log_odds))))
