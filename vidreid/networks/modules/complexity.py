"""Multiply-adds and parameters of a network, counted as the TCLNet paper counts its "GFLOPs"."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from vidreid.networks import VideoNetwork


@dataclass(frozen=True, slots=True)
class Complexity:
    """``multiply_adds`` for one input; ``parameters`` without those of the necks."""

    multiply_adds: int
    parameters: int


def complexity(network: VideoNetwork, shape: tuple[int, ...] = (1, 4, 3, 256, 128)) -> Complexity:
    """Count ``network`` on clips of ``shape`` (B, T, 3, H, W), without computing anything.

    One unit is a multiply-add of a convolution or matrix product, or an output element of the batch normalisation of
    a map. Not counted, as in the paper's figures: activations, pooling, sums, normalisation of single vectors.
    """
    ghost = deepcopy(network).to("meta").eval()
    normalised = 0

    def count(_: nn.Module, __: Any, output: Tensor) -> None:
        nonlocal normalised
        normalised += output.numel()

    for module in ghost.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(count)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        ghost.features(torch.empty(shape, device="meta"))
    parameters = sum(value.numel() for value in network.parameters())
    heads = sum(value.numel() for value in network.necks.parameters())
    return Complexity(counter.get_total_flops() // 2 + normalised, parameters - heads)
