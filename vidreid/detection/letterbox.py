"""Fits a picture into a network's input without bending it, and takes boxes back; exact to half a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vidreid.types import Boxes, Image

GREY = 114


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a picture of ``source`` (height, width) lies in an input of ``target`` (height, width)."""

    source: tuple[int, int]
    target: tuple[int, int]

    @property
    def inner(self) -> tuple[int, int]:
        """Height and width of the scaled picture, at least one pixel each."""
        ratio = min(self.target[0] / self.source[0], self.target[1] / self.source[1])
        return max(1, round(self.source[0] * ratio)), max(1, round(self.source[1] * ratio))

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column of the scaled picture's top left pixel."""
        height, width = self.inner
        return (self.target[0] - height) // 2, (self.target[1] - width) // 2

    @property
    def filled(self) -> float:
        """The share of the input that the picture takes.

        >>> Letterbox((1080, 1920), (480, 640)).filled, Letterbox((1080, 1920), (384, 640)).filled
        (0.75, 0.9375)
        """
        height, width = self.inner
        return height * width / (self.target[0] * self.target[1])

    def apply(self, image: Image) -> Image:
        """The picture scaled and centred on grey; uint8 (target height, target width, 3)."""
        height, width = self.inner
        top, left = self.corner
        scaled = image if (height, width) == self.source else cv2.resize(image, (width, height))
        if (height, width) == self.target:
            return np.ascontiguousarray(scaled)
        below, right = self.target[0] - top - height, self.target[1] - left - width
        grey = (GREY, GREY, GREY)
        return np.asarray(cv2.copyMakeBorder(scaled, top, below, left, right, cv2.BORDER_CONSTANT, value=grey))

    def back(self, boxes: Boxes) -> Boxes:
        """Boxes (n, 4) of the input in pixels of the source, clipped to it."""
        (height, width), (top, left) = self.inner, self.corner
        scale = np.array([self.source[1] / width, self.source[0] / height] * 2, np.float32)
        moved = (boxes - np.array([left, top, left, top], np.float32)) * scale
        limit = np.array([self.source[1], self.source[0]] * 2, np.float32)
        return np.asarray(np.clip(moved, 0, limit).astype(np.float32))


def best_size(sizes: Sequence[tuple[int, int]], picture: tuple[int, int]) -> tuple[int, int]:
    """Of a network's sizes (height, width) the one that a picture fills best, the first of equals."""
    return max(sizes, key=lambda size: Letterbox(picture, size).filled)
