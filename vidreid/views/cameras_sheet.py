"""One picture of an export: each camera's first and last frame, large enough to read burned-in stamps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from vidreid.footage.ends import Still, first_still, last_still
from vidreid.footage.zones import said
from vidreid.pipeline.recordings import Recording, SortedCamera
from vidreid.store.parts import write_atomic
from vidreid.types import Image
from vidreid.views.cameras_file import summary
from vidreid.views.drawing import Colour, draw_text, resized, text_width

PAGE: Colour = (22, 24, 29)
PANEL: Colour = (33, 36, 43)
INK: Colour = (236, 236, 232)
SOFT: Colour = (150, 155, 166)
MARK: Colour = (240, 178, 92)
MARGIN, GAP = 40, 20
COLUMN = 960  # width of a picture: stamps of a 1080p camera keep half of their size
TALLEST = 720
HEAD, TITLE, CAPTION = 104, 62, 64  # heights of the page's title, of a camera's and of a picture's words
MOST = 40  # cameras on one sheet
Progress = Callable[[str, float], None]


def write_cameras_sheet(cameras: Sequence[SortedCamera], path: Path, say: Progress) -> None:
    """Write a PNG with a row for each of the first `MOST` cameras; ``say`` is told words and a share."""
    rows = []
    for number, camera in enumerate(cameras[:MOST]):
        say(f"looking at {len(cameras[:MOST])} cameras", number / len(cameras[:MOST]))
        rows.append(_row(camera))
    page = np.full(
        (HEAD + sum(len(row) + GAP for row in rows) + MARGIN, 2 * (MARGIN + COLUMN) + GAP, 3), PAGE, np.uint8
    )
    draw_text(page, "First and last frame of each camera", (MARGIN, 54), 22, INK)
    more = f"  {len(cameras) - MOST} more cameras are in the YAML." if len(cameras) > MOST else ""
    line = f"Does the stamp in each picture show the time below it? Where not: vidreid clock.{more}"
    draw_text(page, line, (MARGIN, 84), 12, SOFT)
    y = HEAD
    for row in rows:
        page[y : y + len(row), MARGIN:-MARGIN] = row
        y += len(row) + GAP
    _, png = cv2.imencode(".png", page[..., ::-1] & 0xFC, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    write_atomic(path, lambda file: file.write(png.tobytes()) and None)


def _row(camera: SortedCamera) -> Image:
    """A camera's words above its two pictures, and under each which file it is of and when it claims to be."""
    first, last = camera.recordings[0], camera.recordings[-1]
    stills = [(first, first_still(first.path)), (last, last_still(last.path))]
    tall = max(len(_fitted(still)) for _, still in stills)
    row = np.full((TITLE + tall + CAPTION, 2 * COLUMN + GAP, 3), PANEL, np.uint8)
    draw_text(row, camera.name, (16, 40), 18, INK)
    beside = 36 + text_width(camera.name, 18)
    draw_text(row, _short(summary(camera), 12, 2 * COLUMN - beside), (beside, 40), 12, SOFT)
    for place, (recording, still) in enumerate(stills):
        cell = row[:, place * (COLUMN + GAP) :][:, :COLUMN]
        picture = _fitted(still)
        cell[TITLE : TITLE + len(picture), : picture.shape[1]] = picture
        words, colour = _caption(recording, still)
        draw_text(cell, words, (16, len(cell) - 38), 12, colour)
        draw_text(cell, _short(recording.path.name, 10, COLUMN - 32), (16, len(cell) - 14), 10, SOFT)
    return row


def _fitted(still: Still | None) -> Image:
    """A still as large as it may be; an empty panel where there is none."""
    if still is None:
        empty = np.full((COLUMN * 9 // 16, COLUMN, 3), PAGE, np.uint8)
        draw_text(empty, "cannot be decoded", (COLUMN // 2 - 90, len(empty) // 2), 14, SOFT)
        return empty
    height, width = still.image.shape[:2]
    scale = min(COLUMN / width, TALLEST / height)
    return resized(still.image, round(width * scale), round(height * scale))


def _short(text: str, height: float, room: int) -> str:
    """Text that fits into ``room`` pixels; what is too long loses its middle."""
    kept = len(text)
    short = text
    while text_width(short, height) > room and kept > 2:
        kept -= 1
        short = f"{text[: kept // 2]}...{text[-(kept - kept // 2) :]}"
    return short


def _caption(recording: Recording, still: Still | None) -> tuple[str, Colour]:
    """When a picture claims to be taken, and where that is from."""
    start = recording.start
    if start.time is None:
        return "start unknown", MARK
    if still is None or still.seconds is None:
        return f"file from {said(start.time)}, by its {start.source}", SOFT
    time = start.time.fromtimestamp(start.time.timestamp() + still.seconds, start.time.tzinfo)
    return f"{said(time)}, by its {start.source}", INK if start.source == "file name" else MARK
