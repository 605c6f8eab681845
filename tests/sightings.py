"""Sightings made by hand, as `match` tells them apart: who was where, when, and how they looked."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from vidreid.footage.clock import Timeline
from vidreid.identity.splitting import Look, mean_look
from vidreid.pipeline.cards import stranger
from vidreid.pipeline.carriers import anchors
from vidreid.pipeline.grouping import Grouped, group
from vidreid.pipeline.plan import CameraPlan
from vidreid.pipeline.sightings import Tracklet, footage_of
from vidreid.footage.cameras import Site
from vidreid.store.folder import CameraRecord
from vidreid.store.journal import Decision
from vidreid.tracklets.assemble import Assembled, Piece
from vidreid.types import Array, Clock, VideoFile

RATE = 2  # frames a second
NEW_YEAR = 1_767_225_600_000_000
DIM = 128


def camera(name: str, *, hours: float = 1.0, start: int | None = NEW_YEAR) -> CameraPlan:
    """A camera of one file; ``start`` in UTC microseconds, None where its clock is unknown."""
    count = int(3600 * hours * RATE)
    ends = np.array([0])
    base = Fraction(1, RATE)
    file = VideoFile(f"sha of {name}", 1, "h264", 1920, 1080, 0, Fraction(1), base, np.arange(count), ends, ends, 0)
    return CameraPlan(CameraRecord(name, (), (start,)), [file], [], Timeline([file], Clock((start,))))


@dataclass
class World:
    """Cameras, and whom they saw; ``alike`` 0..1 is what all people have in common, ``noise`` what varies by the look."""

    seed: int = 0
    cameras: dict[str, CameraPlan] = field(default_factory=dict)
    alike: float = 0.0
    noise: float = 0.4
    tracklets: list[Tracklet] = field(default_factory=list)
    people: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self._common = self._direction()
        self._faces: dict[int, Array] = {}

    def add(self, person: int, camera: str, first: float, last: float) -> str:
        """A sighting of a person, from ``first`` to ``last`` seconds of a camera; its name."""
        plan = self.cameras[camera]
        frames = np.arange(round(first * RATE), round(last * RATE) + 1)
        number = 1 + sum(one.camera == camera for one in self.tracklets)
        # Everybody walks on a lane of their own: nobody is ever in another's box.
        lane = np.array([100.0 * number, 100.0, 100.0 * number + 60, 250.0], np.float32)
        way = Assembled((Piece(0, number, int(frames[0]), int(frames[-1])),), frames, np.tile(lane, (len(frames), 1)), np.ones(len(frames), np.float32))
        looks = [self._look(person, *part[[0, -1]].tolist()) for part in np.array_split(frames, 4)]
        ends = frames[[0, -1]]
        start_s, end_s = plan.timeline.elapsed(ends).tolist()
        utc = plan.timeline.utc(ends)
        start, end = (None, None) if utc is None else utc.tolist()
        name = f"{camera}/{number:06d}"
        self.tracklets.append(Tracklet(name, camera, way, start_s, end_s, start, end, looks, mean_look(looks)))
        self.people.append(person)
        return name

    def say(self, number: int, kind: str, *names: str) -> Decision:
        """A decision about sightings."""
        places = footage_of(self.cameras)
        tracks = {one.name: one.track for one in self.tracklets}
        return Decision(kind, tuple(anchors(tracks[name], places[tracks[name].camera]) for name in names), number=number)

    def group(self, *decisions: Decision, site: Site = Site(), promise: float = 0.02) -> Grouped:
        """Who is who, by a network of which nobody knows anything."""
        return group(self.tracklets, self.cameras, decisions, site, stranger("by hand", DIM), promise=promise, min_seconds=0.4)

    def _look(self, person: int, first: int, last: int) -> Look:
        face = self._faces.setdefault(person, self._direction())
        vector = np.sqrt(self.alike) * self._common + np.sqrt(1 - self.alike) * face
        vector = vector + self.noise * self._direction()
        return Look(first, last, 1.0, (vector / np.linalg.norm(vector)).astype(np.float32))

    def _direction(self) -> Array:
        found = self._rng.normal(size=DIM)
        return np.asarray(found / np.linalg.norm(found))


def identities(grouped: Grouped) -> dict[str, int]:
    """The number of each sighting's identity."""
    return {one.name: int(label) for one, label in zip(grouped.known, grouped.labels, strict=True)}
