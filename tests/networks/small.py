"""Small backbones, and clips for them, that show what a large one would."""

import torch
from torch import Tensor, nn

from vidreid.networks.backbones import Backbone


class Small(Backbone):
    """Four stages of two blocks; clips of 64 x 32 give maps of 4 x 2 before and after the last stage, as in the
    papers' networks, unless ``strides`` say otherwise."""

    def __init__(self, widths: tuple[int, ...] = (8, 12, 16, 24), strides: tuple[int, ...] = (2, 2, 2, 1)) -> None:
        super().__init__()
        self.widths = widths
        self.stem = block(3, widths[0], 2)
        before = (widths[0], *widths)
        self.stages = nn.ModuleList(
            nn.Sequential(block(before[stage], width, strides[stage]), block(width, width))
            for stage, width in enumerate(widths)
        )


def block(channels: int, width: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())


def small_clips(clips: int = 2, frames: int = 4, seed: int = 0) -> Tensor:
    return torch.randn((clips, frames, 3, 64, 32), generator=torch.Generator().manual_seed(seed))
