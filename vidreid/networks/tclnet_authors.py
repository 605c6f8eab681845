"""The network of the released TCLNet program, which is not the paper's: its checkpoints load as they are.

Where it differs from Hou et al. (ECCV 2020): the final pooling is a maximum; a block may be centred on every row, with
zeros beyond the map's edge; erased maps get a context vector back; TSB smooths its keys and has a convolution; the
correlation is scaled and cut from the gradient. Names of modules are the program's, so that its state dicts fit.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vidreid.errors import InputError
from vidreid.networks import MEAN, STD, Features, VideoNetwork
from vidreid.networks.backbones import Backbone, resnet50
from vidreid.networks.modules.erasing import correlate, gate_map
from vidreid.networks.modules.tsb import recall
from vidreid.networks.weights.checkpoint import load_into, read_checkpoint

CLIP = 4
SEGMENT = 2
TAU = 5.0
BLOCK = 3
SIZE = (256, 128)


@dataclass(frozen=True, slots=True)
class Settings:
    """None: the released program has one form, with two learners and clips of four frames."""


class Boosting(nn.Module):  # type: ignore[misc]
    """TSB of clips of ``frames`` maps in a row: (n, C, H, W) to the same shape."""

    def __init__(self, channels: int, frames: int) -> None:
        super().__init__()
        self.frames = frames
        self.W = _scaled_from_zero(channels)

    def forward(self, maps: Tensor) -> Tensor:
        # The mean with the neighbours above and to the left, with zeros outside, always of four.
        keys = functional.avg_pool2d(functional.pad(maps, (1, 0, 1, 0)), 2, 1)
        remembered = recall(maps, keys, self.frames, TAU)
        boosted: Tensor = maps + self.W(remembered[:, :, None, None])
        return boosted


class ErasingLearners(nn.Module):  # type: ignore[misc]
    """TSE of pairs of maps (n, D, H, W): both learners' maps (n, D1, H, W)."""

    def __init__(self, stage: nn.Sequential, channels: int, width: int) -> None:
        super().__init__()
        self.layer4 = stage[:-1]
        self.branch = nn.ModuleList(deepcopy(stage[-1]) for _ in range(SEGMENT))
        self.conv_reduce = nn.Conv2d(width, channels, 1, bias=False)
        nn.init.normal_(self.conv_reduce.weight, std=(2 / channels) ** 0.5)
        self.conv_erase = _scaled_from_zero(channels)

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        return self.learn(first, second)[:2]

    def learn(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same, and the row (n,) in which the block begins that the second was not shown; -1 beyond the edge."""
        nothing = torch.zeros_like(first[:, 0])
        found = self._learn(0, self._erase(first, nothing + 1, nothing))
        template = self.conv_reduce(found.detach().mean((2, 3), keepdim=True)).flatten(2)
        correlation = correlate(second, template.transpose(1, 2)).squeeze(1) / second.shape[1] ** 0.5
        centres = block_centres(correlation)
        erased = self._erase(second, away_from(centres, correlation), correlation)
        return found, self._learn(1, erased), centres - BLOCK // 2

    def _erase(self, maps: Tensor, keep: Tensor, score: Tensor) -> Tensor:
        gate = gate_map(score, keep, "before")
        context = (maps * gate.unsqueeze(1)).sum((2, 3), keepdim=True)
        erased: Tensor = maps * keep.unsqueeze(1) + self.conv_erase(context)
        return erased

    def _learn(self, number: int, maps: Tensor) -> Tensor:
        learned: Tensor = self.branch[number](self.layer4(maps))
        return learned


class TCLNetAuthors(VideoNetwork):
    """Clips (B, T, 3, H, W), T a multiple of 4, to (B, 4096): the mean over their clips of four."""

    multiple = CLIP
    after_neck = True
    erases = True

    def __init__(self, backbone: resnet50.ResNet50) -> None:
        stages, widths = backbone.stages, backbone.widths
        super().__init__(widths[-1], SEGMENT)
        self.conv1, self.bn1 = backbone.stem[0], backbone.stem[1]
        self.layer1 = stages[0]
        self.layer2 = nn.Sequential(*stages[1], Boosting(widths[1], CLIP))
        self.layer3 = stages[2]
        self.TSE_Module = ErasingLearners(stages[3], widths[2], widths[3])
        # The same modules under the base class's name, in the state once, under the released one.
        self.bn = self.necks
        del self.necks
        object.__setattr__(self, "necks", self.bn)
        for neck in self.bn:
            nn.init.normal_(neck.weight, 1.0, 0.02)

    def features(self, clips: Tensor) -> Features:
        if clips.shape[1] % CLIP:
            raise InputError(f"tclnet-authors: clips of {clips.shape[1]} frames", "give clips of 4, 8, ... frames")
        fours = clips.unflatten(1, (-1, CLIP))
        maps = functional.relu(self.bn1(self.conv1(fours.flatten(0, 2))))
        maps = self.layer3(self.layer2(self.layer1(functional.max_pool2d(maps, 3, 2, 1))))
        maps = maps.unflatten(0, (-1, CLIP))
        # One pair after the other, as the statistics of batch normalisation are those of one frame's place.
        pairs = [self.TSE_Module.learn(maps[:, place], maps[:, place + 1]) for place in range(0, CLIP, SEGMENT)]
        *learned, tops = zip(*pairs, strict=True)
        learners = (torch.stack([found.amax((2, 3)) for found in learner]).mean(0) for learner in learned)
        rows = torch.stack(tops, 1).unflatten(0, fours.shape[:2]).flatten(1).unsqueeze(2)
        return Features(tuple(vectors.unflatten(0, fours.shape[:2]).mean(1) for vectors in learners), rows=rows)


def block_centres(correlation: Tensor) -> Tensor:
    """The row (n,) on which the block of the largest sum of maps (n, H, W) is centred; the first of equal ones wins.

    The block spans the width and is centred on every row in turn; beyond the map there are zeros.
    """
    rows = functional.pad(correlation.mean(2), (BLOCK // 2, BLOCK // 2))
    return rows.unfold(1, BLOCK, 1).sum(2).argmax(1)


def away_from(centres: Tensor, maps: Tensor) -> Tensor:
    """Zero on the rows of blocks centred there (n,), one elsewhere: of the shape of ``maps`` (n, H, W)."""
    away = (torch.arange(maps.shape[1], device=centres.device) - centres[:, None]).abs() > BLOCK // 2
    return away.to(maps.dtype).unsqueeze(2).expand_as(maps)


def _scaled_from_zero(channels: int) -> nn.Sequential:
    """A convolution and a normalisation whose scale starts at zero, so that it changes nothing at first."""
    convolution, norm = nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels)
    nn.init.normal_(convolution.weight, std=(2 / channels) ** 0.5)
    nn.init.zeros_(norm.weight)
    return nn.Sequential(convolution, norm)


def build(backbone: Backbone, settings: Settings) -> TCLNetAuthors:
    """The contract of a file of `networks`; the backbone is a plain ResNet-50 of last stride 1."""
    plain = isinstance(backbone, resnet50.ResNet50) and type(backbone.stages[0][0]) is resnet50.Bottleneck
    if not plain or backbone.stages[3][0].conv2.stride != (1, 1):
        raise InputError("tclnet-authors: its backbone is resnet50 of last stride 1, not inflated", "set that backbone")
    return TCLNetAuthors(backbone)


class ReleasedTCLNet:
    """A checkpoint of the released program and its embedding of whole tracklets."""

    def __init__(self, network: TCLNetAuthors) -> None:
        self.network = network.eval()

    def embed(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A tracklet's frames (n, 256, 128, 3), uint8 RGB in order of time, to (4096,) float32.

        Both halves have length 1: compare tracklets by the dot product, cos_1 + cos_2.
        """
        if frames.dtype != np.uint8 or frames.shape[1:] != (*SIZE, 3) or len(frames) == 0:
            raise InputError(f"tracklet: {frames.dtype} {frames.shape}", "give uint8 frames (n, 256, 128, 3), n > 0")
        clips = (_pictures(frames[start : start + CLIP]) for start in range(0, len(frames), CLIP))
        with torch.inference_mode():
            embedding: NDArray[np.float32] = embed_tracklet(self.network, clips).numpy()
        return embedding


def _pictures(frames: NDArray[np.uint8]) -> Tensor:
    """Frames (n, H, W, 3), uint8 RGB, to normalised pictures (n, 3, H, W)."""
    mean, std = (torch.tensor(color).view(3, 1, 1) for color in (MEAN, STD))
    # A copy, since torch takes neither views that run backwards nor memory that is read only.
    return (torch.from_numpy(frames.copy()).permute(0, 3, 1, 2).float() / 255 - mean) / std


def embed_tracklet(network: TCLNetAuthors, clips: Iterable[Tensor]) -> Tensor:
    """A tracklet's normalised pictures in clips (4 or, the last one, less, 3, H, W) to (4096,), each half of length 1.

    The last clip repeats its own frames; all count alike.
    """
    # One clip at a time, so that long tracklets take no more memory than short ones.
    whole = (clip[torch.arange(CLIP) % len(clip)].unsqueeze(0) for clip in clips)
    halves = zip(*[network.features(clip).vectors for clip in whole], strict=True)
    means = (torch.cat(half).mean(0, keepdim=True) for half in halves)
    return torch.cat([functional.normalize(neck(mean)) for neck, mean in zip(network.bn, means, strict=True)], 1)[0]


def load(path: Path | str) -> ReleasedTCLNet:
    """The network of a checkpoint that the released program's train.py wrote (or its state dict in any form that
    `read_checkpoint` reads), for CPU; its classifier is left out. `InputError` where it is anything else."""
    path = Path(path)
    network = TCLNetAuthors(resnet50.ResNet50(resnet50.Settings()))
    load_into(network, read_checkpoint(path), path.name)
    return ReleasedTCLNet(network)
