"""OSNet (Zhou et al., ICCV 2019): every block looks at four sizes at once and weighs them channel by channel.

IBN and AIN add instance normalisation, which takes a camera's style out of each picture (Zhou et al., TPAMI 2021).
The paper's head, a fully connected layer of 512 with batch normalisation, is left to the video networks: with it, as
published, width 1 has 2.2 M parameters and 978.9 M multiply-adds at 256 x 128, width 0.25 has 0.2 M and 82.3 M.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from vidreid.networks.backbones import Backbone

CHANNELS = (64, 256, 384, 512)  # after the stem and after each stage of two blocks, at width 1

Instance = Literal["none", "ibn", "ain"]
Place = Literal["none", "residual", "sum"]

# Where the six blocks normalise picture by picture: their residual, or its sum with the block's input.
PLACES: dict[Instance, tuple[Place, ...]] = {
    "none": ("none", "none", "none", "none", "none", "none"),
    "ibn": ("sum", "sum", "none", "none", "none", "none"),
    "ain": ("residual", "residual", "none", "residual", "residual", "none"),
}


@dataclass(frozen=True)
class Settings:
    """``width`` multiplies the channels (1, 0.75, 0.5 and 0.25 in the paper); ``instance``: IBN, AIN or neither."""

    width: float = 1.0
    instance: Instance = "none"


class Gate(nn.Module):  # type: ignore[misc]
    """The unified aggregation gate: what share of each channel of a map passes, judged by the map's mean."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = width // 16
        self.share = nn.Sequential(nn.Conv2d(width, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, width, 1), nn.Sigmoid())

    def forward(self, maps: Tensor) -> Tensor:
        gated: Tensor = maps * self.share(maps.mean((2, 3), keepdim=True))
        return gated


class Block(nn.Module):  # type: ignore[misc]
    """The omni-scale residual block: streams of one to four Lite 3 x 3 layers behind one shared gate."""

    def __init__(self, inputs: int, width: int, place: Place) -> None:
        super().__init__()
        inner = width // 4
        self.reduce = _pointwise(inputs, inner)
        self.streams = nn.ModuleList(nn.Sequential(*(_lite(inner) for _ in range(depth))) for depth in range(1, 5))
        self.gate = Gate(inner)
        self.expand = nn.Conv2d(inner, width, 1, bias=False)
        self.norm = _instance(width) if place == "residual" else nn.BatchNorm2d(width)
        self.sum_norm = _instance(width) if place == "sum" else nn.Identity()
        self.around = nn.Sequential()
        if inputs != width:
            self.around = nn.Sequential(nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, maps: Tensor) -> Tensor:
        reduced = self.reduce(maps)
        scales = torch.stack([self.gate(stream(reduced)) for stream in self.streams]).sum(0)
        return torch.relu(self.sum_norm(self.norm(self.expand(scales)) + self.around(maps)))


class OSNet(Backbone):
    """Pictures (n, 3, H, W) to maps (n, widths[-1], H / 16, W / 16); a stage ends at the size of the next."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        stem, *widths = (int(channels * settings.width) for channels in CHANNELS)
        norm = nn.BatchNorm2d(stem) if settings.instance == "none" else _instance(stem)
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 7, 2, 3, bias=False), norm, nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1)
        )
        first, second, third = widths
        places = PLACES[settings.instance]
        self.stages = nn.ModuleList(
            [
                nn.Sequential(*_blocks(stem, first, places[:2]), _halve(first)),
                nn.Sequential(*_blocks(first, second, places[2:4]), _halve(second)),
                _last_stage(second, third, places[4:]),
            ]
        )
        self.widths = (first, second, third)


def _last_stage(inputs: int, width: int, places: tuple[Place, ...]) -> nn.Sequential:
    """Two blocks; the paper's last 1 x 1 convolution belongs to the second, so that each learner owns one."""
    shared, own = _blocks(inputs, width, places)
    return nn.Sequential(shared, nn.Sequential(own, _pointwise(width, width)))


def _blocks(inputs: int, width: int, places: tuple[Place, ...]) -> list[Block]:
    return [Block(inputs, width, places[0]), Block(width, width, places[1])]


def _halve(width: int) -> nn.Sequential:
    return nn.Sequential(_pointwise(width, width), nn.AvgPool2d(2))


def _pointwise(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())


def _lite(width: int) -> nn.Sequential:
    """Lite 3 x 3: pointwise, then depthwise."""
    return nn.Sequential(
        nn.Conv2d(width, width, 1, bias=False),
        nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    )


def _instance(width: int) -> nn.InstanceNorm2d:
    return nn.InstanceNorm2d(width, affine=True)


def build(settings: Settings) -> OSNet:
    """The contract of a file of `networks/backbones`."""
    return OSNet(settings)
