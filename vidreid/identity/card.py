"""What is known of a network before a run: how its vectors lie for people that it never learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidreid.types import Array

EDGES = np.arange(-2.0, 8.001, 0.25)  # of scores
CENTRES = (EDGES[:-1] + EDGES[1:]) / 2
BULK = EDGES[:-1] < -1.0  # bins that hold strangers and hardly anybody else


@dataclass(frozen=True)
class Card:
    """How likenesses of held-out people lie, ``people`` of them, 0 where nobody measured.

    ``mean`` (dim,) of the vectors; ``scale``: the likeness that makes a stranger e times rarer; ``strangers``
    (2,): the two greatest likenesses that a sighting has to strangers in a crowd of a hundred; ``null``: strangers by
    score (bins,), 1 in all of the bulk, where a sighting has its own person in the other camera (``with``) and where
    not (``without``); ``genuine``: mean and deviation of the scores of one person in one camera (``same``) and in two
    (``cross``); ``halves``: mean likeness of the two halves of a tracklet.
    """

    name: str
    mean: Array
    scale: float
    strangers: Array
    null: Mapping[str, Array]
    genuine: Mapping[str, tuple[float, float]]
    halves: float
    people: int
    made_from: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; numbers to the digits that matter."""
        return {
            "name": self.name,
            "people": self.people,
            "made_from": list(self.made_from),
            "scale": round(float(self.scale), 4),
            "strangers": [round(float(value), 4) for value in self.strangers],
            "genuine": {kind: [round(float(value), 3) for value in pair] for kind, pair in self.genuine.items()},
            "halves": round(float(self.halves), 4),
            "null": {kind: [float(f"{value:.3g}") for value in shape] for kind, shape in self.null.items()},
            "mean": [float(f"{value:.3g}") for value in self.mean],
        }


def read_card(found: Mapping[str, Any]) -> Card:
    """The card of `Card.as_dict`."""
    return Card(
        name=found["name"],
        mean=np.array(found["mean"], np.float32),
        scale=float(found["scale"]),
        strangers=np.array(found["strangers"], np.float32),
        null={kind: np.array(shape) for kind, shape in found["null"].items()},
        genuine={kind: (float(mean), float(deviation)) for kind, (mean, deviation) in found["genuine"].items()},
        halves=float(found["halves"]),
        people=int(found["people"]),
        made_from=tuple(found["made_from"]),
    )
