"""Who walks where and when: each person wanders from view to view, seen by at most one camera at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidreid.types import Array
from vidreid.world.gait import Stance
from vidreid.world.people import Person
from vidreid.world.scene import Route

STEP = 0.1  # seconds between the samples of a walk


@dataclass(frozen=True, slots=True)
class Visit:
    """One walk through one view: world time ``start`` in seconds, then a sample each `STEP` seconds.

    ``track`` (n, 2) ground positions, ``yaw`` (n,) unwrapped, ``walked`` (n,) metres, ``effort`` (n,) 0..1.
    """

    camera: str
    start: float
    track: Array
    yaw: Array
    walked: Array
    effort: Array

    @property
    def end(self) -> float:
        return self.start + STEP * (len(self.yaw) - 1)

    def stance(self, time: float) -> Stance | None:
        """Where the person stands at a world time, None outside the visit."""
        place = (time - self.start) / STEP
        if not 0 <= place <= len(self.yaw) - 1:
            return None
        row = min(int(place), len(self.yaw) - 2)
        part = place - row

        def at(values: Array) -> float:
            return float(values[row] * (1 - part) + values[row + 1] * part)

        return Stance(at(self.track[:, 0]), at(self.track[:, 1]), at(self.yaw), at(self.walked), at(self.effort))


def visits(person: Person, routes: Mapping[str, Sequence[Route]], *, seed: int, seconds: float) -> Iterator[Visit]:
    """The person's visits in order of time, without end.

    The second visit is to another camera, later ones are in a quarter of the cases a return to the same one.
    Between two visits lies a time that grows with ``seconds``, from 2 s up to half a minute.
    """
    rng = np.random.default_rng([seed, 2, person.number])
    cameras = list(routes)
    camera = cameras[person.number % len(cameras)]
    hurry = min(seconds, 300.0) / 20
    start = float(rng.uniform(-3.0, min(4.0, 0.2 * seconds)) + rng.uniform(0, hurry - 1) if hurry > 1 else -2.0)
    count = 0
    while True:
        visit = walk(person, camera, routes[camera][int(rng.integers(len(routes[camera])))], start, rng, seconds >= 30)
        yield visit
        count += 1
        start = visit.end + max(2.0, float(rng.uniform(0.8, 2.4)) * hurry)
        others = [name for name in cameras if name != camera]
        if others and (count == 1 or rng.uniform() < 0.75):
            camera = others[rng.integers(len(others))]


def walk(person: Person, camera: str, route: Route, start: float, rng: np.random.Generator, linger: bool) -> Visit:
    """A visit along a route, in either direction, a little off it; with ``linger`` one in four stops on the way."""
    points = np.array(route[:: int(rng.choice((-1, 1)))]) + rng.uniform(-0.3, 0.3, 2)
    points = _smooth(points)
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    stop = rng.uniform(0.35, 0.65) * along[-1] if linger and rng.uniform() < 0.25 else None
    walked, effort = _progress(along[-1], person.pace, stop, float(rng.uniform(1.5, 4.0)))

    def place(distance: Array) -> Array:
        return np.stack([np.interp(distance, along, axis) for axis in points.T], axis=1)

    ahead = place(np.minimum(walked + 0.25, along[-1])) - place(np.maximum(walked - 0.25, 0))
    yaw = np.unwrap(np.arctan2(-ahead[:, 0], ahead[:, 1]))
    return Visit(camera, start, place(walked), yaw, walked, effort)


def _smooth(points: Array) -> Array:
    """Chaikin's corner cutting; the ends stay."""
    for _ in range(4):
        cut = np.stack((0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]), axis=1)
        points = np.concatenate((points[:1], cut.reshape(-1, 2), points[-1:]))
    return points


def _progress(length: float, pace: float, stop: float | None, pause: float) -> tuple[Array, Array]:
    """Metres walked and effort at each step; around ``stop`` the pace falls to nothing for ``pause`` seconds."""
    walked, effort, waited = [0.0], [1.0], 0.0
    while walked[-1] < length:
        target = 1.0
        if stop is not None and walked[-1] >= stop - 0.25 and waited < pause:
            target, waited = 0.0, waited + STEP
        effort.append(effort[-1] + float(np.clip(target - effort[-1], -0.25, 0.25)))
        walked.append(min(walked[-1] + effort[-1] * pace * STEP, length))
    return np.array(walked), np.array(effort)
