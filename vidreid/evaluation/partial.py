"""Which boxes count where only some of the people are labelled.

Labels are *partial* when people in view may have none. Then a frame counts if it has a label, and an output box
counts if it matches a label (one to one) or lies on a declared distractor, a thing that detectors take for a person.
Every other output box may be an unlabelled person and is left out, neither right nor wrong.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vidreid.errors import InputError, UsageError
from vidreid.evaluation.mot import Rows
from vidreid.evaluation.sequence import by_frame, iou
from vidreid.types import Boxes

MATCH_IOU = 0.3


@dataclass(frozen=True)
class Distractor:
    """A thing in a camera's view that is no person: ``box`` is ``x1, y1, x2, y2`` in pixels."""

    camera: str
    box: tuple[float, float, float, float]


def parse_distractor(text: str) -> Distractor:
    """Read ``camera:x,y,w,h`` (pixels) from a command line.

    >>> parse_distractor("c1:319,73,14,50")
    Distractor(camera='c1', box=(319.0, 73.0, 333.0, 123.0))
    """
    camera, _, numbers = text.rpartition(":")
    distractor = _distractor(camera, numbers.split(","))
    if distractor is None:
        raise UsageError(f"distractor {text!r}: not camera:x,y,w,h", "write it like c1:319,73,14,50")
    return distractor


def read_distractors(path: Path) -> list[Distractor]:
    """Read a table with the header ``camera,x,y,w,h`` (pixels)."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        found = [
            (reader.line_num, _distractor(row.get("camera") or "", [row.get(name) for name in "xywh"]))
            for row in reader
        ]
    for line, distractor in found:
        if distractor is None:
            raise InputError(f"{path}: line {line}: not a distractor", "the columns are camera,x,y,w,h")
    return [distractor for _, distractor in found if distractor is not None]


def _distractor(camera: str, fields: list[str | None] | list[str]) -> Distractor | None:
    """None where this is no camera with a box."""
    try:
        x, y, width, height = (float(field or "") for field in fields)
    except ValueError:
        return None
    if not camera or not all(map(math.isfinite, (x, y, width, height))) or width <= 0 or height <= 0:
        return None
    return Distractor(camera, (x, y, x + width, y + height))


def counted(labels: Rows, output: Rows, distractors: Boxes) -> NDArray[np.bool_]:
    """Mask (n,) of the ``output`` boxes that count against partial ``labels``; ``distractors`` (k, 4)."""
    keep = np.zeros(len(output), np.bool_)
    labelled, offered = by_frame(labels), by_frame(output)
    for frame in labelled.keys() & offered.keys():
        overlap = iou(labels.boxes[labelled[frame]], output.boxes[offered[frame]])
        keep[offered[frame][_matched(overlap)]] = True
    on_distractor = np.any(iou(output.boxes, distractors) >= MATCH_IOU, axis=1)
    return keep | (on_distractor & np.isin(output.frame, labels.frame))


def _matched(overlap: NDArray[np.float64]) -> NDArray[np.int64]:
    """Columns with a partner of IoU >= `MATCH_IOU` in the one-to-one assignment of the largest total IoU."""
    score = np.where(overlap >= MATCH_IOU, overlap, 0.0)
    rows, columns = linear_sum_assignment(score, maximize=True)
    matched: NDArray[np.int64] = columns[score[rows, columns] > 0]
    return matched
