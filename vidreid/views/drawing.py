"""Boxes, labels and text on pictures, drawn with OpenCV. Images are RGB and are drawn on in place."""

from __future__ import annotations

import colorsys
import zlib
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from vidreid.errors import InputError
from vidreid.types import Array, Image
from vidreid.views.names import IDENTITY, drawable, identity_number

Colour = tuple[int, int, int]
Plate = tuple[int, int, int, int]
FONT = cv2.FONT_HERSHEY_DUPLEX
CAP = 22.0  # height in pixels of FONT's capitals at scale 1
GREY: Colour = (150, 150, 150)
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (16, 16, 20)


def colour_of(identity: str | None) -> Colour:
    """A person's colour, the same wherever it is shown; grey for nobody in particular.

    Numbers that follow each other are the golden ratio apart on the circle of hues, so that neighbours differ most.
    """
    if identity is None:
        return GREY
    number = identity_number(identity) if IDENTITY.fullmatch(identity) else zlib.crc32(identity.encode())
    hue = number * 0.61803398875 % 1
    red, green, blue = colorsys.hls_to_rgb(hue, (0.55, 0.64, 0.46)[number % 3], 0.82)
    return round(255 * red), round(255 * green), round(255 * blue)


def from_jpeg(jpeg: bytes) -> Image:
    """Decode a JPEG; `InputError` where it is none."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError("a picture of this run is damaged", "delete the run's folder crops/ and run again")
    return np.ascontiguousarray(image[..., ::-1], np.uint8)


def resized(image: Image, width: int, height: int) -> Image:
    """The image at this size, smooth whether it shrinks or grows."""
    kind = cv2.INTER_AREA if height < image.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (max(1, width), max(1, height)), interpolation=kind), np.uint8)


def ink_on(colour: Colour) -> Colour:
    """Black or white, whichever is read better on ``colour``."""
    return BLACK if np.dot(colour, (0.299, 0.587, 0.114)) > 130 else WHITE


def text_width(text: str, height: float) -> int:
    """Width in pixels of a line of text whose capitals are ``height`` pixels high."""
    (width, _), _ = cv2.getTextSize(drawable(text), FONT, height / CAP, 1)
    return int(width)


def draw_text(image: Image, text: str, corner: tuple[int, int], height: float, colour: Colour) -> None:
    """Draw a line of text from ``corner`` (x, y), the lower left end of its capitals, ``height`` pixels high."""
    weight = 2 if height > 24 else 1
    cv2.putText(image, drawable(text), corner, FONT, height / CAP, colour, weight, cv2.LINE_AA)


def draw_plate(
    image: Image, text: str, corner: tuple[int, int], height: float, colour: Colour, taken: Sequence[Plate] = ()
) -> Plate:
    """Draw text on a filled plate with its upper left ``corner`` there, or as near as it fits into the image.

    Moves up where another plate has ``taken`` the place. Returns its left, upper, right and lower edge.
    """
    pad = max(2, round(height * 0.45))
    width, tall = text_width(text, height) + 2 * pad, round(height) + 2 * pad
    x = max(0, min(corner[0], image.shape[1] - width))
    y = max(0, min(corner[1], image.shape[0] - tall))
    while y >= tall and any(
        x < right and left < x + width and y < low and top < y + tall for left, top, right, low in taken
    ):
        y -= tall
    cv2.rectangle(image, (x, y), (x + width - 1, y + tall - 1), colour, cv2.FILLED)
    draw_text(image, text, (x + pad, y + tall - pad), height, ink_on(colour))
    return x, y, x + width, y + tall


def draw_box(image: Image, box: Array, colour: Colour, *, weight: int, dashed: bool) -> None:
    """Outline a box (4,), in pixels; dashed and one pixel thin where nobody detected it."""
    x1, y1, x2, y2 = (round(float(value)) for value in box)
    corners = [(x1, y1), (x2 - 1, y1), (x2 - 1, y2 - 1), (x1, y2 - 1), (x1, y1)]
    if not dashed:
        cv2.rectangle(image, corners[0], corners[2], colour, weight, cv2.LINE_AA)
        return
    for start, end in pairwise(corners):
        for first, last in _dashes(np.array(start), np.array(end)):
            cv2.line(image, first, last, colour, 1, cv2.LINE_AA)


def _dashes(start: Array, end: Array, length: float = 7.0) -> list[tuple[Sequence[int], Sequence[int]]]:
    """Every other stretch of about ``length`` pixels of the line, first and last included."""
    count = 2 * int(np.hypot(*(end - start)) / (2 * length)) + 1
    points = [np.rint(start + (end - start) * k / count).astype(int).tolist() for k in range(count + 1)]
    return list(zip(points[0::2], points[1::2], strict=True))


def draw_people(
    image: Image, boxes: Array, identities: Sequence[str | None], labels: Sequence[str], dashed: Sequence[bool]
) -> None:
    """Outline and name the people of one frame; ``boxes`` (n, 4), ``dashed`` (n,) marks interpolated boxes."""
    size = max(8.0, image.shape[0] / 54)
    weight = max(1, round(image.shape[0] / 300))
    for box, identity, thin in zip(boxes, identities, dashed, strict=True):
        draw_box(image, box, colour_of(identity), weight=weight, dashed=thin)
    taken: list[Plate] = []
    for box, identity, label in zip(boxes, identities, labels, strict=True):
        tall = round(size) + 2 * max(2, round(size * 0.45))
        corner = round(float(box[0])), round(float(box[1])) - tall
        taken.append(draw_plate(image, label, corner, size, colour_of(identity), taken))
