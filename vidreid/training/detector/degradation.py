"""Ways in which surveillance pictures are bad, each drawn at random: light, focus, resolution, sensor, recorder."""

from __future__ import annotations

import cv2
import numpy as np

from vidreid.training.detector.augmentation import Augmentation
from vidreid.types import Image


def degraded(image: Image, wanted: Augmentation, rng: np.random.Generator) -> Image:
    """The picture (uint8 RGB) as a worse camera would have stored it, in the order in which that happens."""
    chances = rng.random(7)
    if chances[0] < wanted.colour:
        image = _tinted(image, rng)
    if chances[1] < wanted.dark:
        image = _darkened(image, rng)
    if chances[2] < wanted.grey:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if chances[3] < wanted.blur:
        image = _blurred(image, rng)
    if chances[4] < wanted.small:
        image = _coarse(image, rng)
    if chances[5] < wanted.noise:
        image = _noisy(image, rng.uniform(2, 14), rng)
    if chances[6] < wanted.jpeg:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(12, 60))]
        stored = cv2.imencode(".jpg", image[..., ::-1], quality)[1]
        image = np.asarray(cv2.cvtColor(cv2.imdecode(stored, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))
    return image


def _tinted(image: Image, rng: np.random.Generator) -> Image:
    """Contrast, around the middle grey; then exposure and white balance, which change that grey as well."""
    gains = rng.uniform(0.85, 1.15, 3) * rng.uniform(0.75, 1.25)
    levels = np.arange(256, dtype=np.float32)[:, None]
    table = ((levels - 128) * rng.uniform(0.7, 1.3) + 128) * gains
    return np.asarray(cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8)[None]))


def _darkened(image: Image, rng: np.random.Generator) -> Image:
    """Little light: dim, the shadows gone, and grainy."""
    table = (np.arange(256) / 255) ** rng.uniform(1.3, 2.6) * rng.uniform(0.35, 0.9) * 255
    return _noisy(cv2.LUT(image, table.astype(np.uint8)), rng.uniform(1, 8), rng)


def _blurred(image: Image, rng: np.random.Generator) -> Image:
    """Out of focus, or moved in one direction."""
    if rng.random() < 0.7:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.8)))
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    middle, reach = (length - 1) / 2, (length - 1) / 2
    ends = [np.round(middle + sign * reach * np.array([np.cos(angle), np.sin(angle)])).astype(int) for sign in (-1, 1)]
    cv2.line(kernel, ends[0].tolist(), ends[1].tolist(), 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()))


def _coarse(image: Image, rng: np.random.Generator) -> Image:
    """Taken with fewer pixels."""
    share = 1 / rng.uniform(1.2, 3.0)
    small = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    how = cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(small, image.shape[1::-1], interpolation=how))


def _noisy(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    grain = rng.standard_normal(image.shape[:2], np.float32)[..., None] * np.float32(sigma)
    return np.clip(image + grain, 0, 255).astype(np.uint8)
