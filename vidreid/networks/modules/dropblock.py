"""DropBlock (Ghiasi et al., NeurIPS 2018), the comparison of TCLNet's table 4a."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class DropBlock(nn.Module):  # type: ignore[misc]
    """In training, zeroes random squares of maps (n, c, H, W), alike in all channels, and scales up the rest.

    About ``share`` of the positions go, in squares of ``size`` (odd) that lie inside the map.
    """

    def __init__(self, share: float = 0.1, size: int = 3) -> None:
        super().__init__()
        self.share = share
        self.size = size

    def forward(self, maps: Tensor) -> Tensor:
        if not self.training:
            return maps
        kept = self._kept(maps)
        return maps * kept * (kept.numel() / kept.sum().clamp_min(1))

    def _kept(self, maps: Tensor) -> Tensor:
        count, _, height, width = maps.shape
        size = min(self.size, height, width)
        places = (count, 1, height - size + 1, width - size + 1)
        rate = self.share * height * width / (size**2 * places[2] * places[3])
        corners = (torch.rand(places, device=maps.device) < rate).to(maps.dtype)
        # A corner darkens the square right of and below it.
        edge = size - 1
        return 1 - functional.max_pool2d(functional.pad(corners, (edge, edge, edge, edge)), size, 1)
