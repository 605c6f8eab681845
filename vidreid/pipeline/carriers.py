"""Which of the present tracklets carry the boxes that decisions named, when other settings may have made others."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidreid.footage.clock import Timeline
from vidreid.store.journal import Anchor, Subject
from vidreid.types import Array, Boxes, VideoFile

ANCHORS = 5  # boxes that stand for a sighting: enough to outlive a tracker that loses it for a while
REACH = 0.5  # seconds from an anchor to the nearest box of what carries it
OVERLAP = 0.5  # IoU from which two boxes are of one person


@dataclass(frozen=True)
class Track:
    """A tracklet by its boxes: ``frames`` (n,) increasing frame indices, ``boxes`` (n, 4)."""

    name: str
    camera: str
    frames: Array
    boxes: Boxes

    def between(self, start: int, stop: int, name: str = "") -> Track:
        """The part of rows ``[start, stop)``."""
        return Track(name or self.name, self.camera, self.frames[start:stop], self.boxes[start:stop])

    def meets(self, other: Track) -> bool:
        """Whether both are in one camera at the same time, so that they cannot be one person."""
        same_time = self.frames[0] <= other.frames[-1] and other.frames[0] <= self.frames[-1]
        return self.camera == other.camera and bool(same_time)


@dataclass(frozen=True)
class Footage:
    """One camera's files and times: from frame indices to places in files, and back."""

    files: Sequence[VideoFile]
    timeline: Timeline

    def place(self, frame: int) -> tuple[str, int]:
        """The file (SHA-256) and pts of a frame."""
        file = next(file for file in reversed(self.files) if file.first <= frame)
        return file.sha256, int(file.pts[frame - file.first])

    def frames(self, sha256: str, pts: int) -> list[int]:
        """The frames nearest to a place, if any: several where time jumps back in the file, or it is there twice."""
        near = [
            (abs(int(file.pts[position]) - pts), file.first + position)
            for file in self.files
            if file.sha256 == sha256
            for position in _nearest(file, pts)
        ]
        least = min(near, default=(0, 0))[0]
        return [frame for distance, frame in near if distance == least]


def _nearest(file: VideoFile, pts: int) -> Iterator[int]:
    """The positions on both sides of ``pts`` in each stretch of a file, within which time only grows."""
    for start, stop in itertools.pairwise([*file.stretches.tolist(), len(file.pts)]):
        after = start + int(np.searchsorted(file.pts[start:stop], pts))
        yield from range(max(start, after - 1), min(stop, after + 1))


def anchors(track: Track, footage: Footage) -> Subject:
    """The boxes in the middle of `ANCHORS` equal parts of a tracklet; fewer where it has fewer."""
    rows = np.unique(np.linspace(0, len(track.frames) - 1, 2 * ANCHORS + 1)[1::2].round().astype(int))
    found = []
    for row in rows.tolist():
        x1, y1, x2, y2 = track.boxes[row].tolist()
        found.append(Anchor(track.camera, *footage.place(int(track.frames[row])), (x1, y1, x2, y2)))
    return tuple(found)


class Carriers:
    """Finds the tracks of a run, given by position, that carry a subject."""

    def __init__(self, tracks: Sequence[Track], footage: Mapping[str, Footage]) -> None:
        self.tracks = tracks
        self.footage = footage
        self._of = {
            camera: np.array([i for i, t in enumerate(tracks) if t.camera == camera], int) for camera in footage
        }
        ends = {camera: np.array([tracks[i].frames[[0, -1]] for i in rows], int) for camera, rows in self._of.items()}
        self._spans = {
            camera: footage[camera].timeline.elapsed(frames.reshape(-1, 2)) for camera, frames in ends.items()
        }

    def of(self, subject: Subject) -> list[int]:
        """The tracks that a subject is now, most of it first: one, several where it is in pieces, none where lost.

        Together they carry more than half of its boxes, and each at least a third: a stray box of a neighbour is no
        piece. Of two that are in the camera at the same time only the larger counts.
        """
        carried = Counter(track for anchor in subject if (track := self._carrier(anchor)) is not None)
        pieces = [track for track, count in carried.most_common() if 3 * count >= len(subject)]
        if 2 * sum(carried[track] for track in pieces) <= len(subject):
            return []
        kept: list[int] = []
        for track in pieces:
            if not any(self.tracks[track].meets(self.tracks[other]) for other in kept):
                kept.append(track)
        return kept

    def where(self, subject: Subject) -> str:
        """Camera and time of the middle of a subject, to name it where nothing carries it: ``c0 at 83.2 s``."""
        anchor = subject[len(subject) // 2]
        footage = self.footage.get(anchor.camera)
        frames = footage.frames(anchor.file, anchor.pts) if footage else []
        if footage is None or not frames:
            return f"{anchor.camera} in footage that is not in this run"
        return f"{anchor.camera} at {footage.timeline.elapsed(np.array(frames[:1]))[0]:.1f} s"

    def _carrier(self, anchor: Anchor) -> int | None:
        """The track whose box at the time of an anchor overlaps it most, the nearest in time of several."""
        footage = self.footage.get(anchor.camera)
        if footage is None:
            return None
        found: list[tuple[float, float, int]] = []
        for frame in footage.frames(anchor.file, anchor.pts):
            time = float(footage.timeline.elapsed(np.array([frame]))[0])
            spans = self._spans[anchor.camera]
            near = self._of[anchor.camera][(spans[:, 0] - REACH <= time) & (time <= spans[:, 1] + REACH)]
            for position in near.tolist():
                track = self.tracks[position]
                box, wait = box_at(footage.timeline.elapsed(track.frames), track.boxes, time)
                overlap = _iou(box, np.array(anchor.box))
                if wait <= REACH and overlap >= OVERLAP:
                    found.append((-overlap, wait, position))
        return min(found)[2] if found else None


def box_at(times: Array, boxes: Boxes, time: float) -> tuple[Array, float]:
    """A track's box (4,) at ``time``, linear between its boxes (n, 4) at ``times`` (n,), and seconds to the nearest."""
    box = np.array([np.interp(time, times, column) for column in boxes.T])
    return box, float(np.abs(times - time).min())


def _iou(a: Array, b: Array) -> float:
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    common = float(np.prod(np.maximum(sides, 0)))
    union = float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - common
    return common / union if union > 0 else 0.0
