"""Cuts a camera's frames into segments: the unit of work."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from vidreid.types import Segment, VideoFile


def cut(camera: str, files: Sequence[VideoFile], *, seconds: float, overlap: float) -> list[Segment]:
    """Segments of a camera in order of time.

    Each starts at a key frame, is at least ``seconds`` long unless its stretch ends, and reads ``overlap`` seconds
    into its successor. The seam lies in the middle of that overlap. No segment crosses a file or a backward jump.
    """
    segments: list[Segment] = []
    for number, file in enumerate(files):
        bounds = [*file.stretches.tolist(), len(file.pts)]
        for start, stop in itertools.pairwise(bounds):
            segments += _cut_stretch(camera, number, file, start, stop, len(segments), seconds, overlap)
    return segments


def _cut_stretch(
    camera: str, number: int, file: VideoFile, start: int, stop: int, taken: int, seconds: float, overlap: float
) -> list[Segment]:
    times = (file.pts[start:stop] - file.pts[start]) * float(file.time_base)
    starts = _segment_starts(times, file.key[(file.key >= start) & (file.key < stop)] - start, seconds, overlap)
    ends = [*starts[1:], len(times)]
    seams = [0, *(_after(times, times[s] + overlap / 2) for s in starts[1:]), len(times)]
    offset = file.first + start
    return [
        Segment(
            camera=camera,
            number=taken + i,
            file=number,
            first=offset + begin,
            stop=offset + (_after(times, times[end] + overlap) if end < len(times) else end),
            own_first=offset + seams[i],
            own_stop=offset + seams[i + 1],
        )
        for i, (begin, end) in enumerate(zip(starts, ends, strict=True))
    ]


def _segment_starts(times: np.ndarray, keys: np.ndarray, seconds: float, overlap: float) -> list[int]:
    """Positions of the key frames at which segments start; the last segment outlasts its overlap."""
    starts = [0]
    for key in keys.tolist():
        if times[key] - times[starts[-1]] >= max(seconds, overlap) and times[-1] - times[key] > overlap:
            starts.append(key)
    return starts


def _after(times: np.ndarray, time: float) -> int:
    return int(np.searchsorted(times, time))
