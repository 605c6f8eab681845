"""A network's card: how likenesses of people lie that it never learnt from, measured on labelled sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vidreid.identity.association import make_space
from vidreid.identity.card import BULK, CENTRES, EDGES, Card
from vidreid.identity.levels import NEAREST, centred, products, slopes
from vidreid.types import Array

CROWD = 100  # strangers among whom a sighting's nearest are looked for
FEWEST = 20  # pairs of one camera from which their scores are measured
FAINT, STEEP = 3.0, 2.5  # strangers' tail before any is seen: so many, e times rarer a so-manieth of a unit


@dataclass(frozen=True)
class Labelled:
    """Tracklets of people that a network never learnt from: unit ``vectors`` (n, dim), ``identities`` and ``cameras``
    (n,) numbers from 0, and unit vectors of the two ``halves`` (m, 2, dim) of tracklets long enough."""

    name: str
    vectors: Array
    identities: Array
    cameras: Array
    halves: Array


def measure_card(network: str, sets: Sequence[Labelled]) -> Card:
    """The card of a network from sets of held-out people, each set counting alike."""
    mean = np.mean([one.vectors.mean(0) for one in sets], axis=0).astype(np.float32)
    parts = [_of_set(network, one, mean) for one in sets]
    within = [part.genuine["same"] for part in parts if "same" in part.genuine]
    halves = np.concatenate([_alike(one.halves - mean) for one in sets])
    genuine = {"cross": _mean_pair([part.genuine["cross"] for part in parts])}
    genuine["same"] = _mean_pair(within) if within else genuine["cross"]
    return Card(
        name=network,
        mean=mean,
        scale=float(np.mean([part.scale for part in parts])),
        strangers=np.mean([part.strangers for part in parts], axis=0),
        null={kind: np.mean([part.null[kind] for part in parts], axis=0) for kind in ("with", "without")},
        genuine=genuine,
        halves=float(halves.mean()),
        people=sum(part.people for part in parts),
        made_from=tuple(one.name for one in sets),
    )


def _alike(halves: Array) -> Array:
    """Cosines (m,) of pairs of vectors (m, 2, dim)."""
    return np.asarray(np.vecdot(halves[:, 0], halves[:, 1]) / np.linalg.norm(halves, axis=2).prod(1))


def _mean_pair(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    mean, deviation = np.mean(pairs, axis=0)
    return float(mean), float(deviation)


def _of_set(network: str, one: Labelled, mean: Array) -> Card:
    """What a single set says; its genuine pairs of one camera are left out where there are few."""
    moved, _ = centred(one.vectors, one.cameras, mean)
    likeness = moved @ moved.T
    other = ~np.eye(len(moved), dtype=bool)
    same = one.cameras[:, None] == one.cameras
    right = (one.identities[:, None] == one.identities) & other
    strangers = np.quantile(likeness[same & ~right & other], [1 - (i + 0.5) / CROWD for i in range(NEAREST)])
    scale = float(np.median(np.concatenate([slopes(part, one.cameras) for _, part in products(moved)])))
    blank = Card(network, mean, scale, strangers, {}, {}, 0.0, len(np.unique(one.identities)))
    scores = make_space(one.vectors, one.cameras, blank, crowd=0.0).scores(np.arange(len(moved)))
    met = np.stack([(right & (one.cameras == camera)).any(1) for camera in range(one.cameras.max() + 1)], axis=1)
    partner = met[:, one.cameras]
    null = {"with": scores[~right & ~same & partner], "without": scores[~right & other & ~partner]}
    genuine = {"cross": scores[right & ~same]} | (
        {"same": scores[right & same]} if (right & same).sum() >= FEWEST else {}
    )
    return replace(
        blank,
        null={kind: _smooth(found) for kind, found in null.items()},
        genuine={kind: (float(found.mean()), float(found.std())) for kind, found in genuine.items()},
    )


def _smooth(scores: Array) -> Array:
    """The histogram of strangers (bins,), 1 in the bulk, with an exponential tail above 0 where counts are few."""
    counts = np.histogram(np.minimum(scores, EDGES[-1] - 1e-6), EDGES)[0].astype(float)
    tail = CENTRES > 0
    seen = counts[tail].sum() + FAINT
    rate = seen / ((counts[tail] * CENTRES[tail]).sum() + FAINT / STEEP)
    shape = np.exp(-rate * CENTRES[tail])
    counts[tail] = (counts[tail].sum() + 1) * shape / shape.sum()
    return np.asarray(counts / counts[BULK].sum())
