"""Vectors of crops to one vector a clip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidreid.types import Array


def normalize(vectors: Array, branches: int = 1) -> Array:
    """Vectors (n, dim) with each of ``branches`` equal parts scaled to one length, the whole to length 1."""
    parts = vectors.reshape(len(vectors), branches, -1)
    length = np.linalg.norm(parts, axis=2, keepdims=True)
    unit = parts / np.maximum(length, 1e-12) / np.sqrt(branches)
    return np.asarray(unit.reshape(vectors.shape).astype(np.float32))


def pool(clips: Sequence[Array], branches: int = 1) -> Array:
    """The mean of each clip's vectors (crops, dim), normalised branch by branch: float32 (clips, dim)."""
    if not clips:
        return np.zeros((0, 0), np.float32)
    return normalize(np.stack([clip.mean(0) for clip in clips]), branches)
