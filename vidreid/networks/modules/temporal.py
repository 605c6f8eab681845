"""Blocks that look across the frames of a clip, between blocks that see single pictures."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn


class Temporal(nn.Module):  # type: ignore[misc]
    """A block on maps (B * T, C, H, W), the T frames of a clip in a row; one frame a clip unless told otherwise."""

    def forward(self, maps: Tensor, frames: int = 1) -> Tensor:
        raise NotImplementedError


def run(blocks: Iterable[nn.Module], maps: Tensor, frames: int) -> Tensor:
    """Maps (B * T, C, H, W) through ``blocks`` in order; those that are `Temporal` are told that T is ``frames``."""
    for block in blocks:
        maps = block(maps, frames) if isinstance(block, Temporal) else block(maps)
    return maps


def looks_across(network: nn.Module) -> bool:
    """Whether a network has a block that sees several frames at once."""
    return any(isinstance(module, Temporal) for module in network.modules())
