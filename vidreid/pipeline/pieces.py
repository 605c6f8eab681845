"""Short pieces of each camera go through the real stages in a temporary folder, to see what they cost."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vidreid.footage.thinning import kept
from vidreid.pipeline.networks import Networks, Tools
from vidreid.pipeline.plan import CameraPlan
from vidreid.pipeline.samples import evenly
from vidreid.pipeline.segment import SegmentWork, embed_segment, track_segment
from vidreid.posix import cores
from vidreid.settings import Settings
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_part
from vidreid.types import Segment, VideoFile

PIECES = 3  # of each camera
SECONDS = 4.0  # of a piece
THERE = 1.0  # seconds from the begin of a piece on within which a track is of somebody who was there before

Advance = Callable[[str, int], None]


class Cost(NamedTuple):
    """What pieces cost: ``frames``, and how many of them were looked at; ``seconds`` of footage; seconds of work; boxes
    and clips of people; tracks that began in ``watched`` seconds of footage; and bytes."""

    frames: int = 0
    looked_at: int = 0
    seconds: float = 0.0
    track_s: float = 0.0
    embed_s: float = 0.0
    boxes: int = 0
    clips: int = 0
    arrivals: int = 0
    watched: float = 0.0
    track_bytes: int = 0
    clip_bytes: int = 0


def together(costs: Sequence[Cost]) -> Cost:
    """What several pieces cost."""
    return Cost(*map(sum, zip(*costs, strict=True))) if costs else Cost()


def choose(plan: CameraPlan, segments: Sequence[Segment]) -> list[Segment]:
    """`PIECES` pieces of `SECONDS` each, spread over a camera's segments; a shorter segment is a piece as it is."""
    begins = [(segment, key) for segment in segments for key in _begins(plan.files[segment.file], segment)]
    return [_piece(plan, number, *begin) for number, begin in enumerate(evenly(begins, PIECES))]


def _begins(file: VideoFile, segment: Segment) -> list[int]:
    """Positions in the file at which a piece of a segment may begin: key frames that are followed by enough."""
    first, last = segment.first - file.first, segment.stop - 1 - file.first
    keys = file.key[(file.key > first) & (file.key <= last)]
    enough = (file.pts[last] - file.pts[keys]) * float(file.time_base) >= SECONDS
    return [first, *keys[enough].tolist()]


def _piece(plan: CameraPlan, number: int, segment: Segment, begin: int) -> Segment:
    file = plan.files[segment.file]
    times = (file.pts[begin : segment.stop - file.first] - file.pts[begin]) * float(file.time_base)
    first = file.first + begin
    stop = first + int(np.searchsorted(times, SECONDS))
    return Segment(plan.record.name, number, segment.file, first, stop, first, stop)


def measure(
    plans: Mapping[str, CameraPlan],
    pieces: Mapping[str, Sequence[Segment]],
    networks: Networks,
    settings: Settings,
    advance: Advance,
) -> tuple[float, dict[str, Cost]]:
    """Seconds until everything is warm, and what the pieces of each camera cost; nothing of it stays."""
    tools = Tools(networks, settings, cores())
    with tempfile.TemporaryDirectory() as place, contextlib.closing(tools):
        scratch = RunFolder(Path(place))
        first = next(piece for found in pieces.values() for piece in found)
        cold = _cost(tools, scratch, plans[first.camera], first)
        warm = _cost(tools, scratch, plans[first.camera], first)
        startup = max(0.0, cold.track_s + cold.embed_s - warm.track_s - warm.embed_s)
        costs: dict[str, Cost] = {}
        for name, plan in plans.items():
            done = []
            for piece in pieces[name]:
                done.append(_cost(tools, scratch, plan, piece))
                advance(name, piece.stop - piece.first)
            costs[name] = together(done)
    return startup, costs


def _cost(tools: Tools, folder: RunFolder, plan: CameraPlan, piece: Segment) -> Cost:
    """Track and embed a piece as a run does."""
    file, name = plan.files[piece.file], piece.camera
    work = SegmentWork(folder.path, Path(plan.record.files[piece.file].path), file, piece, {}, {})
    times = [time.perf_counter()]
    track_segment(tools, lambda camera, count: None, work)
    times.append(time.perf_counter())
    embed_segment(tools, work)
    times.append(time.perf_counter())
    tracks, crops, vectors = (
        folder.track(name, piece.name),
        folder.crops(name, piece.name),
        folder.embed(name, piece.name),
    )
    places = slice(piece.first - file.first, piece.stop - file.first)
    seconds = float((file.pts[places][-1] - file.pts[places][0]) * file.time_base)
    return Cost(
        frames=piece.stop - piece.first,
        looked_at=int(kept(file, tools.settings.decoding.rate)[places].sum()),
        seconds=seconds,
        track_s=times[1] - times[0],
        embed_s=times[2] - times[1],
        boxes=pq.read_metadata(tracks).num_rows,
        clips=pq.read_metadata(vectors).num_rows,
        arrivals=_arrivals(read_part(tracks, schema.TRACKS, ["pts", "track"]), file, piece),
        watched=max(0.0, seconds - THERE),
        track_bytes=tracks.stat().st_size,
        clip_bytes=crops.stat().st_size + vectors.stat().st_size,
    )


def _arrivals(table: pa.Table, file: VideoFile, piece: Segment) -> int:
    """Tracks that begin later than `THERE` seconds after the piece does."""
    firsts = table.group_by("track").aggregate([("pts", "min")])["pts_min"].to_numpy()
    since = (firsts - file.pts[piece.first - file.first]) * float(file.time_base)
    return int((since > THERE).sum())
