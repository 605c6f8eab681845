"""ResNet-50 (He et al., CVPR 2016), the backbone of both papers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from torch import Tensor, nn

from vidreid.errors import InputError
from vidreid.networks.backbones import Backbone
from vidreid.networks.modules.temporal import Temporal
from vidreid.networks.modules.temporal_conv import TemporalConv, centred

DEPTHS = (3, 4, 6, 3)
WIDTHS = (256, 512, 1024, 2048)
_STEM = {"conv1": "stem.0", "bn1": "stem.1"}


@dataclass(frozen=True, slots=True)
class Settings:
    """``last_stride`` of stage 4: 1 keeps its maps at 16 x 8, as both papers do; 2 is ImageNet's.
    ``inflate`` lets the first convolution of every block look at the frames before and after (base.+3D).
    """

    last_stride: int = 1
    inflate: bool = False


class ResNet50(Backbone):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.widths = WIDTHS
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        )
        block = InflatedBottleneck if settings.inflate else Bottleneck
        strides = (1, 2, 2, settings.last_stride)
        before = (64, *WIDTHS)
        self.stages = nn.ModuleList(
            nn.Sequential(
                block(before[stage], WIDTHS[stage], strides[stage]),
                *(block(WIDTHS[stage], WIDTHS[stage]) for _ in range(DEPTHS[stage] - 1)),
            )
            for stage in range(4)
        )
        for module in self.modules():
            # Temporal convolutions have their own start: a centre between zeros.
            if isinstance(module, nn.Conv2d) and module.kernel_size[0] == module.kernel_size[1]:
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


class Bottleneck(nn.Module):  # type: ignore[misc]
    """1x1, 3x3 (which carries the stride) and 1x1 convolution around a shortcut, in torchvision's names."""

    def __init__(self, channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        inner = width // 4
        self.conv1 = self._reduce(channels, inner)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if channels != width or stride != 1:
            shortcut = nn.Conv2d(channels, width, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(width))

    def forward(self, maps: Tensor) -> Tensor:
        return self._finish(self.conv1(maps), maps)

    def _reduce(self, channels: int, inner: int) -> nn.Module:
        return nn.Conv2d(channels, inner, 1, bias=False)

    def _finish(self, reduced: Tensor, maps: Tensor) -> Tensor:
        inner = self.relu(self.bn1(reduced))
        inner = self.relu(self.bn2(self.conv2(inner)))
        shortcut = maps if self.downsample is None else self.downsample(maps)
        return self.relu(self.bn3(self.conv3(inner)) + shortcut)


class InflatedBottleneck(Bottleneck, Temporal):
    """A bottleneck whose first convolution is 3x1x1 over time."""

    def forward(self, maps: Tensor, frames: int = 1) -> Tensor:
        return self._finish(self.conv1(maps, frames), maps)

    def _reduce(self, channels: int, inner: int) -> nn.Module:
        return TemporalConv(channels, inner)


def build(settings: Settings) -> Backbone:
    """ResNet-50 with random weights; `load_torchvision` gives it ImageNet's."""
    return ResNet50(settings)


def load_torchvision(backbone: Backbone, state: Mapping[str, Tensor]) -> None:
    """Fill a backbone of `build` from a state dict under torchvision's names.

    ``fc`` is left out; where the dict holds nothing of ``layer4``, stage 4 keeps the weights that it has. Inflated
    convolutions take the 1x1 weights as their centre. Anything else amiss is an `InputError`.
    """
    target = backbone.state_dict()
    ours = {_renamed(name, target): value for name, value in state.items() if not name.startswith("fc.")}
    stages = backbone.stages if any(name.startswith("stages.3.") for name in ours) else backbone.stages[:-1]
    wanted = {*backbone.stem.state_dict(prefix="stem."), *stages.state_dict(prefix="stages.")}
    missing = sorted(name for name in wanted - ours.keys() if not name.endswith("num_batches_tracked"))
    unknown = sorted(ours.keys() - target.keys())
    if missing or unknown:
        _refuse(f"{len(missing)} missing, {len(unknown)} unknown, such as {(missing + unknown)[0]}")
    for name, value in ours.items():
        fitted = centred(value) if name.endswith("conv1.conv.weight") else value
        if fitted.shape != target[name].shape:
            _refuse(f"{name} is {tuple(fitted.shape)}, not {tuple(target[name].shape)}")
        target[name].copy_(fitted)


def _renamed(name: str, target: Mapping[str, Tensor]) -> str:
    """``layer3.0.conv1.weight`` is ``stages.2.0.conv1.weight`` here, ``bn1.bias`` is ``stem.1.bias``."""
    first, _, rest = name.partition(".")
    if not (first.startswith("layer") and first[5:].isdigit()):
        return f"{_STEM.get(first, first)}.{rest}"
    ours = f"stages.{int(first[5:]) - 1}.{rest}"
    inflated = ours.replace(".conv1.weight", ".conv1.conv.weight")
    return inflated if inflated in target else ours


def _refuse(why: str) -> NoReturn:
    raise InputError(f"weights of the backbone: {why}", "give a file of torchvision's resnet50")
