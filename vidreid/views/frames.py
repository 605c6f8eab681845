"""Pictures of a run's footage by frame index, and the people drawn on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, tzinfo
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from vidreid.errors import InputError
from vidreid.footage.clock import Timeline
from vidreid.footage.decode import SegmentDecoder
from vidreid.footage.zones import at
from vidreid.pipeline.results import Run
from vidreid.types import Frame, Image, Segment
from vidreid.views.drawing import BLACK, draw_people, draw_plate
from vidreid.views.names import tracklet_number
from vidreid.views.times import moment


def frames(run: Run, camera: str, first: int, stop: int) -> Iterator[Frame]:
    """Decoded frames ``[first, stop)`` of a camera, as far as they can be; `InputError` where the footage is gone."""
    for number, (path, file) in enumerate(zip(run.footage(camera), run.files(camera), strict=False)):
        for start, end in pairwise(file.first + bound for bound in (*file.stretches.tolist(), len(file.pts))):
            begin, until = max(start, first), min(end, stop)
            if begin >= until:
                continue
            check_there(run, camera, path)
            # The decoder wants to start at a key frame.
            key = max((k for k in (file.key + file.first).tolist() if start <= k <= begin), default=start)
            decoder = SegmentDecoder(path, file, Segment(camera, 0, number, key, until, key, until))
            yield from (frame for frame in decoder.frames() if frame.index >= begin)


def check_there(run: Run, camera: str, path: Path) -> None:
    """`InputError` where a footage file is not in its place."""
    if not path.is_file():
        hint = f"put it back: {path}; or say where it is: vidreid resume {run.path} --footage FOLDER"
        raise InputError(f"{camera}: {path.name} is missing", hint)


class Annotator:
    """Draws the people of one camera, its name and the time in a zone on its pictures; ``boxes`` are `BOXES` by
    frame."""

    def __init__(self, camera: str, boxes: pa.Table, timeline: Timeline, zone: tzinfo = UTC) -> None:
        self._camera, self._boxes, self._timeline, self._zone = camera, boxes, timeline, zone
        self._frame = boxes["frame"].to_numpy()
        self._box = np.stack([boxes[side].to_numpy() for side in ("x1", "y1", "x2", "y2")], axis=1)

    def draw(self, image: Image, index: int, scale: float = 1.0) -> None:
        """Draw on the picture of frame ``index``, in place; it may have been scaled by ``scale``."""
        first, stop = np.searchsorted(self._frame, (index, index + 1))
        rows = self._boxes.slice(first, stop - first)
        people, tracklets = rows["identity"].to_pylist(), rows["tracklet"].to_pylist()
        labels = [who or f"#{tracklet_number(name)}" for who, name in zip(people, tracklets, strict=True)]
        draw_people(image, self._box[first:stop] * scale, people, labels, rows["interpolated"].to_pylist())
        size = max(8.0, image.shape[0] / 42)
        draw_plate(image, f"{self._camera}  {self._when(index)}", (round(size), round(size)), size, BLACK)

    def _when(self, index: int) -> str:
        frame = np.array([index])
        utc = self._timeline.utc(frame)
        time = None if utc is None else at(int(utc[0]), self._zone)
        return moment(time, float(self._timeline.elapsed(frame)[0]))
