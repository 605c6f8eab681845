"""From a place in a file to time: seconds on the camera's own line always, UTC where its clock is known."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from vidreid.types import Array, Clock, VideoFile

MICRO = 1_000_000


class Timeline:
    """The times of all frames of one camera.

    ``elapsed`` counts from the camera's first frame: by the clock where every file's start is known, else with the
    files, and the stretches between backward jumps, one after the other.
    """

    def __init__(self, files: Sequence[VideoFile], clock: Clock) -> None:
        self.known = clock.known
        within = [_since_start(file) for file in files]
        starts = _file_starts(within, clock)
        self._elapsed = np.concatenate([start + times for start, times in zip(starts, within, strict=True)])
        self._utc_start = (clock.starts[0] or 0) + clock.offset_us if self.known else 0
        self._rate = 1 + clock.drift_ppm / 1e6

    def elapsed(self, frames: Array) -> Array:
        """Seconds (n,) float64 since the camera's first frame, of frame indices (n,)."""
        return self._elapsed[frames] / MICRO

    def utc(self, frames: Array) -> Array | None:
        """UTC microseconds (n,) int64 of frame indices (n,); None where the clock is unknown."""
        if not self.known:
            return None
        return np.asarray(self._utc_start + np.rint(self._elapsed[frames] * self._rate).astype(np.int64))

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last, gaps left out."""
        steps = np.diff(self._elapsed)
        return float(steps[steps < 60 * MICRO].sum() / MICRO)


def _since_start(file: VideoFile) -> Array:
    """Microseconds of each frame since the file's first one; a new stretch goes on one frame after the last."""
    times = file.pts.astype(np.float64) * float(file.time_base) * MICRO
    bounds = [*file.stretches.tolist(), len(times)]
    parts: list[Array] = []
    end = 0.0
    for start, stop in itertools.pairwise(bounds):
        part = times[start:stop] - times[start] + end
        parts.append(part)
        end = float(part[-1]) + _step(times[start:stop])
    return np.asarray(np.rint(np.concatenate(parts)).astype(np.int64))


def overlaps(files: Sequence[VideoFile], clock: Clock) -> list[tuple[int, float]]:
    """(file, seconds) of each file that starts before the one before it ends, by their clock."""
    within = [_since_start(file) for file in files]
    starts = _file_starts(within, clock)
    ends = [start + int(times[-1]) for start, times in zip(starts, within, strict=True)]
    early = [(end - start) / MICRO for end, start in zip(ends, starts[1:], strict=False)]
    return [(number, seconds) for number, seconds in enumerate(early, start=1) if seconds > 0]


def _file_starts(within: Sequence[Array], clock: Clock) -> list[int]:
    """Microseconds from the first file's start to each file's start; without a start of its own a file follows on.

    Where nobody knows when the first file starts, the others' starts say nothing about this line.
    """
    first = clock.starts[0]
    starts: list[int] = []
    end = 0
    for times, start in zip(within, clock.starts, strict=True):
        starts.append(end if start is None or first is None else start - first)
        end = starts[-1] + int(times[-1] + _step(times))
    return starts


def _step(times: Array) -> float:
    """The usual time from frame to frame, microseconds; 40 ms where there is one frame only."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 40_000.0
