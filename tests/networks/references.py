"""The equations of the TCLNet paper as loops over positions: slow, and as close to the letter as can be."""

import math
from collections.abc import Callable

import numpy as np

Learner = Callable[[np.ndarray], np.ndarray]  # a map (D, H, W) to a map (D1, h, w)


def mean_over_positions(maps: np.ndarray) -> np.ndarray:
    """GAP: (D, H, W) to (D,)."""
    depth, height, width = maps.shape
    total = np.zeros(depth)
    for i in range(height):
        for j in range(width):
            total += maps[:, i, j]
    return total / (height * width)


def softmax(values: list[float]) -> list[float]:
    powers = [math.exp(value - max(values)) for value in values]
    return [power / sum(powers) for power in powers]


def correlation(maps: np.ndarray, found: np.ndarray, w: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """Equation 3: R(i, j) = F(i, j)^T (w^T f), with w (D1, D)."""
    _, height, width = maps.shape
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            result[i, j] = scale * float(maps[:, i, j] @ (w.T @ found))
    return result


def places(size: tuple[int, int], block: tuple[int, int], strides: tuple[int, int]) -> list[tuple[int, int]]:
    """Top left corners of the sliding block, in reading order."""
    return [
        (top, left)
        for top in range(0, size[0] - block[0] + 1, strides[0])
        for left in range(0, size[1] - block[1] + 1, strides[1])
    ]


def best_place(relevance: np.ndarray, block: tuple[int, int], strides: tuple[int, int]) -> tuple[int, int]:
    """The first place whose block has the largest sum."""
    best, most = (0, 0), -math.inf
    for top, left in places(relevance.shape, block, strides):
        total = sum(relevance[top + i, left + j] for i in range(block[0]) for j in range(block[1]))
        if total > most:
            best, most = (top, left), total
    return best


def binary_mask(relevance: np.ndarray, block: tuple[int, int], strides: tuple[int, int]) -> np.ndarray:
    """B_nk: 0 in the best block, 1 elsewhere."""
    top, left = best_place(relevance, block, strides)
    mask = np.ones(relevance.shape)
    for i in range(block[0]):
        for j in range(block[1]):
            mask[top + i, left + j] = 0
    return mask


def fused_mask(masks: list[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """Equation 4; without masks, one filled with 1."""
    fused = np.ones(size)
    for mask in masks:
        fused = fused * mask
    return fused


def gate_map(relevances: list[np.ndarray], mask: np.ndarray, *, before: bool = False) -> np.ndarray:
    """Equation 5, or with the mask ``before`` the softmax; without relevances a constant score."""
    height, width = mask.shape
    product = np.ones(mask.shape)
    for relevance in relevances:
        product = product * relevance
    cells = [(i, j) for i in range(height) for j in range(width)]
    kept = [cell for cell in cells if mask[cell] or not before]
    gate = np.zeros(mask.shape)
    for cell, share in zip(kept, softmax([product[cell] for cell in kept]), strict=True):
        gate[cell] = share * mask[cell]
    return gate


def erased_by_gate(maps: np.ndarray, mask: np.ndarray, gate: np.ndarray) -> np.ndarray:
    """F B (1 + G), the reading of "erased based on B and G" that costs nothing."""
    result = np.zeros(maps.shape)
    for i in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            result[:, i, j] = maps[:, i, j] * mask[i, j] * (1 + gate[i, j])
    return result


def tse(
    segment: list[np.ndarray],
    learners: list[Learner],
    w: np.ndarray,
    block: tuple[int, int],
    *,
    strides: tuple[int, int] = (1, 1),
    scale: float = 1.0,
) -> list[np.ndarray]:
    """Equations 1 and 2: f_1 .. f_N of the N maps of a segment."""
    found: list[np.ndarray] = []
    for maps, learner in zip(segment, learners, strict=True):
        relevances = [correlation(maps, before, w, scale) for before in found]
        masks = [binary_mask(relevance, block, strides) for relevance in relevances]
        mask = fused_mask(masks, maps.shape[1:])
        erased = erased_by_gate(maps, mask, gate_map(relevances, mask))
        found.append(mean_over_positions(learner(erased)))
    return found


def video_vectors(frames: list[np.ndarray], learners: int, segment: Callable) -> list[np.ndarray]:
    """Equation 7 and the temporal average: v_1 .. v_N of a video's maps, ``segment`` being TSE."""
    segments = [segment(frames[start : start + learners]) for start in range(0, len(frames), learners)]
    return [sum(found[n] for found in segments) / len(segments) for n in range(learners)]


def recalled(clip: np.ndarray, query: int, tau: float) -> np.ndarray:
    """Equation 6: o = M^T A for frame ``query`` of a clip (T, C, H, W), the memory being its other frames."""
    q = mean_over_positions(clip[query])
    memory = [
        frame[:, i, j]
        for time, frame in enumerate(clip)
        if time != query
        for i in range(clip.shape[2])
        for j in range(clip.shape[3])
    ]
    scores = [tau * float(q @ m) / (np.linalg.norm(q) * np.linalg.norm(m)) for m in memory]
    return sum(share * m for share, m in zip(softmax(scores), memory, strict=True))
