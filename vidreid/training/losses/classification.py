"""Cross-entropy of clips that are classified frame by frame (AFA, Chen et al. 2020, equations 7 to 9)."""

from __future__ import annotations

import math

from torch import Tensor


def log_probabilities(logits: Tensor) -> Tensor:
    """Log of the mean over frames of the softmax probabilities (AFA, equations 7 and 8): float32 (B, K).

    ``logits`` are (B, T, K), or (B, K) for clips that are classified as a whole.
    """
    per_frame = logits.float().log_softmax(-1)
    if logits.ndim == 2:
        return per_frame
    return per_frame.logsumexp(1) - math.log(logits.shape[1])


def negative_log_likelihood(log_probabilities: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Mean of -log p of the true class (AFA, equation 9, whose minus sign the paper forgot).

    ``log_probabilities`` (B, K), ``labels`` (B,) in 0..K-1. ``smoothing`` in 0..1 is the share of the target that is
    spread evenly over all K classes (label smoothing, Szegedy et al. 2016).
    """
    true = log_probabilities.gather(1, labels[:, None]).squeeze(1)
    return -((1 - smoothing) * true + smoothing * log_probabilities.mean(1)).mean()
