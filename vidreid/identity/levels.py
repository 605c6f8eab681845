"""How alike strangers look: every likeness is measured against the nearest others that each side has.

A cosine of 0.6 is much where nobody else comes near and nothing in a crowd of dark coats. So a pair's *score* is its
likeness less what each of the two has in common with its nearest others in the other's camera, in units of the tail
of strangers' likenesses: one unit more makes a stranger about e times rarer, whatever the network and the place. After
cross-domain similarity local scaling (Conneau et al., Word translation without parallel data, ICLR 2018, equation 3),
a camera at a time, since two cameras see the same stranger differently.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vidreid.types import Array

NEAREST = 2  # others that make the level
RANKS = (3, 10)  # between which the tail of strangers is measured
FEWEST = 50  # others from which on those ranks hold strangers
CROWD = 40.0  # others of a camera that count as much as the strangers that the card knows
SETTLED = 100.0  # sightings of a camera at which its own mean counts as much as the network's
BLOCK = 512  # rows of likenesses in memory at a time


@dataclass(frozen=True)
class Levels:
    """``level`` (n, cameras): mean likeness of a sighting to its nearest others in each camera; ``scale``: the
    likeness that makes a stranger e times rarer."""

    level: Array
    scale: float


def centred(vectors: Array, cameras: Array, mean: Array) -> tuple[Array, Array]:
    """Unit vectors (n, dim) without what their camera gives to all of them, and what was taken away (cameras, dim).

    ``mean`` (dim,) is the network's own, which stands in where a camera saw few: the two weigh alike at `SETTLED`.
    """
    count = int(cameras.max()) + 1 if len(cameras) else 0
    size = np.bincount(cameras, minlength=count)[:, None]
    total = np.zeros((count, vectors.shape[1]))
    np.add.at(total, cameras, vectors)
    means = (total + SETTLED * mean) / (size + SETTLED)
    return unit(vectors - means[cameras]), np.asarray(means.astype(np.float32))


def unit(vectors: Array) -> Array:
    """Vectors (n, dim) of length 1, float32."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray((vectors / np.maximum(length, 1e-12)).astype(np.float32))


def find_levels(vectors: Array, cameras: Array, strangers: Array, scale: float, crowd: float = CROWD) -> Levels:
    """Levels of unit vectors (n, dim) of ``cameras`` (n,), numbers from 0.

    ``strangers`` (NEAREST,) are the likenesses that a sighting has to strangers in a small crowd, as the network's card
    says: they take part in every level, so that a run of few people is not measured against those people alone.
    ``scale`` is the card's; the run's own takes its place as cameras fill.
    """
    order = np.argsort(cameras, kind="stable")
    ends = np.cumsum(np.bincount(cameras))
    level = np.zeros((len(vectors), len(ends)), np.float32)
    found = [np.zeros(0)]
    for rows, likeness in products(vectors[order]):
        for camera, there in enumerate(np.split(likeness, ends[:-1], axis=1)):
            near = greatest(there, RANKS[1])
            level[order[rows], camera] = level_among(near, there.shape[1], strangers, crowd)
            found.append(_slope(near, there.shape[1]))
    own = np.concatenate(found)
    weight = len(own) / max(1, len(ends))
    middle = float(np.median(own)) if len(own) else scale
    return Levels(level, (weight * middle + SETTLED * scale) / (weight + SETTLED))


def own_share(size: Array | int, crowd: float = CROWD) -> Array:
    """How far (0..1) levels rest on the sightings of a camera that has ``size`` of them, and not on the card."""
    return np.asarray(np.square(size) / (np.square(size) + crowd**2), float)


def level_among(likeness: Array, size: int, strangers: Array, crowd: float = CROWD) -> Array:
    """Levels (rows,) in a camera of ``size`` sightings, from likenesses (rows, any) to them, or to their greatest."""
    near = np.broadcast_to(strangers, (len(likeness), NEAREST))
    among = greatest(np.concatenate([likeness, near], axis=1), NEAREST).mean(1)
    share = own_share(size, crowd)
    return np.asarray(share * among + (1 - share) * strangers.mean())


def slopes(likeness: Array, cameras: Array) -> Array:
    """How fast likenesses (rows, n) fall along each row's nearest others of a camera, per e times as many of them;
    none of cameras that have fewer than `FEWEST`."""
    seen = (likeness[:, cameras == camera] for camera in np.unique(cameras))
    return np.concatenate([np.zeros(0), *(_slope(greatest(there, RANKS[1]), there.shape[1]) for there in seen)])


def _slope(near: Array, size: int) -> Array:
    """The slopes of one camera of ``size`` sightings from the greatest likenesses (rows, any) to them."""
    if size < FEWEST:
        return np.zeros(0)
    high, low = (np.partition(near, -rank, axis=1)[:, -rank] for rank in RANKS)
    slope = (high - low) / np.log(RANKS[1] / RANKS[0])
    return np.asarray(slope[np.isfinite(slope)])


def products(vectors: Array) -> Iterator[tuple[Array, Array]]:
    """Rows and their likenesses (rows, n) to all, -inf with itself, a block at a time."""
    for start in range(0, len(vectors), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(vectors)))
        likeness = vectors[rows] @ vectors.T
        likeness[np.arange(len(rows)), rows] = -np.inf
        yield rows, likeness


def greatest(values: Array, count: int) -> Array:
    """The ``count`` greatest of each row, in any order; all where there are fewer."""
    if values.shape[1] <= count:
        return values
    return np.asarray(np.partition(values, values.shape[1] - count, axis=1)[:, -count:])


def scores(likeness: Array, levels: Levels, rows: Array, cameras: Array) -> Array:
    """Scores (rows, n) of likenesses (rows, n) of some rows with all."""
    there = levels.level[rows][:, cameras]  # of each row, in the camera of each other
    back = levels.level[:, cameras[rows]].T
    return np.asarray((likeness - (there + back) / 2) / levels.scale)
