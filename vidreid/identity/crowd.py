"""What a run's own crowd says that its network's card cannot know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vidreid.identity.card import Card
from vidreid.identity.levels import centred
from vidreid.types import Array

FEWEST = 10  # pairs of certain strangers that are enough to overrule the card


def in_uniform(card: Card, vectors: Array, cameras: Array, impostors: Array) -> bool:
    """Whether everybody looks like everybody else: of unit vectors (n, dim) of ``cameras`` (n,), numbers from 0, most
    pairs of rows that are surely two people, ``impostors`` (k, 2), are more alike than the nearest of a hundred
    strangers on the card. Never said where there are fewer than `FEWEST` pairs, or nobody measured the network."""
    if not card.people or len(impostors) < FEWEST:
        return False
    moved, _ = centred(vectors, cameras, card.mean)
    return bool(np.median(np.vecdot(*moved[impostors.T])) > card.strangers.mean())


def with_own_mean(card: Card, vectors: Array) -> Card:
    """The card with the mean of a crowd (n, dim) in place of its own: what all of it shares tells nobody apart."""
    return replace(card, mean=vectors.mean(0)) if len(vectors) else card
