"""3-D convolution over time alone, the comparison of TCLNet's table 4b (base.+3D)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vidreid.networks.modules.temporal import Temporal


class TemporalConv(Temporal):
    """A 3x1x1 convolution without bias: maps (B * T, C, H, W) to (B * T, D, H, W), zeros before and after the clip.

    ``weight`` (D, C, 3, 1) starts as a 1x1 convolution of the frame itself: only the centre is not zero.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, (3, 1), padding=(1, 0), bias=False)
        single = torch.empty(width, channels, 1, 1)
        nn.init.kaiming_normal_(single, mode="fan_out", nonlinearity="relu")
        with torch.no_grad():
            self.conv.weight.copy_(centred(single))

    def forward(self, maps: Tensor, frames: int = 1) -> Tensor:
        height, width = maps.shape[2:]
        # Time and position as the two axes of a picture: a 2-D convolution is faster than a 3-D one of this shape.
        clips = maps.flatten(2).unflatten(0, (-1, frames)).transpose(1, 2)
        return self.conv(clips).transpose(1, 2).flatten(0, 1).unflatten(2, (height, width))


def centred(weight: Tensor) -> Tensor:
    """The weight (D, C, 3, 1) that does to each frame what ``weight`` (D, C, 1, 1) does."""
    return nn.functional.pad(weight, (0, 0, 1, 1))
