"""Chooses the pictures that are kept of each track while its frames pass by: a few runs of crops in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from vidreid.tracklets.contacts import touching
from vidreid.tracklets.quality import clearance, quality
from vidreid.types import Array, Frame, Image, Tracked

STRETCHES = 4


@dataclass(frozen=True, slots=True)
class StoredCrop:
    """A crop ready for storage: ``box`` (4,) of the person within the crop, ``jpeg`` the crop with its margin."""

    frame: int
    pts: int
    time: float
    quality: float
    box: Array
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """How crops are cut: share of ``margin``, ``longest`` side in pixels, ``jpeg`` quality."""

    margin: float
    longest: int
    jpeg: int


@dataclass(slots=True)
class _Track:
    kept: list[list[StoredCrop]] = field(default_factory=list)  # of stretches that are over
    runs: list[list[StoredCrop]] = field(default_factory=list)  # of the stretch under way
    open_run: list[StoredCrop] = field(default_factory=list)
    next_time: float = -np.inf


class RunPicker:
    """Crops of all tracks of one segment: at most ``runs`` runs a stretch, each ``length`` crops ``spacing`` s apart.

    A stretch ends where the person touches another one: there the tracker may go on with the wrong person, and only
    pictures from both sides can tell. Of more runs than allowed, the one is dropped that is worth least: of low
    quality, or close in time to others; so it is too where stretches, as in a crowd, make more than `STRETCHES` times
    that number.
    """

    def __init__(self, *, runs: int, length: int, spacing: float, cut: Cut) -> None:
        self._limit = runs
        self._length = length
        self._spacing = spacing
        self._cut = cut
        self._tracks: dict[int, _Track] = {}

    def add(self, frame: Frame, tracked: Tracked, scores: Array) -> None:
        """Look at a frame's tracked boxes; ``scores`` (n,) of their detections."""
        clear = clearance(tracked.boxes)
        touched = np.asarray(touching(tracked.boxes).any(1))
        for i, track in enumerate(tracked.ids.tolist()):
            state = self._tracks.setdefault(track, _Track())
            if touched[i]:
                self._end_stretch(state)
            elif frame.time >= state.next_time:
                crop = cut_crop(frame, tracked.boxes[i], float(clear[i]), float(scores[i]), self._cut)
                if crop is not None:
                    self._take(state, crop)

    def finish(self) -> Iterator[tuple[int, int, list[StoredCrop]]]:
        """(track, run, crops) of all tracks in order."""
        for track, state in sorted(self._tracks.items()):
            self._end_stretch(state)
            for number, run in enumerate(state.kept):
                yield track, number, run

    def _take(self, state: _Track, crop: StoredCrop) -> None:
        # A track that was away for longer than two steps starts a new run.
        if state.open_run and crop.time - state.open_run[-1].time > 2.5 * self._spacing:
            self._close(state)
        state.open_run.append(crop)
        state.next_time = crop.time + self._spacing - 1e-6
        if len(state.open_run) == self._length:
            self._close(state)

    def _end_stretch(self, state: _Track) -> None:
        if state.open_run:
            self._close(state)
        state.kept += state.runs
        state.runs = []
        while len(state.kept) > STRETCHES * self._limit:
            del state.kept[least_worth(state.kept)]

    def _close(self, state: _Track) -> None:
        state.runs.append(state.open_run)
        state.open_run = []
        if len(state.runs) > self._limit:
            del state.runs[least_worth(state.runs)]


def least_worth(runs: list[list[StoredCrop]]) -> int:
    """Position of the run to drop: least quality x root of the time that it stands for.

    A run stands for the time between its neighbours, the first and the last for twice that to their only one.
    Between equals the first is kept and an early one goes, so that of a long even stretch runs from all over it
    remain. Unfinished runs count by their share.
    """
    longest = max(len(run) for run in runs)
    middles = np.array([(run[0].time + run[-1].time) / 2 for run in runs])
    gaps = np.diff(middles)
    span = np.concatenate([[2 * gaps[0]], gaps[:-1] + gaps[1:], [2 * gaps[-1]]])
    worth = np.array([sum(crop.quality for crop in run) / longest for run in runs]) * np.sqrt(span)
    worth[0] *= 1.001
    return int(np.argmin(np.round(worth / max(worth.max(), 1e-9), 6)))


def cut_crop(frame: Frame, box: Array, clear: float, score: float, cut: Cut) -> StoredCrop | None:
    """A person's crop with its margin, or None where the box holds no whole pixel of the picture."""
    height, width = frame.image.shape[:2]
    inner = _pixels(box, 0.0, width, height)
    if inner[2] <= inner[0] or inner[3] <= inner[1]:
        return None
    x1, y1, x2, y2 = _pixels(box, cut.margin, width, height)
    person = frame.image[inner[1] : inner[3], inner[0] : inner[2]]
    crop, scale = shrink(frame.image[y1:y2, x1:x2], cut.longest)
    within = ((box - np.array([x1, y1, x1, y1])) * scale).astype(np.float32)
    within = np.clip(within, 0, [crop.shape[1], crop.shape[0]] * 2).astype(np.float32)
    good = quality(person, box, (width, height), clear, score)
    return StoredCrop(frame.index, frame.pts, frame.time, good, within, encode(crop, cut.jpeg))


def _pixels(box: Array, margin: float, width: int, height: int) -> tuple[int, int, int, int]:
    """Whole pixels of a box widened by ``margin`` of its sides, within the picture."""
    dx, dy = (box[2] - box[0]) * margin, (box[3] - box[1]) * margin
    x1, y1 = np.floor([box[0] - dx, box[1] - dy])
    x2, y2 = np.ceil([box[2] + dx, box[3] + dy])
    return max(0, int(x1)), max(0, int(y1)), min(width, int(x2)), min(height, int(y2))


def shrink(image: Image, longest: int) -> tuple[Image, float]:
    """The image with no side longer than ``longest``, and the factor that was applied."""
    scale = longest / max(image.shape[:2])
    if scale >= 1:
        return image, 1.0
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), scale


def encode(image: Image, jpeg: int) -> bytes:
    """JPEG bytes of an RGB image."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, jpeg])
    return bytes(data)


def decode(jpeg: bytes) -> Image:
    """An RGB image of JPEG bytes."""
    image: Image = cv2.cvtColor(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return image
