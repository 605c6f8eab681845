"""Sightings made by hand, as `match` tells them apart: who was where, when, and how they looked."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from vidreid.footage.cameras import Site
from vidreid.footage.clock import Timeline
from vidreid.identity.splitting import Look, mean_look
from vidreid.pipeline.cards import stranger
from vidreid.pipeline.carriers import anchors
from vidreid.pipeline.grouping import group
from vidreid.pipeline.plan import CameraPlan
from vidreid.pipeline.sightings import Tracklet, footage_of
from vidreid.store.folder import CameraRecord
from vidreid.store.journal import Decision
from vidreid.tracklets.assemble import Assembled, Piece
from vidreid.types import Clock, VideoFile

RATE = 2  # frames a second
NEW_YEAR = 1_767_225_600_000_000
DIM = 128
NOWHERE = Site()


def camera(name, *, hours=1.0, ahead=0.0, known=True):
    """A camera of one file, its clock so many seconds ``ahead``, or not ``known``."""
    count, clock = int(3600 * hours * RATE), Clock((NEW_YEAR + round(ahead * 1e6) if known else None,))
    first = np.array([0])
    size = (1920, 1080, 0, Fraction(1))
    file = VideoFile(f"sha of {name}", 1, "h264", *size, Fraction(1, RATE), np.arange(count), first, first, 0)
    return CameraPlan(CameraRecord(name, (), clock.starts), [file], [], Timeline([file], clock))


class World:
    """Cameras and whom they saw: ``alike`` 0..1 is what all people have in common, ``noise`` what each look adds."""

    def __init__(self, *cameras, seed=0, alike=0.0, noise=0.4):
        self.cameras = {one.record.name: one for one in cameras}
        self.tracklets = []
        self.person = {}
        self._rng = np.random.default_rng(seed)
        self._alike, self._noise = alike, noise
        self._common, self._own = self._direction(), {}

    def add(self, person, camera, first, last):
        """A sighting of ``person`` from ``first`` to ``last`` seconds of a camera, in nobody else's box; its name."""
        plan, number = self.cameras[camera], 1 + sum(one.camera == camera for one in self.tracklets)
        frames = np.arange(round(first * RATE), round(last * RATE) + 1)
        boxes = np.tile(np.array([100 * number, 100, 100 * number + 60, 250], np.float32), (len(frames), 1))
        piece = Piece(0, number, int(frames[0]), int(frames[-1]))
        way = Assembled((piece,), frames, boxes, np.ones(len(frames), np.float32))
        looks = [self._look(person, part) for part in np.array_split(frames, 4)]
        utc = plan.timeline.utc(frames[[0, -1]])
        name = f"{camera}/{number:06d}"
        times = (*plan.timeline.elapsed(frames[[0, -1]]).tolist(), *((None, None) if utc is None else utc.tolist()))
        self.tracklets.append(Tracklet(name, camera, way, *times, looks, mean_look(looks)))
        self.person[name] = person
        return name

    def say(self, number, kind, *names):
        """A decision about sightings."""
        places, tracks = footage_of(self.cameras), {one.name: one.track for one in self.tracklets}
        subjects = tuple(anchors(tracks[name], places[tracks[name].camera]) for name in names)
        return Decision(kind, subjects, number=number)

    def group(self, *decisions, site=NOWHERE, measured=True):
        """Who is who, by a network that is like no other, whether anybody ``measured`` it or not."""
        card = replace(stranger("by hand", DIM), people=1000 * measured)
        return group(self.tracklets, self.cameras, decisions, site, card, promise=0.02, min_seconds=0.4)

    def _look(self, person, frames):
        own = self._own.setdefault(person, self._direction())
        vector = self._alike**0.5 * self._common + (1 - self._alike) ** 0.5 * own + self._noise * self._direction()
        return Look(int(frames[0]), int(frames[-1]), 1.0, (vector / np.linalg.norm(vector)).astype(np.float32))

    def _direction(self):
        found = self._rng.normal(size=DIM)
        return found / np.linalg.norm(found)


def people(grouped):
    """The identity of each sighting that has one."""
    return {one.name: int(label) for one, label in zip(grouped.known, grouped.labels, strict=True) if label >= 0}


def shift(world, seconds, *, count=20, visits=("a", "b", "c"), stay=30.0, every=60.0):
    """``count`` people who come in tens and pass the cameras ``visits`` in turn, one each ``seconds``."""
    for person in range(count):
        for place, name in enumerate(visits):
            start = 3.0 * (person % 10) + every * (person // 10) + seconds * place
            world.add(person, name, start, start + stay)
