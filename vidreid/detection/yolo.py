"""The ultralytics family: YOLO26 (boxes come out final) and the older ones (boxes need suppression)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any

import cv2
import numpy as np

from vidreid.detection.letterbox import Letterbox
from vidreid.detection.tiles import merge, tiles
from vidreid.errors import InputError
from vidreid.types import Array, Boxes, Detections, Detector, Engine, Frame

Engines = Callable[[tuple[int, int]], Engine]

PERSON = 0
IOU = 0.7  # ultralytics' own suppression


def make(engines: Engines, *, score: float, suppress: float | None, tile: int, ahead: int) -> Detector:
    """A detector of this family around its engines (the contract of a file of `detection`)."""
    return Yolo(engines, score=score, suppress=suppress, tile=tile, ahead=ahead)


class Yolo:
    """Persons in frames. Up to ``ahead`` frames are with an engine while their predecessors are used.

    ``engines`` gives the engine for pictures of some height and width. ``suppress``: IoU from which a box hides a
    fainter one, None where persons come once. ``tile``: side in pixels of square tiles that are searched besides the
    whole frame; 0 for none.
    """

    def __init__(
        self, engines: Engines, *, score: float, suppress: float | None = None, tile: int = 0, ahead: int = 6
    ) -> None:
        self._engines = engines
        self._score = score
        self._suppress = suppress
        self._tile = tile
        self._ahead = ahead

    def detect(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        """Each frame with its persons, best score first."""
        under_way: deque[tuple[Frame, list[_View]]] = deque()
        for frame in frames:
            under_way.append((frame, self._submit(frame)))
            if len(under_way) > self._ahead:
                yield self._collect(*under_way.popleft())
        while under_way:
            yield self._collect(*under_way.popleft())

    def _submit(self, frame: Frame) -> list[_View]:
        height, width = frame.size
        views = []
        for x1, y1, x2, y2 in tiles(width, height, self._tile):
            engine = self._engines((y2 - y1, x2 - x1))
            target = engine.inputs["images"][1:3]
            box = Letterbox((y2 - y1, x2 - x1), (target[0], target[1]))
            batch = box.apply(frame.image[y1:y2, x1:x2])[None]
            views.append(_View(box, (x1, y1), engine.submit({"images": batch})))
        return views

    def _collect(self, frame: Frame, views: list[_View]) -> tuple[Frame, Detections]:
        found = [view.persons(self._score, self._suppress) for view in views]
        detections = found[0] if len(found) == 1 else merge(found)
        order = np.argsort(-detections.scores, kind="stable")
        return frame, detections.take(order)


class _View:
    """A part of a frame that is with the engine."""

    def __init__(self, box: Letterbox, corner: tuple[int, int], future: Future[dict[str, Array]]) -> None:
        self.box = box
        self.corner = corner
        self.future = future

    def persons(self, score: float, iou: float | None) -> Detections:
        output = next(iter(self.future.result().values()))[0]
        boxes, scores = decode(output, score)
        if iou is not None:
            boxes, scores = suppress(boxes, scores, iou)
        boxes = self.box.back(boxes) + np.array([*self.corner, *self.corner], np.float32)
        whole = (boxes[:, 2] - boxes[:, 0] > 1) & (boxes[:, 3] - boxes[:, 1] > 1)
        return Detections(boxes[whole], scores[whole])


def decode(output: Array, score: float) -> tuple[Boxes, Array]:
    """Person boxes (n, 4) in pixels of the input and their scores, from one picture's output.

    ``output`` is (n, 6): x1, y1, x2, y2, score, class (final); or (4 + classes, n): centre, size, score a class.
    """
    if output.ndim != 2:
        raise InputError(f"a detector output of shape {output.shape} is not known", "export it with ultralytics")
    if output.shape[1] == 6:
        kept = output[(output[:, 5] == PERSON) & (output[:, 4] >= score)]
        return kept[:, :4].astype(np.float32), kept[:, 4].astype(np.float32)
    scores = output[4 + PERSON]
    rows = np.flatnonzero(scores >= score)
    center, size = output[0:2, rows].T, output[2:4, rows].T
    boxes = np.concatenate([center - size / 2, center + size / 2], 1).astype(np.float32)
    return suppress(boxes, scores[rows].astype(np.float32), IOU)


def suppress(boxes: Boxes, scores: Array, iou: float) -> tuple[Boxes, Any]:
    """Greedy non-maximum suppression: a box is dropped where a better one overlaps it by more than ``iou``."""
    sizes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)
    rows = np.array(cv2.dnn.NMSBoxes(sizes.tolist(), scores.tolist(), 0.0, iou), np.int64).reshape(-1)
    return boxes[rows], scores[rows]
