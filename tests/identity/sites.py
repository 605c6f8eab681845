"""Sites of made-up people: what each looks like to each of several cameras, and whom a camera saw at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np

from vidreid.evaluation.cards import Labelled, measure_card
from vidreid.identity.association import Sightings
from vidreid.identity.card import Card

DIM = 64
ALIKE = 12  # directions in which clothes differ: the fewer, the more lookalikes


@dataclass(frozen=True)
class Site:
    """Sightings, and who they truly are (n,)."""

    sightings: Sightings
    people: np.ndarray


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def site(seed, people=150, cameras=4, visits=3.0, blur=0.75, uniform=0.0, at_once=4):
    """A site of so many people, each seen so often on average, at least once; a camera sees some ``at_once``.

    ``blur``: how much of a sighting is noise; ``uniform``: how much alike all clothes are, up to 1.
    """
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), rng.poisson(visits - 1, people) + 1)
    rng.shuffle(who)
    where = rng.integers(0, cameras, len(who))
    clothes = unit(rng.normal(size=(people, ALIKE))) @ unit(rng.normal(size=(ALIKE, DIM)))
    clothes = (1 - uniform) * clothes + uniform * unit(rng.normal(size=DIM))
    look = unit(0.8 * clothes + 0.6 * unit(rng.normal(size=(people, DIM))))
    noise = blur * rng.lognormal(0, 0.3, (len(who), 1)) * unit(rng.normal(size=(len(who), DIM)))
    shift = 0.4 * unit(rng.normal(size=(cameras, DIM)))
    vectors = unit(look[who] + noise + shift[where] + 0.4 * unit(np.ones(DIM))).astype(np.float32)
    apart, impostors = _at_once(who, where, at_once)
    return Site(Sightings(vectors, where, apart, impostors=impostors), who)


def _at_once(who, where, size):
    """Each camera sees its first so many at once, then the next: those that are different people are kept apart."""
    apart, impostors = [[] for _ in who], []
    for camera in np.unique(where):
        rows = np.flatnonzero(where == camera)
        for start in range(0, len(rows), size):
            for one, other in combinations(rows[start : start + size].tolist(), 2):
                if who[one] != who[other]:
                    apart[one].append(other)
                    apart[other].append(one)
                    impostors.append((one, other))
    return [np.array(rows, np.int64) for rows in apart], np.array(impostors, np.int64).reshape(-1, 2)


@cache
def card() -> Card:
    """What two other sites of such people say."""
    sites = [site(seed, people=400, visits=4.0) for seed in (901, 902)]
    halves = np.stack([unit(np.ones((5, DIM))), unit(np.ones((5, DIM)) + np.eye(DIM)[:5])], axis=1)
    return measure_card("made up", [Labelled("made up", s.sightings.vectors, s.people, s.sightings.cameras, halves) for s in sites])


def pairs_of(labels):
    """How many pairs of rows have one label."""
    _, sizes = np.unique(labels, axis=0, return_counts=True)
    return int((sizes * (sizes - 1) // 2).sum())


def wrong_pairs(clusters, people):
    """Pairs put together, and how many of them are two people."""
    found = pairs_of(clusters)
    return found, found - pairs_of(np.stack([clusters, people], axis=1))
