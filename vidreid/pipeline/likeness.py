"""How alike the sightings of a run are, as `match` compared them: the one place that those who explain ask."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidreid.pipeline.calibrated import Calibrated
from vidreid.pipeline.index import open_index
from vidreid.pipeline.results import Run
from vidreid.types import Array


class Likenesses:
    """Likenesses of tracklets by name, 0 at even odds, from the vectors and levels that `match` kept."""

    def __init__(self, run: Run, calibrated: Calibrated) -> None:
        index = open_index(run)
        self._known = index.gallery(calibrated.frame.cameras)
        self._places = {name: row for row, name in enumerate(index.tracklets)}
        self._scale, self._curves = calibrated.frame.scale, calibrated.curves

    def between(self, ones: Sequence[str], others: Sequence[str]) -> Array:
        """Likenesses (n, m); nan where one of a pair has no vector, and of a tracklet with itself."""
        found = np.full((len(ones), len(others)), np.nan)
        (rows, here), (columns, there) = self._rows(ones), self._rows(others)
        likeness = self._likeness(here, there)
        likeness[here[:, None] == there] = np.nan
        found[np.ix_(rows, columns)] = likeness
        return found

    def _rows(self, names: Sequence[str]) -> tuple[list[int], Array]:
        """Which of the names have vectors, and the rows of these."""
        known = [place for place, name in enumerate(names) if name in self._places]
        return known, np.array([self._places[names[place]] for place in known], np.int64)

    def _likeness(self, here: Array, there: Array) -> Array:
        """Scores (n, m) of rows (n,) with rows (m,), as `vidreid.identity.levels` has them, less that of even odds."""
        one, other = self._known.cameras[here], self._known.cameras[there]
        vectors, others = (self._known.vectors[rows].astype(np.float32) for rows in (here, there))
        shared = (self._known.levels[here][:, other] + self._known.levels[there][:, one].T) / 2
        even = np.where(one[:, None] == other, self._curves["same"].even, self._curves["cross"].even)
        return np.asarray((vectors @ others.T - shared) / self._scale - even, np.float64)
