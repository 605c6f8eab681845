"""The picture of a dry run: frames of each camera with the people found in them, and polygons that say who counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from vidreid.pipeline.preview import CameraLook, Look, spread
from vidreid.pipeline.summary import SMALL
from vidreid.store.parts import write_atomic
from vidreid.types import Image, Polygon
from vidreid.views.drawing import Colour, draw_plate, draw_text, resized, text_width

PAGE: Colour = (22, 24, 29)
INK: Colour = (236, 236, 232)
SOFT: Colour = (150, 155, 166)
WIDTH, MARGIN, GAP = 1600, 32, 8
HEAD = 92  # height of the page's title
TITLE = 44  # height of a camera's title
COLUMNS = 5
LARGE = 720, 540  # most width and height of the busiest frame
THUMB = (WIDTH - 2 * MARGIN - LARGE[0]) // COLUMNS - GAP, 132  # and of the others
GOOD: Colour = (92, 200, 120)
WEAK: Colour = (240, 160, 60)
LEFT_OUT: Colour = (150, 150, 150)
INSIDE: Colour = (80, 170, 240)
OUTSIDE: Colour = (225, 80, 80)
LEGEND = (
    (GOOD, f"{SMALL} pixels tall or more"),
    (WEAK, "smaller: hard to tell apart"),
    (LEFT_OUT, "does not count: stands outside"),
    (INSIDE, "include"),
    (OUTSIDE, "ignore"),
)


def draw_camera(seen: CameraLook) -> Image:
    """A band of the page: the busiest frame with people's heights in pixels, and all frames in order of time."""
    large, small = _fitting(seen.size, LARGE), _fitting(seen.size, THUMB)
    rows = -(-len(seen.looks) // COLUMNS)
    tall = max(large[1], rows * (small[1] + GAP) - GAP)
    band = np.full((TITLE + tall + 3 * GAP, WIDTH, 3), PAGE, np.uint8)
    _draw_title(band, seen)
    if seen.busiest is not None:
        _put(band, _picture(seen, seen.busiest, large, heights=True), MARGIN, TITLE)
    for number, look in enumerate(seen.looks):
        x = MARGIN + LARGE[0] + GAP + number % COLUMNS * (THUMB[0] + GAP)
        _put(band, _picture(seen, look, small), x, TITLE + number // COLUMNS * (small[1] + GAP))
    return band


def _fitting(size: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """The largest width and height of pictures of ``size`` in a room."""
    scale = min(room[0] / size[0], room[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _put(band: Image, picture: Image, x: int, y: int) -> None:
    band[y : y + len(picture), x : x + picture.shape[1]] = picture


def write_sheet(path: Path, bands: Sequence[Image]) -> None:
    """Write the page of all cameras as a PNG `WIDTH` pixels wide."""
    head = np.full((HEAD, WIDTH, 3), PAGE, np.uint8)
    draw_text(head, "Before the run: who would be seen", (MARGIN, 48), 20, INK)
    x = MARGIN
    for colour, words in LEGEND:
        cv2.rectangle(head, (x, 66), (x + 12, 78), colour, cv2.FILLED)
        draw_text(head, words, (x + 20, 77), 10, SOFT)
        x += 20 + text_width(words, 10) + 28
    page = np.concatenate([head, *bands])
    _, png = cv2.imencode(".png", page[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 6])
    write_atomic(path, lambda file: file.write(png.tobytes()) and None)


def _draw_title(band: Image, seen: CameraLook) -> None:
    draw_text(band, seen.camera, (MARGIN, TITLE - 16), 15, INK)
    width, height = seen.size
    tall = "nobody found"
    if len(seen.heights):
        tall = "people {0:.0f} to {2:.0f} pixels tall (median {1:.0f})".format(*spread(seen.heights))
    line = f"{width} x {height}, {seen.rate:.3g} frames a second    clock: {seen.clock}    {tall}"
    draw_text(band, line, (MARGIN + text_width(seen.camera, 15) + 24, TITLE - 16), 11, SOFT)


def _picture(seen: CameraLook, look: Look, size: tuple[int, int], *, heights: bool = False) -> Image:
    """A frame of ``size`` (width, height) with polygons and boxes, and with the boxes' ``heights`` in pixels."""
    image = resized(look.image, *size)
    scale = size[0] / seen.size[0]
    weight = 1 + heights
    for polygons, colour in ((seen.scene.include, INSIDE), (seen.scene.ignore, OUTSIDE)):
        for polygon in polygons:
            _outline(image, polygon, colour, weight)
    for box, counts in zip(look.boxes, look.counts, strict=True):
        height = float(box[3] - box[1])
        colour = LEFT_OUT if not counts else GOOD if height >= SMALL else WEAK
        x1, y1, x2, y2 = (round(float(value) * scale) for value in box)
        cv2.rectangle(image, (x1, y1), (x2, y2), colour, weight, cv2.LINE_AA)
        if heights:
            draw_plate(image, f"{height:.0f}", (x1, y1 - 20), 9, colour)
    return image


def _outline(image: Image, polygon: Polygon, colour: Colour, weight: int) -> None:
    """A polygon in fractions of the picture, lightly filled."""
    corners = np.rint(np.array(polygon) * (image.shape[1] - 1, image.shape[0] - 1)).astype(np.int32)
    filled = image.copy()
    cv2.fillPoly(filled, [corners], colour)
    image[:] = cv2.addWeighted(filled, 0.15, image, 0.85, 0)
    cv2.polylines(image, [corners], isClosed=True, color=colour, thickness=weight, lineType=cv2.LINE_AA)
