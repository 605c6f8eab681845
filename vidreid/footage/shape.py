"""The true shape of a picture whose stored pixels are not square: stretched, never shrunk."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from vidreid.types import VideoFile

FOUR_THIRDS = Fraction(4, 3)
HALVES = {(width, height) for width in (704, 720, 928, 944, 960) for height in (240, 288)}
HALVES |= {(width, height) for width in (352, 360) for height in (480, 576)}
"""Sizes of half an analogue picture (ITU-R BT.601, and 960 pixels wide): one of its fields, or half of its columns."""


def pixel_aspect(stream: Any) -> Fraction:
    """Width of a stored pixel over its height; 1 where the file says nothing or nonsense, but for half pictures."""
    stated = stream.sample_aspect_ratio
    aspect = Fraction(stated) if stated else Fraction(1)
    if aspect == 1:  # said of any picture, too, by containers that must say something
        return assumed(stream.codec_context.width, stream.codec_context.height)
    return aspect if Fraction(1, 4) < aspect < 4 else Fraction(1)


def assumed(width: int, height: int) -> Fraction:
    """The shape of pixels for want of a statement: that of a 4:3 picture where stored ones are half, else square."""
    return FOUR_THIRDS * height / width if (width, height) in HALVES else Fraction(1)


def true_size(width: int, height: int, aspect: Fraction) -> tuple[int, int]:
    """Width and height of a stored picture once its pixels are square."""
    if aspect >= 1:
        return max(1, round(width * aspect)), max(1, height)
    return max(1, width), max(1, round(height / aspect))


def stored_size(file: VideoFile) -> tuple[int, int]:
    """Width and height of a file's pictures as they are stored, perhaps lying; the file is seen whole."""
    width, height = turned(file.rotation, file.width, file.height)
    if file.pixel_aspect >= 1:
        return round(width / file.pixel_aspect), height
    return width, round(height * file.pixel_aspect)


def turned(rotation: int, width: int, height: int) -> tuple[int, int]:
    """Width and height after a turn by ``rotation`` degrees, either way."""
    return (height, width) if rotation % 180 else (width, height)
