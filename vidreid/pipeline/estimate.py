"""How long a run will take and how much it will store, at any number of frames a second, from pieces of its cameras.

What a camera costs is a line in the share of its frames that is looked at: so much for each frame, which is read, and
so much more for each that is looked at. Pieces at all frames and at `SLOW` a second are two points of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidreid.footage.thinning import kept
from vidreid.pipeline.networks import Networks
from vidreid.pipeline.pieces import Cost, choose, measure, together
from vidreid.pipeline.plan import CameraPlan
from vidreid.pipeline.room import segment_seconds
from vidreid.settings import Settings
from vidreid.types import Reporter, Segment

SLOW = 5.0  # frames a second of the second measurement


@dataclass(frozen=True)
class Estimate:
    """What a run will take: ``seconds`` of one process on this machine, and ``bytes`` on the disk."""

    seconds: float
    bytes: int


@dataclass(frozen=True)
class Measured:
    """What the pieces cost, camera by camera, at all frames and at `SLOW` a second; ``startup_s`` comes once."""

    startup_s: float
    full: Mapping[str, Cost]
    slow: Mapping[str, Cost]


def measure_pieces(
    plans: Mapping[str, CameraPlan],
    wanted: Mapping[str, Sequence[Segment]],
    networks: Networks,
    settings: Settings,
    reporter: Reporter,
) -> Measured:
    """Have short pieces of the wanted segments tracked and embedded, twice."""
    pieces = {name: choose(plan, wanted[name]) for name, plan in plans.items()}
    totals = {name: 2 * sum(piece.stop - piece.first for piece in found) for name, found in pieces.items()}
    reporter.start("measure", totals)
    found = []
    for fps in ("all", SLOW):
        thinned = settings.model_copy(update={"decoding": settings.decoding.model_copy(update={"fps": fps})})
        found.append(measure(plans, pieces, networks, thinned, reporter.advance))
    reporter.stop()
    (startup, full), (_, slow) = found
    return Measured(startup, full, slow)


def estimate(
    measured: Measured,
    plans: Mapping[str, CameraPlan],
    wanted: Mapping[str, Sequence[Segment]],
    fps: float | None,
    runs: int,
) -> Estimate:
    """What the wanted segments will take at ``fps`` frames a second; ``runs`` clips at most are kept of a track."""
    per_clip = _ratio(together([*measured.full.values(), *measured.slow.values()]), "embed_s", "clips")
    seconds, stored = measured.startup_s, 0.0
    for name, plan in plans.items():
        full, slow = measured.full[name], measured.slow[name]
        ends = np.array([_taken(plan, wanted[name], cost, runs, per_clip) for cost in (slow, full)])
        ends[0] = ends.min(0)  # to look at fewer frames never takes more
        taken = np.maximum(ends[0] + (ends[1] - ends[0]) * _place(_share(plan, fps), slow), 0.0)
        seconds += float(taken[0])
        stored += float(taken[1])
    return Estimate(seconds, round(stored))


def _taken(
    plan: CameraPlan, segments: Sequence[Segment], cost: Cost, runs: int, per_clip: float
) -> tuple[float, float]:
    """Seconds and bytes of a camera's segments, looked at as often as the pieces were."""
    frames = sum(segment.stop - segment.first for segment in segments)
    clips = sum(_clips(cost, segment_seconds(plan, segment), runs) for segment in segments)
    seconds = frames * _ratio(cost, "track_s", "frames") + clips * per_clip
    return seconds, frames * _ratio(cost, "track_bytes", "frames") + clips * _ratio(cost, "clip_bytes", "clips")


def _place(share: float, slow: Cost) -> float:
    """Where a share of frames that is looked at lies: 0 as in the slow measurement, 1 all of them."""
    least = _ratio(slow, "looked_at", "frames")
    return (share - least) / (1 - least) if least < 0.9 else 1.0


def _clips(cost: Cost, seconds: float, runs: int) -> float:
    """Clips of a segment of so many seconds.

    In short pieces people are seen for a moment, and hardly anybody reaches the ``runs`` that are kept of a track: as
    many a second would be too many. That number for each track, who is there at first or comes later, would be too few,
    since it holds for each stretch between two contacts. The geometric mean of both is near.
    """
    most = seconds * _ratio(cost, "clips", "seconds")
    tracks = _ratio(cost, "boxes", "looked_at") + seconds * _ratio(cost, "arrivals", "watched")
    return min(most, math.sqrt(most * runs * tracks))


def _ratio(cost: Cost, over: str, under: str) -> float:
    below = getattr(cost, under)
    return float(getattr(cost, over) / below) if below else 0.0


def _share(plan: CameraPlan, fps: float | None) -> float:
    """The share of a camera's frames that is looked at."""
    masks = [kept(file, fps) for file in plan.files]
    return float(sum(mask.sum() for mask in masks) / sum(map(len, masks)))
