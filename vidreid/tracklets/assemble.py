"""From tracks of segments to tracklets: seams first, then joins by motion over short gaps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vidreid.tracklets.joins import Track, join_by_motion
from vidreid.tracklets.seams import OverlapRows, join_seam
from vidreid.types import Array, Boxes, Segment


@dataclass(frozen=True)
class SegmentTracks:
    """All boxes of a segment, overlap included: ``frames`` (n,), ``tracks`` (n,), ``boxes`` (n, 4), ``scores`` (n,)."""

    segment: Segment
    frames: Array
    tracks: Array
    boxes: Boxes
    scores: Array

    def take(self, rows: Array) -> SegmentTracks:
        """The rows of a mask."""
        return SegmentTracks(self.segment, self.frames[rows], self.tracks[rows], self.boxes[rows], self.scores[rows])

    def between(self, first: int, stop: int) -> OverlapRows:
        """The rows of frames ``[first, stop)``."""
        rows = (self.frames >= first) & (self.frames < stop)
        return OverlapRows(self.frames[rows], self.tracks[rows], self.boxes[rows])


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a segment's track that a tracklet owns: frames ``first`` to ``last``, both included."""

    segment: int
    track: int
    first: int
    last: int


@dataclass(frozen=True)
class Assembled:
    """A tracklet: its pieces in order of time, its boxes ``frames`` (n,), ``boxes`` (n, 4), ``scores`` (n,)."""

    pieces: tuple[Piece, ...]
    frames: Array
    boxes: Boxes
    scores: Array


def assemble(
    segments: Sequence[SegmentTracks], elapsed: Callable[[Array], Array], *, join_seconds: float
) -> list[Assembled]:
    """The tracklets of one camera, in order of their first frame. ``elapsed`` gives seconds of frame indices."""
    chains = [chain for chain in _chains(segments) if len(chain.frames)]
    chains.sort(key=in_order)
    tracks = [Track(i, chain.frames, elapsed(chain.frames), chain.boxes) for i, chain in enumerate(chains)]
    groups = join_by_motion(tracks, gap=join_seconds) if join_seconds > 0 else [[i] for i in range(len(tracks))]
    return sorted((_together([chains[i] for i in group]) for group in groups), key=in_order)


def in_order(tracklet: Assembled) -> tuple[int, float, float]:
    """Sorts tracklets by their first frame, then from left to right."""
    return int(tracklet.frames[0]), float(tracklet.boxes[0, 0]), float(tracklet.boxes[0, 1])


def _chains(segments: Sequence[SegmentTracks]) -> list[Assembled]:
    """Tracks put together over the seams, each segment's part cut to what it owns."""
    chain_of: dict[tuple[int, int], list[Assembled]] = {}
    chains: list[list[Assembled]] = []
    previous: SegmentTracks | None = None
    for current in segments:
        joined = {} if previous is None else {after: before for before, after in _seam(previous, current)}
        for track in np.unique(current.tracks).tolist():
            earlier = joined.get(track)
            chain = [] if earlier is None or previous is None else chain_of[previous.segment.number, earlier]
            if not chain:
                chains.append(chain)
            chain.append(_owned(current, track))
            chain_of[current.segment.number, track] = chain
        previous = current
    return [_together([part for part in chain if len(part.frames)]) for chain in chains]


def _seam(before: SegmentTracks, after: SegmentTracks) -> list[tuple[int, int]]:
    first, stop = after.segment.first, before.segment.stop
    return join_seam(before.between(first, stop), after.between(first, stop)) if first < stop else []


def _owned(tracks: SegmentTracks, track: int) -> Assembled:
    segment = tracks.segment
    rows = (tracks.tracks == track) & (tracks.frames >= segment.own_first) & (tracks.frames < segment.own_stop)
    frames = tracks.frames[rows]
    pieces = (Piece(segment.number, track, int(frames[0]), int(frames[-1])),) if len(frames) else ()
    return Assembled(pieces, frames, tracks.boxes[rows], tracks.scores[rows])


def _together(parts: Sequence[Assembled]) -> Assembled:
    if not parts:
        return Assembled((), np.zeros(0, np.int64), np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    return Assembled(
        tuple(piece for part in parts for piece in part.pieces),
        np.concatenate([part.frames for part in parts]),
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )


def split(way: Assembled, starts: Sequence[int]) -> list[Assembled]:
    """The parts of a tracklet between ``starts``, the frames at which new parts begin; none is empty."""
    bounds = [int(way.frames[0]), *starts, int(way.frames[-1]) + 1]
    parts = [_between(way, first, stop) for first, stop in itertools.pairwise(bounds)]
    return [part for part in parts if len(part.frames)]


def _between(way: Assembled, first: int, stop: int) -> Assembled:
    rows = (way.frames >= first) & (way.frames < stop)
    frames = way.frames[rows]
    pieces = []
    for piece in way.pieces:
        inside = frames[(frames >= piece.first) & (frames <= piece.last)]
        if len(inside):
            pieces.append(Piece(piece.segment, piece.track, int(inside[0]), int(inside[-1])))
    return Assembled(tuple(pieces), frames, way.boxes[rows], way.scores[rows])
