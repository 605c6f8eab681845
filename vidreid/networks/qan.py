"""Quality-aware weighting of frames (QAN; Liu et al., CVPR 2017), as the AFA paper's baseline QAN* and under AFA.

The branch that judges a frame reads the frame's vector; Liu et al. read an early layer of another backbone, and the
AFA paper, which says "the same backbone", does not describe it.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from vidreid.networks import Features, VideoNetwork
from vidreid.networks.afa import Scope, vary
from vidreid.networks.average import Feature, Metric, frame_vectors
from vidreid.networks.backbones import Backbone, Pool


@dataclass(frozen=True)
class Settings:
    """``sigma``: None is plain QAN; a number puts AFA on top, with that standard deviation of its coefficient,
    drawn once a ``delta_scope``. ``feature`` and ``metric`` as in `average`."""

    pool: Pool = "mean"
    sigma: float | None = None
    delta_scope: Scope = "batch"
    feature: Feature = "raw"
    metric: Metric = "euclidean"


class QAN(VideoNetwork):
    """Clips (B, T, 3, H, W) to the mean of their frames' vectors, weighted by quality: (B, d)."""

    def __init__(self, backbone: Backbone, settings: Settings) -> None:
        super().__init__(backbone.widths[-1])
        self.backbone = backbone
        self.quality = nn.Linear(self.width, 1)
        self.settings = settings
        self.after_neck = settings.feature == "bn"
        self.metric = settings.metric

    def features(self, clips: Tensor) -> Features:
        frames = frame_vectors(self.backbone, clips, self.settings.pool)
        # q / sum(q) with q = sigmoid(w X + b), which cannot divide by zero.
        weights = logsigmoid(self.quality(frames).float()).softmax(1)
        coherent = (weights * frames).sum(1)
        if not self.training or self.settings.sigma is None:
            return Features((coherent,), (frames,))
        varied = vary(frames, coherent, self.settings.sigma, self.settings.delta_scope)
        return Features((coherent,), (frames,), (varied,))


def build(backbone: Backbone, settings: Settings) -> QAN:
    """The contract of a file of `networks`."""
    return QAN(backbone, settings)
