"""How good a crop is for telling who it is: size, sharpness, truncation at the border, overlap, detector score."""

from __future__ import annotations

import cv2
import numpy as np

from vidreid.types import Array, Boxes, Image

FULL_HEIGHT = 128.0  # pixels; re-identification networks see about that much
SHARP = 400.0  # variance of the Laplacian of a 64 x 128 grey crop, of a person in focus


def sharpness(person: Image) -> float:
    """0..1: variance of the Laplacian of the grey person at 64 x 128, against that of one in focus."""
    grey = cv2.cvtColor(cv2.resize(person, (64, 128)), cv2.COLOR_RGB2GRAY)
    return float(min(1.0, cv2.Laplacian(grey, cv2.CV_32F).var() / SHARP))


def truncation(box: Array, width: int, height: int) -> float:
    """1 where the box is clear of the picture's border, 0.5 where it touches one side, 0.25 two sides."""
    edges = (box[0] <= 1, box[1] <= 1, box[2] >= width - 1, box[3] >= height - 1)
    return 0.5 ** min(2, sum(bool(edge) for edge in edges))


def clearance(boxes: Boxes) -> Array:
    """(n,) 0..1: the share of each box that no other box, standing nearer, covers.

    Of two overlapping people the one with the lower foot stands nearer to the camera.
    """
    clear = np.ones(len(boxes))
    for i, box in enumerate(boxes):
        nearer = boxes[boxes[:, 3] > box[3]]
        if len(nearer):
            corner = np.maximum(box[:2], nearer[:, :2])
            inner = np.clip(np.minimum(box[2:], nearer[:, 2:]) - corner, 0, None).prod(1)
            clear[i] = 1 - min(1.0, inner.max() / max(float((box[2:] - box[:2]).prod()), 1e-9))
    return clear


def quality(person: Image, box: Array, picture: tuple[int, int], clear: float, score: float) -> float:
    """One number in 0..1 of a person's pixels, box, the picture's (width, height), clearance and score."""
    height = min(1.0, float(box[3] - box[1]) / FULL_HEIGHT)
    seen = clear * truncation(box, *picture)
    return float(seen * score * (0.5 + 0.5 * sharpness(person)) * np.sqrt(height))
