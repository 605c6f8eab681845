"""Made-up people who visit several cameras: how they look to each, and whom a camera saw at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np

from vidreid.evaluation.cards import Labelled, measure_card
from vidreid.identity.association import Sightings
from vidreid.identity.card import Card

DIM = 64
CLOTHES = 12  # directions in which clothes differ: the fewer, the more lookalikes


@dataclass(frozen=True)
class Visits:
    """Sightings, and who they truly are (n,)."""

    sightings: Sightings
    people: np.ndarray


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def visits(seed, people=150, cameras=4, times=3.0, blur=0.75, alike=False, at_once=4):
    """So many people, each seen so many times on average and once at least; a camera sees ``at_once`` of them.

    ``blur``: how much of a sighting is noise; ``alike``: nothing else tells anybody apart.
    """
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), rng.poisson(times - 1, people) + 1)
    rng.shuffle(who)
    where = rng.integers(0, cameras, len(who))
    clothes = unit(rng.normal(size=(people, CLOTHES))) @ unit(rng.normal(size=(CLOTHES, DIM)))
    look = unit(0.8 * clothes + 0.6 * unit(rng.normal(size=(people, DIM))))[who * (not alike)]
    noise = blur * rng.lognormal(0, 0.3, (len(who), 1)) * unit(rng.normal(size=(len(who), DIM)))
    shift = 0.4 * unit(rng.normal(size=(cameras, DIM)))
    vectors = unit(look + noise + shift[where] + 0.4 * unit(np.ones(DIM))).astype(np.float32)
    return Visits(Sightings(vectors, where, *_at_once(who, where, at_once)), who)


def _at_once(who, where, size):
    """Each camera sees its first so many at once, then the next: those of them that are two people are kept apart."""
    apart, impostors = [[] for _ in who], []
    for camera in np.unique(where):
        rows = np.flatnonzero(where == camera)
        for start in range(0, len(rows), size):
            for one, other in combinations(rows[start : start + size].tolist(), 2):
                if who[one] != who[other]:
                    apart[one].append(other)
                    apart[other].append(one)
                    impostors.append((one, other))
    return [np.array(rows, np.int64) for rows in apart], (), np.array(impostors, np.int64).reshape(-1, 2)


@cache
def held_out() -> Card:
    """The card that other people of the same making give."""
    halves = np.stack([unit(np.eye(DIM)), unit(np.eye(DIM) + 0.1)], axis=1)
    made = [visits(seed, people=400, times=4.0) for seed in (901, 902)]
    return measure_card(
        "made up",
        [Labelled("made up", one.sightings.vectors, one.people, one.sightings.cameras, halves) for one in made],
    )


def pairs_of(labels):
    """How many pairs of rows are equal."""
    _, sizes = np.unique(labels, axis=0, return_counts=True)
    return int((sizes * (sizes - 1) // 2).sum())


def wrong_pairs(clusters, people):
    """How many pairs of one cluster are two people."""
    return pairs_of(clusters) - pairs_of(np.stack([clusters, people], axis=1))
