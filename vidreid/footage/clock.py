"""From a place in a file to time: seconds on the camera's own line always, UTC where its clock is known."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidreid.errors import InputError
from vidreid.footage.zones import since_start
from vidreid.types import Array, Camera, Clock, Reading, VideoFile

MICRO = 1_000_000
SPREAD = 60 * MICRO  # readings closer together say nothing of a drift: stamps show whole seconds
LATE = 10 * MICRO  # a reading this much later than its place says that footage is missing before its file,
FAST = 1e-3  # unless a clock may have gained as much since the reading before
RATES = (0.5, 2.0)  # of a stamp's seconds to the footage's, of which readings may speak
BEYOND = 1.0  # seconds after a file's last frame at which a player may still show it


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
        self._line = _line(starts, clock)

    def elapsed(self, frames: Array) -> Array:
        """Seconds (n,) float64 since the camera's first frame, of frame indices (n,)."""
        return self._elapsed[frames] / MICRO

    def utc(self, frames: Array) -> Array | None:
        """UTC microseconds (n,) int64 of frame indices (n,); None where the clock is unknown."""
        return self._line.utc(self._elapsed[frames]) if self.known else None

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last, gaps left out."""
        steps = np.diff(self._elapsed)
        return float(steps[steps < 60 * MICRO].sum() / MICRO)


@dataclass(frozen=True, slots=True)
class _Line:
    """UTC over elapsed time, both in microseconds: ``shows`` at ``at``, and ``rate`` microseconds for each."""

    at: int
    shows: int
    rate: float

    def utc(self, elapsed: Array) -> Array:
        """(n,) int64 of elapsed times (n,)."""
        return np.asarray(self.shows + np.rint((elapsed - self.at) * self.rate).astype(np.int64))


def _line(starts: Sequence[int], clock: Clock) -> _Line:
    """Through the first start with the stated drift; through readings where there are any.

    One reading is met exactly, with the stated drift. Several that are `SPREAD` apart give the drift too, by least
    squares.
    """
    rate = 1 + clock.drift_ppm / 1e6
    if not clock.readings:
        return _Line(0, (clock.starts[0] or 0) + clock.offset_us, rate)
    places = [_place(starts, reading) for reading in clock.readings]
    at, shows = (sum(values) // len(values) for values in (places, [one.shows_us for one in clock.readings]))
    if max(places) - min(places) >= SPREAD:
        along = np.array([place - at for place in places], np.float64)
        gained = np.array([one.shows_us - shows for one in clock.readings]) - along
        rate = 1 + float(along @ gained / (along @ along))
    return _Line(at, shows + clock.offset_us, rate)


def _place(starts: Sequence[int], reading: Reading) -> int:
    """Microseconds from the camera's first frame to a reading."""
    return starts[reading.file] + round(reading.seconds * MICRO)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the readings of a clock say together: the drift, give or take ``unsure_ppm`` since stamps show whole
    seconds (both None where they are not `SPREAD` apart), and by how many seconds each ``misses`` their line."""

    drift_ppm: float | None
    unsure_ppm: float | None
    misses: tuple[float, ...]


def agreement(files: Sequence[VideoFile], clock: Clock) -> Agreement:
    """Of a clock's readings, of which there is at least one."""
    starts = _file_starts([_since_start(file) for file in files], clock)
    line, places = _line(starts, clock), [_place(starts, one) for one in clock.readings]
    shown = np.array([one.shows_us + clock.offset_us for one in clock.readings], np.int64)
    misses = tuple(((shown - line.utc(np.array(places, np.int64))) / MICRO).tolist())
    apart = max(places) - min(places)
    if apart < SPREAD:
        return Agreement(None, None, misses)
    return Agreement((line.rate - 1) * 1e6, 1e6 * MICRO / apart, misses)


def check_readings(camera: Camera, files: Sequence[VideoFile]) -> None:
    """Raise `InputError` where a reading lies outside of its file, or all of them cannot be right.

    ``files`` are those of the camera, as probed.
    """
    for one in camera.clock.readings:
        path, length = camera.files[one.file], float(_since_start(files[one.file])[-1]) / MICRO
        if one.seconds > length + BEYOND:
            raise InputError(
                f"{camera.name}: a reading at {since_start(one.seconds)[1:]} is outside of {path.name}, "
                f"which lasts {since_start(length)[1:]}",
                "give the time that the player shows, from the file's first frame, or another --file",
            )
    drift = agreement(files, camera.clock).drift_ppm if camera.clock.readings else None
    rate = 1 + (drift or 0.0) / 1e6
    if not RATES[0] <= rate <= RATES[1]:
        raise InputError(
            f"{camera.name}: its readings cannot all be right: by them a second of footage is {rate:.2f} seconds",
            "read them again; where footage is missing or the clock was set, state the `start` of the file after it",
        )


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
    """Microseconds from the first file's start to each file's start.

    A file without a start of its own follows on, unless its first reading is so late that footage is missing before
    it. Where nobody knows the clock, the starts of later files say nothing about this line.
    """
    stated = clock.starts if clock.known else (None,) * len(within)
    lengths = [int(times[-1] + _step(times)) for times in within]
    origin = next((start - sum(lengths[:number]) for number, start in enumerate(stated) if start is not None), 0)
    starts: list[int] = []
    end = 0
    before: tuple[int, int] | None = None  # the reading before: its place, and what it shows
    for number, (length, start) in enumerate(zip(lengths, stated, strict=True)):
        begin = end if start is None else start - origin
        own = sorted((one for one in clock.readings if one.file == number), key=lambda one: one.seconds)
        if own:
            if start is None and before is not None:
                passed = begin + round(own[0].seconds * MICRO) - before[0]
                late = own[0].shows_us - before[1] - passed
                begin += late if late > LATE + FAST * passed else 0
            before = begin + round(own[-1].seconds * MICRO), own[-1].shows_us
        starts.append(begin)
        end = begin + length
    return starts


def _step(times: Array) -> float:
    """The usual time from frame to frame, microseconds; 40 ms where there is one frame only."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 40_000.0
