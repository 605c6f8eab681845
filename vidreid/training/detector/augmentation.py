"""Views of pictures as surveillance cameras would see them: where one looks and how large, people pasted in, lenses.

What makes a view worse (`degradation.py`) is kept apart: the teacher sees the view before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vidreid.detection.letterbox import GREY
from vidreid.errors import InputError
from vidreid.training.sections import within
from vidreid.types import Array, Boxes, Image

CUT = 0.4  # of a person's box that has to be in the view
SMALLEST = 6.0  # pixels of height of a person who is asked for


@dataclass(frozen=True)
class Augmentation:
    """Chances 0..1 of each, but ``zoom``, the range of scales, and ``turn``, the most degrees.

    ``aim``: a person is in view; ``paste``: people of other pictures are put in, 30 to 120 pixels tall;
    ``fisheye``: a lens that bends; ``dark``, ``grey`` (infrared), ``colour``, ``blur`` (focus, motion), ``small``
    (little resolution), ``noise``, ``jpeg``.
    """

    flip: float = 0.5
    zoom: tuple[float, float] = (0.4, 1.8)
    turn: float = 3.0
    aim: float = 0.7
    paste: float = 0.0
    fisheye: float = 0.0
    dark: float = 0.0
    grey: float = 0.0
    colour: float = 0.0
    blur: float = 0.0
    small: float = 0.0
    noise: float = 0.0
    jpeg: float = 0.0

    def __post_init__(self) -> None:
        within(self, 0, 1, "flip", "aim", "paste", "fisheye", "dark", "grey", "colour", "blur", "small")
        within(self, 0, 1, "noise", "jpeg")
        within(self, 0.05, 10, "zoom")
        if self.zoom[0] > self.zoom[1]:
            raise InputError(f"zoom: {list(self.zoom)}", "give the smaller scale first")
        within(self, 0, 45, "turn")


@dataclass(frozen=True, eq=False)
class View:
    """A square view: ``image`` uint8 RGB, ``boxes`` (n, 4) in its pixels, and ``cut`` (n,), those that are mostly
    outside or too small to be asked for."""

    image: Image
    boxes: Boxes
    cut: Array


def view(image: Image, boxes: Boxes, size: int, natural: int, wanted: Augmentation, rng: np.random.Generator) -> View:
    """A window of ``size`` pixels on a picture with ``boxes`` in its pixels, whose longest side would be ``natural``
    pixels before it is zoomed."""
    height, width = image.shape[:2]
    zoom = math.exp(rng.uniform(*np.log(wanted.zoom)))
    scale = natural / max(height, width) * zoom
    if scale < 0.7 and rng.random() < 0.5:
        # Runs scale by the nearest four pixels, cameras and recorders by all: both occur.
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        boxes, scale = boxes * np.float32(scale), 1.0
    matrix = _matrix(image.shape, boxes, scale, size, wanted, rng)
    moved = _moved(boxes, lambda points: points @ matrix[:, :2].T + matrix[:, 2])
    if rng.random() < wanted.fisheye:
        return _seen(*_bent(image, moved, matrix, size, rng.uniform(0.05, 0.35)), size)
    # OpenCV counts from the middle of the first pixel, boxes from its corner.
    shifted = matrix + np.column_stack([np.zeros((2, 2)), matrix[:, :2].sum(1) / 2 - 0.5])
    return _seen(cv2.warpAffine(image, shifted, (size, size), borderValue=(GREY,) * 3), moved, size)


def _matrix(
    shape: tuple[int, ...], boxes: Boxes, scale: float, size: int, wanted: Augmentation, rng: np.random.Generator
) -> Array:
    """The 2 x 3 matrix from the picture to the window: turn, scale, flip, and where to look."""
    angle = math.radians(rng.uniform(-wanted.turn, wanted.turn))
    mirrored = -1.0 if rng.random() < wanted.flip else 1.0
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    turn[0] *= mirrored
    whole = np.array([shape[1], shape[0]], float)
    if len(boxes) and rng.random() < wanted.aim:
        box = boxes[rng.integers(len(boxes))]
        aim, spread = (box[:2] + box[2:]) / 2, rng.uniform(-0.45, 0.45, 2) * size
        # Not further out of the picture than needed.
        half = np.minimum(size / 2 / scale, whole / 2)
        middle = np.clip(aim + spread / scale, half, whole - half)
    else:
        room = np.maximum(whole - size / scale, 0) / 2
        middle = whole / 2 + rng.uniform(-1, 1, 2) * room
    free = np.maximum(size - whole * scale, 0) / 2
    place = size / 2 + rng.uniform(-1, 1, 2) * free
    return np.column_stack([turn, place - turn @ middle])


def _moved(boxes: Boxes, move: Callable[[Array], Array]) -> Boxes:
    """Boxes around the moved middles of their sides: around turned corners they would be too large."""
    x1, y1, x2, y2 = boxes.T
    middle_x, middle_y = (x1 + x2) / 2, (y1 + y2) / 2
    found = move(np.stack([[middle_x, y1], [middle_x, y2], [x1, middle_y], [x2, middle_y]]).transpose(2, 0, 1))
    return np.concatenate([found.min(1), found.max(1)], 1).astype(np.float32)


def _bent(image: Image, boxes: Boxes, matrix: Array, size: int, strength: float) -> tuple[Image, Boxes]:
    """The window of ``matrix``, and ``boxes`` in it, through a lens with barrel distortion: what is at radius r (1:
    half a side) comes from r (1 + k r^2), from the picture itself, since much of that is outside the straight window.
    """
    half = size / 2
    axis = (np.arange(size) + 0.5 - half) / half
    place = np.stack(np.meshgrid(axis, axis), 2)
    straight = place * (1 + strength * (place**2).sum(2, keepdims=True)) * half + half
    origin = ((straight - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T - 0.5).astype(np.float32)
    bent = cv2.remap(image, origin, None, cv2.INTER_LINEAR, borderValue=(GREY,) * 3)

    def move(points: Array) -> Array:
        points = (points - half) / half
        radius = np.linalg.norm(points, axis=2, keepdims=True)
        shrunk = radius
        for _ in range(8):  # Newton's method
            shrunk = shrunk - (shrunk + strength * shrunk**3 - radius) / (1 + 3 * strength * shrunk**2)
        return np.asarray(points * np.divide(shrunk, radius, out=np.ones_like(radius), where=radius > 0) * half + half)

    return bent, _moved(boxes, move)


def _seen(window: Image, boxes: Boxes, size: int) -> View:
    """The boxes that are in the window at all, clipped to it."""
    clipped = np.clip(boxes, 0, size)
    sides, whole = clipped[:, 2:] - clipped[:, :2], np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-6)
    there = (sides > 1).all(1)
    cut = (sides.prod(1) / whole.prod(1) < CUT) | (sides[:, 1] < SMALLEST)
    return View(window, clipped[there].astype(np.float32), cut[there])


def pasted(seen: View, people: Sequence[Image], rng: np.random.Generator) -> View:
    """Pictures of people put somewhere into a view, one before the other; who is behind is covered.

    Each is from 30 up to 120 pixels tall and no taller than his own picture: only pasted people would be so blurred.
    Nobody in the view is covered by more than a third, by all of them together: who would do that is left out.
    """
    covered = np.zeros(len(seen.boxes), np.float32)
    for person in people:
        box = _place(person, len(seen.image), rng)
        if box is None:
            continue
        corner, end = np.maximum(seen.boxes[:, :2], box[:2]), np.minimum(seen.boxes[:, 2:], box[2:])
        # What two of them cover both counts twice: sooner too few people than too few pixels of them.
        hidden = covered + np.clip(end - corner, 0, None).prod(1)
        if (hidden <= (seen.boxes[:, 2:] - seen.boxes[:, :2]).prod(1) / 3).all():
            seen, covered = _put(seen, person, box, rng), np.append(hidden, 0)
    return seen


def _place(person: Image, size: int, rng: np.random.Generator) -> Array | None:
    """A box for a person anywhere in a view, as narrow as his picture; None where it is wider than the view."""
    height = int(math.exp(rng.uniform(*np.log((30, min(120, size / 2, len(person)))))))
    width = max(4, round(person.shape[1] * height / len(person)))
    if width >= size:
        return None
    x, y = int(rng.integers(size - width)), int(rng.integers(size - height))
    return np.array([x, y, x + width, y + height])


def _put(seen: View, person: Image, box: Array, rng: np.random.Generator) -> View:
    """A person in a box, his edges faded."""
    x1, y1, x2, y2 = box.tolist()
    small = cv2.resize(person, (x2 - x1, y2 - y1), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        small = small[:, ::-1]
    fade = _faded(y2 - y1, x2 - x1)[..., None]
    image = seen.image.copy()
    place = image[y1:y2, x1:x2]
    # The light of the place, half of the way.
    lit = small * (1 + 0.5 * np.clip(place.mean() / max(float(small.mean()), 1.0) - 1, -0.6, 0.6))
    place[:] = np.clip(fade * lit + (1 - fade) * place, 0, 255).astype(np.uint8)
    return View(image, np.concatenate([seen.boxes, box[None].astype(np.float32)]), np.append(seen.cut, False))


def _faded(height: int, width: int) -> Array:
    """Opacity 0..1 of a pasted box: whole in an upright oval, nothing in the corners, which show another place."""
    y = (np.arange(height, dtype=np.float32) + 0.5) / height * 2 - 1
    x = (np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1
    distance = np.abs(x[None]) ** 2.5 + np.abs(y[:, None]) ** 4
    return np.asarray(np.clip((1.15 - distance) / 0.3, 0, 1))
