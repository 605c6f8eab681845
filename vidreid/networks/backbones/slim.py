"""A small residual network of dense 3 x 3 convolutions: most accuracy for a CPU's second in bf16 and in training.

Depthwise networks count fewer multiply-adds, and lose them again to memory. Stem and stages follow ResNet-18
(He et al., CVPR 2016) at half its width, without the max-pool; the last stage keeps its size (Luo et al., Bag of
Tricks, 2019); half of the channels of early blocks are normalised picture by picture, which takes out a camera's
colours and contrast (IBN-Net, Pan et al., ECCV 2018, variant a).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vidreid.networks.backbones import Backbone


@dataclass(frozen=True)
class Settings:
    """``widths`` and ``blocks`` a stage; ``instance``: stages (from 1) whose blocks use instance normalisation;
    ``signed``: the last block's sum is not cut off at zero, so that vectors point anywhere."""

    widths: tuple[int, ...] = (32, 64, 128, 256)
    blocks: tuple[int, ...] = (1, 2, 2, 2)
    instance: tuple[int, ...] = (1, 2)
    signed: bool = True


class HalfInstance(nn.Module):  # type: ignore[misc]
    """Instance normalisation of the first half of the channels, batch normalisation of the others."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.half = width // 2
        self.instance = nn.InstanceNorm2d(self.half, affine=True)
        self.batch = nn.BatchNorm2d(width - self.half)

    def forward(self, maps: Tensor) -> Tensor:
        first, second = maps.split([self.half, maps.shape[1] - self.half], 1)
        return torch.cat([self.instance(first), self.batch(second)], 1)


class Block(nn.Module):  # type: ignore[misc]
    """Two 3 x 3 convolutions and the way around them."""

    def __init__(self, inputs: int, width: int, stride: int, *, instance: bool) -> None:
        super().__init__()
        self.signed = False
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.norm1 = HalfInstance(width) if instance else nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.around = nn.Sequential()
        if stride != 1 or inputs != width:
            self.around = nn.Sequential(nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, maps: Tensor) -> Tensor:
        inner = torch.relu(self.norm1(self.conv1(maps)))
        total = self.norm2(self.conv2(inner)) + self.around(maps)
        return total if self.signed else torch.relu(total)


class Slim(Backbone):
    """Pictures (n, 3, H, W) to maps (n, widths[-1], H / 8, W / 8)."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.widths = settings.widths
        self.stem = nn.Sequential(
            nn.Conv2d(3, settings.widths[0], 5, 2, 2, bias=False), nn.BatchNorm2d(settings.widths[0]), nn.ReLU()
        )
        strides = [1] + [2] * (len(settings.widths) - 2) + [1]
        inputs = (settings.widths[0], *settings.widths[:-1])
        self.stages = nn.ModuleList(
            _stage(*shape, instance=number in settings.instance)
            for number, shape in enumerate(zip(inputs, settings.widths, settings.blocks, strides, strict=True), 1)
        )
        self.stages[-1][-1].signed = settings.signed


def _stage(inputs: int, width: int, blocks: int, stride: int, *, instance: bool) -> nn.Sequential:
    first = Block(inputs, width, stride, instance=instance)
    return nn.Sequential(first, *(Block(width, width, 1, instance=instance) for _ in range(blocks - 1)))


def build(settings: Settings) -> Slim:
    """The contract of a file of `networks/backbones`."""
    return Slim(settings)
