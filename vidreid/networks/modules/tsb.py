"""Temporal saliency boosting (Hou et al., ECCV 2020, section 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidreid.networks.modules.temporal import Temporal


class TSB(Temporal):
    """E = BN(o) + Q: each frame gets what in the clip's other frames is like it. Adds 2 C parameters.

    Normalises the vector o before it is spread over the map, which is equal and cheaper. The scale starts at zero,
    so a new block changes nothing. A clip of one frame has no memory and stays as it is.
    """

    def __init__(self, channels: int, tau: float = 5.0) -> None:
        super().__init__()
        self.tau = tau
        self.norm = nn.BatchNorm1d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, maps: Tensor, frames: int = 1) -> Tensor:
        if frames == 1:
            return maps
        return maps + self.norm(recall(maps, maps, frames, self.tau))[:, :, None, None]


def recall(maps: Tensor, keys: Tensor, frames: int, tau: float) -> Tensor:
    """The memory's answer o (B * T, C) to each frame's mean (eq. 6): the local descriptors of the other frames,
    weighted by the softmax of ``tau`` times the cosine between the mean and their ``keys``.

    ``maps``, ``keys`` (B * T, C, H, W); T = ``frames`` is two or more.
    """
    queries = functional.normalize(maps.mean((2, 3)), dim=1).unflatten(0, (-1, frames))
    addresses = _descriptors(functional.normalize(keys, dim=1), frames)
    scores = (tau * queries @ addresses.transpose(1, 2)).unflatten(2, (frames, -1))
    own = torch.eye(frames, dtype=torch.bool, device=maps.device)[:, :, None]
    weights = scores.masked_fill(own, float("-inf")).flatten(2).softmax(2)
    return (weights @ _descriptors(maps, frames)).flatten(0, 1)


def _descriptors(maps: Tensor, frames: int) -> Tensor:
    """Maps (B * T, C, H, W) as local descriptors (B, T * H * W, C)."""
    return maps.flatten(2).transpose(1, 2).unflatten(0, (-1, frames)).flatten(1, 2)
