"""The triplet loss with batch-hard mining (Hermans et al. 2017; AFA, equation 10)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize, relu, softplus

Distance = Literal["euclidean", "squared-euclidean", "cosine"]


def distances(vectors: Tensor, kind: Distance) -> Tensor:
    """Distances between all pairs of ``vectors`` (B, d): float32 (B, B).

    ``cosine`` is -cos, in -1..1. The derivative of a Euclidean distance of zero is taken as zero.
    """
    with torch.autocast(vectors.device.type, enabled=False):  # near neighbours differ by less than half precision sees
        vectors = vectors.float()
        if kind == "cosine":
            units = normalize(vectors)
            return -units @ units.T
        euclidean = torch.cdist(vectors, vectors, compute_mode="donot_use_mm_for_euclid_dist")
        return euclidean.square() if kind == "squared-euclidean" else euclidean


def batch_hard(vectors: Tensor, labels: Tensor, *, margin: float | None, distance: Distance) -> Tensor:
    """Every anchor's farthest positive should be nearer than its nearest negative: a mean over anchors that have both.

    ``vectors`` (B, d), ``labels`` (B,). ``margin`` None is the soft margin ln(1 + exp(d_ap - d_an)), which AFA's text
    names; a number m is the hinge max(0, d_ap - d_an + m), with ``squared-euclidean`` the letter of AFA's equation 10.
    Zero where no anchor has both.
    """
    between = distances(vectors, distance)
    same = labels[:, None] == labels[None, :]
    positive = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    valid = positive.any(1) & ~same.all(1)
    farthest = between.masked_fill(~positive, -torch.inf).amax(1)
    nearest = between.masked_fill(same, torch.inf).amin(1)
    excess = torch.where(valid, farthest - nearest, 0.0)
    losses = softplus(excess) if margin is None else relu(excess + margin)
    return (losses * valid).sum() / valid.sum().clamp(min=1)
