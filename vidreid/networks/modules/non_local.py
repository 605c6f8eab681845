"""Non-local blocks (Wang et al., CVPR 2018), the comparison of TCLNet's table 4b (base.+NL)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from vidreid.networks.modules.temporal import Temporal


class NonLocal(Temporal):
    """Each position of a clip attends to all others: embedded Gaussian, half the channels inside.

    Keys and values are max-pooled by 2 in time, height and width. Neither bias nor normalisation: this layout, after
    each of the four blocks of stage 2, meets the paper's GFLOPs and parameters, which is all that it tells. The last
    convolution starts at zero, so a new block changes nothing.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 2
        self.query, self.key, self.value = (nn.Conv2d(channels, inner, 1, bias=False) for _ in range(3))
        self.out = nn.Conv2d(inner, channels, 1, bias=False)
        nn.init.zeros_(self.out.weight)

    def forward(self, maps: Tensor, frames: int = 1) -> Tensor:
        queries = _clips(self.query(maps), frames).flatten(2)
        keys, values = (_pooled(_clips(conv(maps), frames)) for conv in (self.key, self.value))
        weights = (queries.transpose(1, 2) @ keys).softmax(2)
        answers = (weights @ values.transpose(1, 2)).unflatten(1, (frames, -1)).flatten(0, 1).transpose(1, 2)
        return maps + self.out(answers.unflatten(2, maps.shape[2:]))


def _clips(maps: Tensor, frames: int) -> Tensor:
    """Maps (B * T, c, H, W) as volumes (B, c, T, H, W)."""
    return maps.unflatten(0, (-1, frames)).transpose(1, 2)


def _pooled(volumes: Tensor) -> Tensor:
    """Volumes (B, c, T, H, W) halved in each direction, as (B, c, positions)."""
    return functional.max_pool3d(volumes, 2, ceil_mode=True).flatten(2)
