"""Networks of single pictures, cut into named stages, that video networks are built on: a file a backbone."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Pool = Literal["mean", "max", "both"]


class Backbone(nn.Module):  # type: ignore[misc]
    """Pictures (n, 3, H, W) to maps (n, widths[-1], h, w) through ``stem`` and then ``stages``, in order.

    Stages are sequences of blocks; the last one has two or more, so that learners can share all but the last block.
    ``widths`` are the channels after each stage.
    """

    stem: nn.Module
    stages: nn.ModuleList
    widths: tuple[int, ...]

    def forward(self, pictures: Tensor) -> Tensor:
        maps = self.stem(pictures)
        for stage in self.stages:
            maps = stage(maps)
        return maps


def pool(maps: Tensor, kind: Pool) -> Tensor:
    """Maps (n, c, h, w) to vectors (n, c): the mean over positions, the maximum, or the sum of both.

    Float32, also of half-precision maps: a mean rounded to those would hide how little frames differ.
    """
    if kind == "max":
        return maps.amax((2, 3)).float()
    mean = maps.mean((2, 3), dtype=torch.float32)
    return mean if kind == "mean" else mean + maps.amax((2, 3))
