"""What a run will see: some frames of each camera, looked at with its detector before the night."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from vidreid.footage.clock import Timeline
from vidreid.footage.decode import SegmentDecoder
from vidreid.footage.hardware import acceleration
from vidreid.footage.scene import standing
from vidreid.footage.thinning import frame_rate
from vidreid.footage.zones import at, said_span, since_start
from vidreid.pipeline.networks import Tools
from vidreid.pipeline.plan import CameraPlan, camera_of
from vidreid.pipeline.samples import evenly
from vidreid.tracklets.runs import shrink
from vidreid.types import Array, Boxes, Detector, Frame, Image, Scene, Segment

FRAMES = 20  # of each camera
LONGEST = 960  # side of the pictures that are kept, pixels
SURE = 0.4  # score from which a box is shown
PAUSE = 2.0  # seconds without a frame that are named


@dataclass(frozen=True)
class Look:
    """A frame that was looked at: its ``image``, ``scale`` of the footage, the ``boxes`` (n, 4) in pixels of the
    footage, and which of them ``count`` (n,) by the camera's polygons."""

    index: int
    image: Image
    scale: float
    boxes: Boxes
    counts: Array


@dataclass(frozen=True)
class CameraLook:
    """A camera before the run: ``size`` (width, height) of its pictures, frames a second, where its ``clock`` is from,
    ``gaps`` in it as pairs of frame indices, and the frames that were looked at."""

    camera: str
    size: tuple[int, int]
    rate: float
    clock: str
    gaps: Sequence[tuple[int, int]]
    scene: Scene
    looks: Sequence[Look]

    @property
    def heights(self) -> Array:
        """(n,) pixels of the footage that the people who count are tall."""
        boxes = [look.boxes[look.counts] for look in self.looks]
        return np.concatenate([np.zeros(0), *(one[:, 3] - one[:, 1] for one in boxes)])

    def as_dict(self, timeline: Timeline, zone: tzinfo) -> dict[str, Any]:
        """For ``--json``; times are local ones of ``zone``."""
        heights = dict(zip(("low", "median", "high"), spread(self.heights), strict=True)) if len(self.heights) else None
        return {
            "camera": self.camera,
            "size": list(self.size),
            "frames_per_second": round(self.rate, 2),
            "clock": self.clock,
            "gaps": [_said(timeline, np.array(gap), zone) for gap in self.gaps],
            "heights": heights,
            "looked_at": len(self.looks),
        }

    @property
    def busiest(self) -> Look | None:
        """The first of the frames with most people who count."""
        return max(self.looks, key=lambda look: int(look.counts.sum()), default=None)


def spread(heights: Array) -> list[float]:
    """The range of heights (n,), n at least 1, without the outer tenths, and in its midst the median."""
    return [float(height) for height in np.quantile(heights, [0.1, 0.5, 0.9])]


def look_at(
    plans: Mapping[str, CameraPlan], wanted: Mapping[str, Sequence[Segment]], tools: Tools
) -> Iterator[CameraLook]:
    """Each camera, one at a time, since its pictures take room; they are spread over its ``wanted`` segments."""
    detector = tools.detector()
    accel = acceleration(tools.settings.decoding.decoder)
    for name, plan in plans.items():
        scene = camera_of(plan.record).scene
        frames = _decoded(plan, _places(plan, wanted[name]), accel)
        yield CameraLook(
            camera=name,
            size=(plan.files[0].width, plan.files[0].height),
            rate=frame_rate(plan.files[0]),
            clock=clock_source(plan),
            gaps=gaps(plan, wanted[name]),
            scene=scene,
            looks=list(_looks(plan, scene, detector, frames)),
        )


def _looks(plan: CameraPlan, scene: Scene, detector: Detector, frames: Iterable[Frame]) -> Iterator[Look]:
    for frame, found in detector.detect(frames):
        boxes = found.boxes[found.scores >= SURE]
        counts = standing(scene, plan.files, np.full(len(boxes), frame.index), boxes)
        image, scale = shrink(frame.image, LONGEST)
        yield Look(frame.index, image, scale, boxes, counts)


def _places(plan: CameraPlan, segments: Sequence[Segment]) -> list[int]:
    """Indices of `FRAMES` frames from the first to the last of the segments: key frames, where there are as many."""
    owned = [np.arange(segment.own_first, segment.own_stop) for segment in segments]
    every = np.concatenate([np.zeros(0, np.int64), *owned])
    keys = np.concatenate([file.key + file.first for file in plan.files])
    keys = np.intersect1d(keys, every)
    return evenly((keys if len(keys) >= FRAMES else every).tolist(), FRAMES)


def _decoded(plan: CameraPlan, wanted: Sequence[int], accel: Any) -> Iterator[Frame]:
    """Those frames, each decoded from the key frame before it on; what cannot be decoded is left out."""
    for number, (record, file) in enumerate(zip(plan.record.files, plan.files, strict=True)):
        starts = np.union1d(file.key, file.stretches) + file.first
        mine = [index for index in wanted if file.first <= index < file.first + len(file.pts)]
        for start, group in groupby(mine, key=lambda index: int(starts[starts <= index][-1])):
            indices = set(group)
            stop = max(indices) + 1
            piece = Segment(plan.record.name, 0, number, start, stop, start, stop)
            decoder = SegmentDecoder(Path(record.path), file, piece, accel)
            yield from (frame for frame in decoder.frames() if frame.index in indices)


def clock_source(plan: CameraPlan) -> str:
    """Where a camera's times are from, in words."""
    record = plan.record
    if not plan.timeline.known:
        return "unknown"
    if record.readings:
        return f"{len(record.readings)} stamp{'s' * (len(record.readings) > 1)} read"
    stated = sum(start is not None for start in record.starts)
    corrected = ", corrected" if record.offset_us or record.drift_ppm else ""
    return f"start of {stated} of {len(record.starts)} files{corrected}"


def gaps(plan: CameraPlan, segments: Sequence[Segment]) -> list[tuple[int, int]]:
    """Pairs (last frame before, first frame after) of pauses of `PAUSE` seconds or more within a camera's segments."""
    if not segments:
        return []
    frames = np.arange(segments[0].own_first, segments[-1].own_stop)
    steps = np.diff(plan.timeline.elapsed(frames))
    usual = float(np.median(steps)) if len(steps) else 0.0
    places = np.flatnonzero(steps >= max(PAUSE, 5 * usual)) + segments[0].own_first
    return [(int(place), int(place) + 1) for place in places]


def _said(timeline: Timeline, frames: Array, zone: tzinfo) -> str:
    """From one frame to another (2,)."""
    utc = timeline.utc(frames)
    if utc is None:
        return " to ".join(since_start(float(second)) for second in timeline.elapsed(frames))
    return said_span(*(at(int(time), zone) for time in utc))
