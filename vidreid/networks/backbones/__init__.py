"""Networks of single pictures, cut into named stages, that video networks are built on: a file a backbone."""

from __future__ import annotations

from typing import Literal

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
    """Maps (n, c, h, w) to vectors (n, c): the mean over positions, the maximum, or the sum of both."""
    if kind == "mean":
        return maps.mean((2, 3))
    if kind == "max":
        return maps.amax((2, 3))
    return maps.mean((2, 3)) + maps.amax((2, 3))
