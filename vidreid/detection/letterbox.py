"""Fits a picture into a network's input without bending it, and takes boxes back; exact to half a pixel."""

from __future__ import annotations

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

    def apply(self, image: Image) -> Image:
        """The picture scaled and centred on grey; uint8 (target height, target width, 3)."""
        height, width = self.inner
        top, left = self.corner
        scaled = image if (height, width) == self.source else cv2.resize(image, (width, height))
        if (height, width) == self.target:
            return np.ascontiguousarray(scaled)
        canvas = np.full((*self.target, 3), GREY, np.uint8)
        canvas[top : top + height, left : left + width] = scaled
        return canvas

    def back(self, boxes: Boxes) -> Boxes:
        """Boxes (n, 4) of the input in pixels of the source, clipped to it."""
        (height, width), (top, left) = self.inner, self.corner
        scale = np.array([self.source[1] / width, self.source[0] / height] * 2, np.float32)
        moved = (boxes - np.array([left, top, left, top], np.float32)) * scale
        limit = np.array([self.source[1], self.source[0]] * 2, np.float32)
        return np.asarray(np.clip(moved, 0, limit).astype(np.float32))
