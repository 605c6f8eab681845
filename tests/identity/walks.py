"""A simulated site: people walk a graph of cameras; some are missed, some are taken for somebody else."""

from dataclasses import dataclass

import numpy as np

from vidreid.identity.constraints import Presence
from vidreid.identity.encounters import encounters

RATE = 25
NEW_YEAR = 1_767_225_600.0


@dataclass(frozen=True)
class Walks:
    """Tracklets and who they are; ``clusters`` is ``person`` with mistakes."""

    presences: list[Presence]
    person: np.ndarray
    clusters: np.ndarray

    def encounters(self):
        """As matching finds them: who is in one cluster is one person with 0.99."""
        return encounters(self.presences, self.clusters, lambda pairs: np.full(len(pairs), 0.99))


def walk(
    seed, *, ways, people=40, hours=2.0, visits=5, missed=0.1, mistaken=0.02, shared=(), ahead=None, unknown=(), group=1
):
    """``people`` (in groups that keep together) come at random times and go by ``ways``: {(camera, camera): least s}.

    A walk takes 1 to about 2 times the least, sometimes much longer; a visit 4 to 20 s. Pairs in ``shared`` have a
    common view. ``ahead`` are errors of clocks in seconds; clocks in ``unknown`` are not known. A share of visits is
    ``missed``, a share ``mistaken`` for another person's.
    """
    rng = np.random.default_rng(seed)
    near = {}
    for (one, other), seconds in ways.items():
        near.setdefault(one, []).append((other, seconds))
        near.setdefault(other, []).append((one, seconds))
    cameras = sorted(near)
    presences, person = [], []
    for number in range(people):
        if number % group == 0:
            camera, time = cameras[rng.integers(len(cameras))], rng.uniform(0, 3600 * hours)
            route = []
            for _ in range(rng.integers(1, visits + 1)):
                end = time + rng.uniform(4, 20)
                route.append((camera, time, end))
                following, least = near[camera][rng.integers(len(near[camera]))]
                dawdle = rng.exponential(0.3) + (rng.random() < 0.1) * rng.uniform(2, 20)
                both = tuple(sorted((camera, following))) in shared
                time = end - rng.uniform(1, 4) if both else end + least * (1 + dawdle)
                camera = following
        for camera, start, end in route:
            if rng.random() >= missed:
                presences.append(_presence(camera, start, end, (ahead or {}).get(camera, 0.0), camera not in unknown))
                person.append(number)
    person = np.array(person, np.int64)
    clusters = np.where(rng.random(len(person)) < mistaken, rng.integers(0, people, len(person)), person)
    return Walks(presences, person, clusters)


def _presence(camera, start, end, ahead, known):
    times = [round((NEW_YEAR + ahead + time) * 1e6) if known else None for time in (start, end)]
    return Presence(camera, int(start * RATE), int(end * RATE), *times)
