"""Says where a fixed camera's picture moves: what differs from a slowly learnt background by more than its noise."""

from __future__ import annotations

import cv2
import numpy as np

from vidreid.types import Array, Image

WIDTH = 320  # of the pictures that are compared; smaller footage is not enlarged
STEP = 0.08  # seconds between two of them
BACKGROUND = 5.0  # seconds in which the background follows what changed
NOISE = 20.0  # seconds in which a pixel's noise is learnt
LEAST = 6.0  # grey levels that are never motion
FACTOR = 5.0  # times a pixel's mean noise from which it moves
SHAKE = 0.1  # pixels by which the camera may tremble: edges show it
AREA = 5  # of 3 x 3 pixels that move together
REACH = 7  # pixels within which something that moves is found again a step later
LIGHT = 8  # a change of light is alike over this share of the picture's width


class Motion:
    """The background of one camera, and whether a picture shows something else. One object a segment.

    A running mean of each pixel, and of how much it differs from it (a Gaussian background, Wren et al. 1997, with
    mean instead of squared deviations). What changes smoothly over the picture is light and does not count; neither
    do edges that tremble, nor what is not seen twice.
    """

    def __init__(self) -> None:
        self._mean: Array | None = None
        self._noise = np.zeros(0, np.float32)
        self._before = np.zeros(0, np.uint8)
        self._time = -np.inf

    def due(self, time: float) -> bool:
        """Whether the picture of this time (seconds) is to be compared: `STEP` after the one before."""
        return time - self._time > STEP - 1e-6

    def moves(self, picture: Image, time: float, *, learn: bool = True) -> bool:
        """Whether something moves in the picture: grey (h, w), at most `WIDTH` wide, of ``time`` in seconds.

        ``learn`` False keeps the noise as it is: people who are about are none.
        """
        passed, self._time = time - self._time, time
        if self._mean is None:
            self._mean = picture.astype(np.float32)
            self._noise = np.full(picture.shape, LEAST / FACTOR, np.float32)
            self._before = np.zeros(picture.shape, np.uint8)
            return False
        change = picture - self._mean
        light = 2 * (picture.shape[1] // LIGHT // 2) + 1
        differs = np.abs(cv2.blur(change - cv2.blur(change, (light, light)), (3, 3)))
        edges = cv2.morphologyEx(self._mean, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        limit = np.maximum(LEAST, FACTOR * self._noise) + SHAKE * edges
        self._mean += min(1.0, passed / BACKGROUND) * change
        if learn:
            self._noise += min(1.0, passed / NOISE) * (np.minimum(differs, limit) - self._noise)
        return self._seen_twice(differs > limit)

    def _seen_twice(self, beyond: Array) -> bool:
        together = cv2.boxFilter(beyond.astype(np.uint8), -1, (3, 3), normalize=False) >= AREA
        moving = together.astype(np.uint8)
        again = bool((moving & self._before).any())
        self._before = cv2.dilate(moving, np.ones((REACH, REACH), np.uint8))
        return again
