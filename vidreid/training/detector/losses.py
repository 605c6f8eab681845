"""The losses of a detector that learns what every place should say."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

LEAST = 0.05  # target score from which a place's box is learnt


def score_loss(logits: Tensor, scores: Tensor) -> Tensor:
    """Cross entropy with the target ``scores`` in 0..1, over the sum of targets.

    Without the focus on hard places that detectors are often given: it would draw all scores towards the middle, and a
    score is to be read as a chance.
    """
    loss = functional.binary_cross_entropy_with_logits(logits, scores, reduction="sum")
    return loss / scores.sum().clamp(min=1.0)


def box_loss(found: Tensor, wanted: Tensor, scores: Tensor) -> Tensor:
    """1 - GIoU (arXiv 1902.09630, algorithm 1) and the edges' distance in shares of the wanted box's sides, averaged
    by target score over the places that have one."""
    chosen = scores >= LEAST
    if not chosen.any():
        return found.sum() * 0
    found, wanted, weight = found[chosen], wanted[chosen], scores[chosen]
    sides = (wanted[:, 2:] - wanted[:, :2]).clamp(min=4.0).repeat(1, 2)
    edges = functional.smooth_l1_loss(found / sides, wanted / sides, reduction="none", beta=0.1).mean(1)
    return ((1 - giou(found, wanted) + edges) * weight).sum() / weight.sum()


def giou(one: Tensor, other: Tensor) -> Tensor:
    """Generalised intersection over union of boxes (n, 4), pair by pair: -1..1."""
    inner = (torch.minimum(one[:, 2:], other[:, 2:]) - torch.maximum(one[:, :2], other[:, :2])).clamp(min=0).prod(1)
    hull = (torch.maximum(one[:, 2:], other[:, 2:]) - torch.minimum(one[:, :2], other[:, :2])).prod(1)
    sizes = [(boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1) for boxes in (one, other)]
    union = (sizes[0] + sizes[1] - inner).clamp(min=1e-6)
    return inner / union - (hull - union) / hull.clamp(min=1e-6)


def feature_loss(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """Smooth L1 distance (arXiv 1504.08083, eq. 3) of feature maps in standard deviations of the wanted channels,
    averaged over layers: what is far off pulls as much as what is one deviation off, no more and no less."""
    losses = []
    for mine, teachers in zip(found, wanted, strict=True):
        deviation = (teachers.float().var((0, 2, 3), keepdim=True) + 1e-3).sqrt()
        losses.append(functional.smooth_l1_loss(mine.float() / deviation, teachers.float() / deviation))
    return torch.stack(losses).mean()
