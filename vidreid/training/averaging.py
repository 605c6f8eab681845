"""The moving average of a network's weights."""

from __future__ import annotations

import torch
from torch import nn


def average(averaged: nn.Module, network: nn.Module, keep: float) -> None:
    """Move the averaged weights towards the network's, ``keep`` being what stays of them; counters are copied."""
    with torch.no_grad():
        for mean, value in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - keep)
            else:
                mean.copy_(value)
