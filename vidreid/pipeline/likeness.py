"""How alike the sightings of a run are, as `match` compares them: the one place that those who explain ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from vidreid.identity.splitting import mean_look
from vidreid.pipeline.looks import looks_of
from vidreid.pipeline.results import Run
from vidreid.types import Array

Row = Mapping[str, Any]


class Likenesses:
    """Likenesses of tracklets by name; looks are read when they are first asked for. ``rows``: tracklets by name."""

    def __init__(self, run: Run, rows: Mapping[str, Row]) -> None:
        self._run, self._rows = run, rows
        self._vectors: dict[str, Array | None] = {}

    def load(self, names: Iterable[str]) -> None:
        """Read the looks of tracklets at once, which is faster than one after the other."""
        new = [self._rows[name] for name in dict.fromkeys(names) if name not in self._vectors]
        self._vectors |= {name: mean_look(looks) for name, looks in looks_of(self._run, new).items()}

    def between(self, ones: Sequence[str], others: Sequence[str]) -> Array:
        """Likenesses (n, m); nan where one of a pair has no looks."""
        self.load([*ones, *others])
        return np.asarray(self._stacked(ones) @ self._stacked(others).T, np.float64)

    def _stacked(self, names: Sequence[str]) -> Array:
        dim = next((len(vector) for vector in self._vectors.values() if vector is not None), 1)
        nothing = np.full(dim, np.nan, np.float32)
        found = (self._vectors[name] for name in names)
        return np.stack([nothing if vector is None else vector for vector in found])
