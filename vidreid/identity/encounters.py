"""One person surely seen by two cameras: what is known of their clocks and of the ways between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vidreid.identity.constraints import MICRO, Presence
from vidreid.types import Array

CONFIDENT = 0.95  # least probability of a pair from which anything is learned
BLOCK = 128


@dataclass(frozen=True)
class Encounters:
    """Confident pairs of one person's tracklets in two ``cameras`` with known clocks.

    ``rows`` (m, 2) the two tracklets, ``person`` (m,) the cluster, ``first`` and ``second`` (m, 2) start and end in
    either camera, UTC seconds.
    """

    cameras: tuple[str, str]
    rows: Array
    person: Array
    first: Array
    second: Array

    @property
    def people(self) -> int:
        return len(np.unique(self.person))

    @property
    def gaps(self) -> Array:
        """Seconds (m,) from leaving one camera to entering the other; negative where the person is in both at once."""
        return np.asarray(np.maximum(self.second[:, 0] - self.first[:, 1], self.first[:, 0] - self.second[:, 1]))

    def at_once(self, shift: float = 0.0) -> Array:
        """Which (m,) would be in both cameras at once if the second's clock were put back by ``shift`` seconds."""
        return np.asarray(
            (self.second[:, 0] - shift < self.first[:, 1]) & (self.first[:, 0] < self.second[:, 1] - shift)
        )

    @property
    def shifts(self) -> Array:
        """Seconds (m,) from the middle of the first camera's tracklet to that of the second's."""
        return np.asarray(self.second.mean(1) - self.first.mean(1))


def encounters(presences: Sequence[Presence], clusters: Array, chance: Callable[[Array], Array]) -> list[Encounters]:
    """The confident pairs of each two cameras, in order of their names.

    Of one cluster, in two cameras with known clocks, and one person by a ``chance`` (k,) of pairs of rows (k, 2) of
    at least `CONFIDENT`. The clustering must not have known of any limit between cameras: what it
    forbids is never seen.
    """
    timed = np.array([p.start_us is not None and p.end_us is not None for p in presences], bool)
    cameras, place = np.unique([presence.camera for presence in presences], return_inverse=True)
    rows = np.flatnonzero(timed)
    rows = rows[np.argsort(clusters[rows], kind="stable")]
    people = np.split(rows, np.flatnonzero(np.diff(clusters[rows])) + 1)
    found = [pairs for members in people for pairs in _pairs(members, place, chance)]
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *found])
    # The first of a pair is of the camera whose name comes first.
    pairs = np.where((place[pairs[:, 0]] > place[pairs[:, 1]])[:, None], pairs[:, ::-1], pairs)
    times = np.array([(p.start_us or 0, p.end_us or 0) for p in presences]).reshape(-1, 2) / MICRO
    kinds, kind = np.unique(place[pairs], axis=0, return_inverse=True)
    parts = [(names, pairs[kind.reshape(-1) == number]) for number, names in enumerate(cameras[kinds].tolist())]
    return [
        Encounters((one, other), own, clusters[own[:, 0]], times[own[:, 0]], times[own[:, 1]])
        for (one, other), own in parts
    ]


def _pairs(members: Array, place: Array, chance: Callable[[Array], Array]) -> Iterator[Array]:
    """Confident pairs (m, 2) of one cluster's rows, each once, in different cameras."""
    for start in range(0, len(members), BLOCK):
        part, rest = members[start : start + BLOCK], members[start:]
        later = np.arange(len(rest)) > np.arange(len(part))[:, None]
        one, other = np.nonzero(later & (place[part][:, None] != place[rest]))
        pairs = np.stack([part[one], rest[other]], 1)
        yield pairs[chance(pairs) >= CONFIDENT]
