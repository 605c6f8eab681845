"""A run in memory with the interface of `vidreid.pipeline.results.Run`, over real footage files and known boxes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from fractions import Fraction
from itertools import combinations, pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pyarrow as pa

from vidreid.footage.clock import Timeline
from vidreid.footage.probe import probe
from vidreid.pipeline.results import BOXES, CROPS
from vidreid.pipeline.summary import Summary
from vidreid.store import schema
from vidreid.types import Array, Clock, VideoFile
from vidreid.views.frames import frames

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Walk:
    """A tracklet of the hand-made run: someone who walks to the right; frames in ``gap`` are interpolated."""

    camera: str
    number: int
    identity: str | None
    first: int
    last: int
    gap: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.camera}/{self.number:06d}"

    def box(self, frame: int) -> tuple[float, float, float, float]:
        x, y = 2.3 + frame - self.first, 4.7 + 3 * self.number
        return x, y, x + 12.1, y + 30.4


class FakeRun:
    """The interface of `vidreid.pipeline.results.Run` over walks and footage files; ``starts`` None: clock unknown."""

    def __init__(
        self,
        path: Path,
        footage: dict[str, list[Path]],
        starts: dict[str, datetime | None],
        walks: Sequence[Walk],
        notes: Sequence[str] = (),
        zone: tzinfo = UTC,
    ):
        self.path, self.zone = path, zone
        self.cameras = tuple(footage)
        self._footage, self._starts, self._walks, self._notes = footage, starts, list(walks), list(notes)
        self._files: dict[str, list[VideoFile]] = {camera: [] for camera in footage}
        for camera, paths in footage.items():
            for file in paths:
                first = sum(len(f.pts) for f in self._files[camera])
                self._files[camera].append(probe(file, first))

    def files(self, camera: str) -> list[VideoFile]:
        return self._files[camera]

    def footage(self, camera: str) -> list[Path]:
        return self._footage[camera]

    def timeline(self, camera: str) -> Timeline:
        start = self._starts[camera]
        first = None if start is None else (start - EPOCH) // timedelta(microseconds=1)
        later = None if first is None else first + 5_000_000
        starts = (first, *[later] * (len(self._files[camera]) - 1))
        return Timeline(self._files[camera], Clock(starts))

    def moments(self, camera: str) -> tuple[Array | None, Array]:
        every = np.arange(sum(len(file.pts) for file in self._files[camera]))
        return self.timeline(camera).utc(every), self.timeline(camera).elapsed(every)

    def boxes(self, camera: str, *, interpolate: bool = True) -> pa.Table:
        times, elapsed = self.moments(camera)
        rows = [
            self._row(walk, frame, times, elapsed)
            for walk in self._walks
            if walk.camera == camera
            for frame in range(walk.first, walk.last + 1)
            if interpolate or frame not in walk.gap
        ]
        rows.sort(key=lambda row: (row["frame"], row["tracklet"]))
        return pa.Table.from_pylist(rows, BOXES)

    def _row(self, walk: Walk, frame: int, times: Array | None, elapsed: Array) -> dict[str, object]:
        files = self._files[walk.camera]
        number = max(k for k, file in enumerate(files) if file.first <= frame)
        return {
            "frame": frame,
            "file": self._footage[walk.camera][number].name,
            "pts": int(files[number].pts[frame - files[number].first]),
            "time": None if times is None else EPOCH + timedelta(microseconds=int(times[frame])),
            "elapsed_s": float(elapsed[frame]),
            **dict(zip(("x1", "y1", "x2", "y2"), walk.box(frame), strict=True)),
            "score": None if frame in walk.gap else 0.5 + 0.01 * (frame % 40),
            "interpolated": frame in walk.gap,
            "tracklet": walk.name,
            "identity": walk.identity,
        }

    def partial(self) -> None:
        """All of the footage was analysed."""

    def tracklets(self) -> pa.Table:
        return pa.Table.from_pylist([self._tracklet(walk) for walk in self._walks], schema.TRACKLETS)

    def _tracklet(self, walk: Walk) -> dict[str, object]:
        times, elapsed = self.moments(walk.camera)
        peers = [w for w in self._walks if w.identity == walk.identity]
        others = sorted({w.identity for w in self._walks} - {walk.identity, None})
        ends = {"start": walk.first, "end": walk.last}
        return {
            "tracklet": walk.name,
            "camera": walk.camera,
            "identity": walk.identity,
            "first": walk.first,
            "last": walk.last,
            **{
                key: None if times is None else EPOCH + timedelta(microseconds=int(times[frame]))
                for key, frame in ends.items()
            },
            **{f"{key}_s": float(elapsed[frame]) for key, frame in ends.items()},
            "boxes": walk.last - walk.first + 1,
            "height": walk.box(0)[3] - walk.box(0)[1],
            "similarity": 0.9 if walk.identity and len(peers) > 1 else None,
            "nearest": others[0] if others and walk.identity else None,
            "nearest_similarity": -0.6 if others and walk.identity else None,
            "pieces": [{"segment": 0, "track": walk.number, "first": walk.first, "last": walk.last}],
        }

    def identities(self) -> pa.Table:
        rows = self.tracklets().to_pylist()
        people = []
        for place, name in enumerate(sorted({row["identity"] for row in rows} - {None})):
            own = [row for row in rows if row["identity"] == name]
            known = all(row["start"] is not None for row in own)
            people.append(
                {
                    "identity": name,
                    "tracklets": len(own),
                    "cameras": sorted({row["camera"] for row in own}),
                    "start": min(row["start"] for row in own) if known else None,
                    "end": max(row["end"] for row in own) if known else None,
                    "doubt": (0.01 + 0.37 * place) % 1,
                }
            )
        return pa.Table.from_pylist(people, schema.IDENTITIES)

    def evidence(self) -> pa.Table:
        """Each person's sightings in a row, and the first of each two people."""
        people: dict[str, list[str]] = {}
        for walk in self._walks:
            if walk.identity:
                people.setdefault(walk.identity, []).append(walk.name)
        pairs = [(*pair, 0.9, "same") for own in people.values() for pair in pairwise(own)]
        pairs += [(one[0], other[0], -0.3, "apart") for one, other in combinations(people.values(), 2)]
        names = ("first", "second", "similarity", "kind")
        return pa.Table.from_pylist(
            [{**dict(zip(names, pair, strict=True)), "reason": "appearance"} for pair in pairs], schema.EVIDENCE
        )

    def crops(self, tracklets: Collection[str] | None = None, *, best: int | None = None) -> pa.Table:
        rows = []
        for walk in self._walks:
            if tracklets is None or walk.name in tracklets:
                found = sorted(self._crops(walk), key=lambda row: -row["quality"])
                rows += found[:best]
        return pa.Table.from_pylist(rows, CROPS)

    def _crops(self, walk: Walk) -> Iterator[dict[str, object]]:
        times, elapsed = self.moments(walk.camera)
        for frame in sorted({walk.first, (walk.first + walk.last) // 2}):
            image = next(frames(self, walk.camera, frame, frame + 1)).image
            x1, y1, x2, y2 = (round(v) for v in walk.box(frame))
            x, y = max(0, x1 - 4), max(0, y1 - 4)
            ok, jpeg = cv2.imencode(".jpg", image[y : y2 + 4, x : x2 + 4, ::-1])
            assert ok
            row = self._row(walk, frame, times, elapsed)
            inside = {"x1": x1 - x, "y1": y1 - y, "x2": x2 - x, "y2": y2 - y}
            quality = 0.9 if frame != walk.first else 0.4
            yield {**row, **inside, "camera": walk.camera, "quality": quality, "jpeg": jpeg.tobytes()}

    def summary(self) -> Summary:
        people = self.identities().to_pylist()
        several = sum(len(row["cameras"]) > 1 for row in people)
        seconds = [self.timeline(camera).duration for camera in self.cameras]
        return Summary(
            cameras=len(self.cameras),
            hours=sum(seconds) / 3600,
            frames=sum(len(file.pts) for files in self._files.values() for file in files),
            sightings=len(self._walks),
            people=len(people),
            people_in_several=several,
            damage=0.0,
            notes=self._notes,
            covered="all footage",
        )


def write_footage(path: Path, ticks: Sequence[int], base: Fraction, size: tuple[int, int] = (96, 64)) -> Path:
    """A small video of a moving bright bar whose frames are shown at ``ticks`` of ``base``."""
    width, height = size
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, options={"qscale": "2"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = base
        for number, tick in enumerate(ticks):
            image = np.full((height, width, 3), 90, np.uint8)
            image[:, number % width] = 250
            picture = av.VideoFrame.from_ndarray(image, format="rgb24")
            picture.pts, picture.time_base = tick, base
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


EVEN = [40 * k for k in range(50)]
UNEVEN = [0, 40, 120, 130, 300, 333, 401, 480, 1500, 1540, *range(1600, 2600, 33)]
WALKS = [
    Walk("gate", 1, "P0001", 0, 30, gap=(10, 11, 12)),
    Walk("gate", 2, "P0002", 5, 45),
    Walk("gate", 3, None, 7, 12),
    Walk("hall", 1, "P0001", 3, 38),
    Walk("hall", 2, None, 20, 25),
]
NASTY = '<script>alert("x")</script>, ../=1+1 \'é'
NOBODY = '"><img src=x onerror=alert(1)>'
