"""Pictures of a run's footage by frame index."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa

from vidreid.errors import InputError
from vidreid.footage.clock import Timeline
from vidreid.footage.decode import SegmentDecoder
from vidreid.run.results import Run
from vidreid.types import Frame, Image, Segment
from vidreid.views.drawing import BLACK, draw_people, draw_plate
from vidreid.views.names import tracklet_number
from vidreid.views.times import moment

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def frames(run: Run, camera: str, first: int, stop: int) -> Iterator[Frame]:
    """Decoded frames ``[first, stop)`` of a camera; `InputError` where the footage is gone."""
    for number, (path, file) in enumerate(zip(run.footage(camera), run.files(camera), strict=True)):
        for start, end in pairwise(file.first + bound for bound in (*file.stretches.tolist(), len(file.pts))):
            begin, until = max(start, first), min(end, stop)
            if begin >= until:
                continue
            if not path.is_file():
                raise InputError(f"{camera}: {path.name} is missing", f"put it back: {path}")
            key = max((file.first + int(k) for k in file.key if start <= file.first + k <= begin), default=start)
            decoder = SegmentDecoder(path, file, Segment(camera, 0, number, key, until, key, until))
            yield from (frame for frame in decoder.frames() if frame.index >= begin)


class Annotator:
    """Draws a camera's people, its name and the time on its frames."""

    def __init__(self, camera: str, boxes: pa.Table, timeline: Timeline) -> None:
        self._camera, self._boxes, self._timeline = camera, boxes, timeline
        self._frame = boxes["frame"].to_numpy()

    def draw(self, image: Image, index: int) -> None:
        """Draw on the picture of frame ``index`` in place; it may be scaled."""
        first, stop = np.searchsorted(self._frame, (index, index + 1))
"""Scale is passed."""
