"""Persons cut out of larger pictures, encoded again without loss. What cannot be cut is an `OSError`, as a picture is
that cannot be read."""

from __future__ import annotations

import math

import cv2
import numpy as np

from vidreid.types import Array

# The fastest: the bytes live for the length of one decoding.
_QUICK = [cv2.IMWRITE_PNG_COMPRESSION, 1]


def decode(encoded: bytes, name: str) -> Array:
    """A picture's pixels, H x W x 3 uint8 in OpenCV's BGR."""
    found = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR) if encoded else None
    if found is None:
        raise OSError(f"{name}: a broken picture")
    return np.asarray(found)


def cut(picture: Array, box: tuple[float, float, float, float], name: str) -> bytes:
    """PNG of every pixel that ``box``, x1, y1, x2, y2 in pixels, touches."""
    height, width = picture.shape[:2]
    x1, y1 = max(0, math.floor(box[0])), max(0, math.floor(box[1]))
    x2, y2 = min(width, math.ceil(box[2])), min(height, math.ceil(box[3]))
    if x1 >= x2 or y1 >= y2:
        raise OSError(f"{name}: its box {box} lies outside its picture of {width} x {height}")
    return bytes(cv2.imencode(".png", picture[y1:y2, x1:x2], _QUICK)[1])
