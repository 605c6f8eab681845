"""Boxes with ids of one camera, and the MOT text format they are kept in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidreid.errors import InputError
from vidreid.types import Array, Boxes

_LARGEST = 2**53  # beyond it a float64 no longer holds every whole number


@dataclass(frozen=True, eq=False)
class Rows:
    """Boxes with ids of one camera, in any order, at most one box per id and frame.

    ``frame`` (n,) int64, counted from 1 as in MOT files (frame index + 1); ``ids`` (n,) int64;
    ``boxes`` (n, 4) float32 ``x1, y1, x2, y2`` in pixels.
    """

    frame: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: Boxes

    def __post_init__(self) -> None:
        count = len(self.frame)
        if self.ids.shape != (count,) or self.boxes.shape != (count, 4):
            raise ValueError(f"{count} frames, ids of shape {self.ids.shape}, boxes of shape {self.boxes.shape}")

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, rows: Array) -> Rows:
        """The rows of a mask or of a list of positions."""
        return Rows(self.frame[rows], self.ids[rows], self.boxes[rows])

    def duplicate(self) -> int | None:
        """Position of a row whose id already has a box in the same frame, or None."""
        order = np.lexsort((self.ids, self.frame))
        same = (np.diff(self.frame[order]) == 0) & (np.diff(self.ids[order]) == 0)
        return int(order[1:][same].min()) if same.any() else None


def read_mot(path: Path, *, considered: bool = False) -> Rows:
    """Read a MOT file: lines of ``frame,id,x,y,w,h[,confidence,...]``, frames and ids from 1.

    ``considered`` leaves out rows whose seventh column is 0, which in a ground truth file means that the row does
    not count (MOT16, arXiv 1603.00831, table 5). Anything malformed is an `InputError` that names file and line.
    """
    lines, table = _parse(path)
    _check_values(path, lines, table)
    _check_corners(path, table)
    corners = np.concatenate([table[:, 2:4], table[:, 2:4] + table[:, 4:6]], axis=1)
    rows = Rows(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), corners.astype(np.float32))
    if (row := rows.duplicate()) is not None:
        problem = f"id {rows.ids[row]} has a second box in frame {rows.frame[row]}"
        raise InputError(f"{path}: line {lines[row]}: {problem}", "an id is one person: give each box its own id")
    return rows.take(table[:, 6] != 0) if considered else rows


def _parse(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Line numbers (n,) and the first seven columns (n, 7); a missing seventh is 1."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise InputError(f"{path}: {reason}", "expected a MOT file: frame,id,x,y,w,h,confidence") from None
    lines, table = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            lines.append(number)
            table.append(_numbers(f"{path}: line {number}", line))
    if not table:
        raise InputError(f"{path}: empty, no boxes in it", "expected lines of frame,id,x,y,w,h,confidence")
    return np.array(lines, np.int64), np.array(table, np.float64)


def _numbers(place: str, line: str) -> list[float]:
    """The first seven columns of a line."""
    fields = line.split(",")
    if len(fields) < 6:
        hint = "separate frame,id,x,y,w,h,confidence by commas"
        raise InputError(f"{place}: {len(fields)} of at least 6 columns", hint)
    try:
        values = [float(field) for field in fields[:7]]
    except ValueError:
        hint = "a MOT file has no header and no names: frame,id,x,y,w,h,confidence"
        raise InputError(f"{place}: not a number in {line.strip()[:60]!r}", hint) from None
    if not all(map(math.isfinite, values)):
        raise InputError(f"{place}: NaN or infinite value in {line.strip()[:60]!r}", "remove the row or mend the box")
    return values if len(values) == 7 else [*values, 1.0]


def _check_values(path: Path, lines: NDArray[np.int64], table: NDArray[np.float64]) -> None:
    """Refuse the first row that breaks a rule of the format."""
    frame, ids, width, height = table[:, 0], table[:, 1], table[:, 4], table[:, 5]
    whole = np.all((table[:, :2] % 1 == 0) & (np.abs(table[:, :2]) < _LARGEST), axis=1)
    rules = (
        (~whole, "frame or id is no whole number", "columns are frame,id,x,y,w,h,confidence"),
        (frame < 1, "frame {0:.0f}", "frames count from 1: add 1 to every frame of the file"),
        (ids < 1, "id {1:.0f}", "ids count from 1; -1 marks detections that nobody tracked"),
        (
            (width <= 0) | (height <= 0),
            "box of width {4:g} and height {5:g}",
            "columns 3 to 6 are x,y,w,h, not x1,y1,x2,y2: w = x2 - x1, h = y2 - y1",
        ),
    )
    for broken, problem, hint in rules:
        if broken.any():
            row = int(np.argmax(broken))
            raise InputError(f"{path}: line {lines[row]}: {problem.format(*table[row])}", hint)


def _check_corners(path: Path, table: NDArray[np.float64]) -> None:
    """Refuse a file whose columns 3 to 6 are the corners x1,y1,x2,y2.

    Corners always have x2 > x1 and y2 > y1, and x2 follows x1 about the picture, so that x2 - x1 varies far less
    than x2. A width that does not depend on x makes w - x vary *more* than w.
    """
    x, y, width, height = table[:, 2:6].T
    if np.all(width > x) and np.all(height > y) and np.std(width - x) < np.std(width) / 2:
        hint = "write x,y,w,h: w = x2 - x1, h = y2 - y1"
        raise InputError(f"{path}: columns 3 to 6 look like the corners x1,y1,x2,y2", hint)
