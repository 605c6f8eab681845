"""What of a file's picture a camera sees, and where in it people count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from vidreid.errors import InputError
from vidreid.footage.shape import assumed, stored_size, true_size, turned
from vidreid.types import Array, Boxes, Polygon, Scene, VideoFile

ROUNDING = 1e-6  # by which thirds and the like may miss the border of a picture
FLATTEST = 8  # times that a picture is wider than tall, or taller than wide
ALL = (0.0, 0.0, 1.0, 1.0)
FINEST = 1000  # denominator of a pixel's shape that follows from that of the picture


def check_scene(camera: str, scene: Scene) -> None:
    """`InputError`, which names the camera, where its view or a polygon cannot be meant."""
    if scene.view is not None:
        x, y, width, height = scene.view
        ends = (x, y, x + width, y + height)
        if not (width > 0 and height > 0 and all(-ROUNDING <= end <= 1 + ROUNDING for end in ends)):
            raise InputError(
                f"{camera}: its view {list(scene.view)} lies outside of the picture",
                "x, y, width, height in fractions 0..1 of the picture: its upper right quarter is [0.5, 0, 0.5, 0.5]",
            )
    for kind, polygons in (("include", scene.include), ("ignore", scene.ignore)):
        for polygon in polygons:
            if problem := _problem(polygon):
                raise InputError(
                    f"{camera}: a polygon of `{kind}` {problem}",
                    "three corners or more [x, y], in fractions 0..1 of the camera's picture: [0.2, 0.9]",
                )
    if scene.aspect is not None and not 1 / FLATTEST <= scene.aspect <= FLATTEST:
        raise InputError(f"{camera}: no picture has the aspect {scene.aspect:.3g}", "write it as 4:3 or 16:9")


def _problem(polygon: Polygon) -> str:
    """What is wrong with a polygon; empty where nothing is."""
    if len(polygon) < 3:
        return f"has {len(polygon)} corner{'s' * (len(polygon) != 1)}"
    outside = [corner for corner in polygon if not all(0 <= place <= 1 for place in corner)]
    if outside:
        return f"has the corner {list(outside[0])}, outside of the picture"
    return ""


def as_seen(file: VideoFile, scene: Scene) -> VideoFile:
    """A file of whole pictures as a camera sees them: in their true shape, cut to its view, both in its notes."""
    if scene.aspect is not None:
        file = _reshaped(file, scene.aspect)
    file = replace(file, notes=(*file.notes, *_notes(file, scene)))
    if scene.view in (None, ALL):
        return file
    x, y, width, height = scene.view
    left, right = _edges(x, width, file.width)
    upper, lower = _edges(y, height, file.height)
    return replace(file, width=right - left, height=lower - upper, view=(left, upper, file.width, file.height))


def _reshaped(file: VideoFile, aspect: float) -> VideoFile:
    """The file with pictures of that width over height."""
    width, height = stored_size(file)
    shape = Fraction(1 / aspect if file.rotation % 180 else aspect)
    pixel = (shape * height / width).limit_denominator(FINEST)
    upright = turned(file.rotation, *true_size(width, height, pixel))
    return replace(file, width=upright[0], height=upright[1], pixel_aspect=pixel)


def _edges(start: float, length: float, side: int) -> tuple[int, int]:
    """The pixels ``[first, stop)`` of a side, one at least; views side by side share no pixel and leave none out."""
    first = min(max(0, round(start * side)), side - 1)
    return first, min(max(first + 1, round((start + length) * side)), side)


def _notes(file: VideoFile, scene: Scene) -> Iterator[str]:
    """What is done to the pictures before anybody looks at them."""
    if file.pixel_aspect != 1:
        width, height = stored_size(file)
        why = "its pixels are not square"
        if scene.aspect is None and file.pixel_aspect == assumed(width, height):
            why = "half a picture of 4:3, unless `aspect` in the cameras YAML says otherwise"
        shown = "{} x {}".format(*turned(file.rotation, file.width, file.height))
        yield f"stored as {width} x {height}, shown as {shown}: {why}"
    if file.interlaced:
        yield "interlaced: of each picture one field is shown, half of its lines"


def standing(scene: Scene, files: Sequence[VideoFile], frames: Array, boxes: Boxes) -> Array:
    """Mask (n,) of the boxes that count, of people who stand where ``scene`` says.

    ``frames`` (n,) frame indices and ``boxes`` (n, 4) pixels of a camera with these files, as it sees them.
    """
    if not (scene.include or scene.ignore):
        return np.ones(len(frames), bool)
    number = np.searchsorted([file.first for file in files], frames, side="right") - 1
    sizes = np.array([(file.width, file.height) for file in files], np.float64).reshape(-1, 2)[number]
    feet = foot_points(boxes, sizes)
    counts = np.ones(len(feet), bool)
    if scene.include:
        counts = np.any([within(feet, polygon) for polygon in scene.include], axis=0)
    for polygon in scene.ignore:
        counts &= ~within(feet, polygon)
    return np.asarray(counts)


def foot_points(boxes: Boxes, sizes: Array) -> Array:
    """Where people stand (n, 2): the middle of the lowest line of pixels of each box (n, 4), in fractions of pictures
    of ``sizes`` (n, 2) width, height; of a box that reaches beyond the picture, the nearest place in it."""
    feet = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3] - 0.5], 1).astype(np.float64)
    return np.asarray(np.clip(feet, 0.5, sizes - 0.5) / sizes)


def within(points: Array, polygon: Polygon) -> Array:
    """Mask (n,) of the points (n, 2) in a polygon: a ray to the right crosses its outline an odd number of times."""
    corners = np.array(polygon, np.float64)
    x, y = points[:, 0], points[:, 1]
    inside = np.zeros(len(points), bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 != y2:
            crosses = (y1 > y) != (y2 > y)
            inside ^= crosses & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return inside
