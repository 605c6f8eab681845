"""A backbone and the mean over frames: the baseline of both papers, and with one frame an image network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from vidreid.networks import Features, VideoNetwork
from vidreid.networks.backbones import Backbone, Pool, pool
from vidreid.networks.modules.temporal import looks_across, run

Feature = Literal["raw", "bn"]
Metric = Literal["cosine", "euclidean"]


@dataclass(frozen=True)
class Settings:
    """``pool`` over a map's positions; ``feature``: the embedding before the neck (raw) or after it; its ``metric``."""

    pool: Pool = "mean"
    feature: Feature = "bn"
    metric: Metric = "cosine"


class Average(VideoNetwork):
    """Clips (B, T, 3, H, W) to the mean of their frames' vectors (B, d)."""

    def __init__(self, backbone: Backbone, settings: Settings) -> None:
        super().__init__(backbone.widths[-1])
        self.backbone = backbone
        self.pool = settings.pool
        self.after_neck = settings.feature == "bn"
        self.metric = settings.metric
        self.framewise = not looks_across(self)

    def features(self, clips: Tensor) -> Features:
        frames = frame_vectors(self.backbone, clips, self.pool)
        return Features((frames.mean(1),), (frames,))


def frame_vectors(backbone: Backbone, clips: Tensor, kind: Pool) -> Tensor:
    """The vectors X^t of each frame of clips (B, T, 3, H, W): float32 (B, T, d)."""
    maps = backbone.stem(clips.flatten(0, 1))
    for stage in backbone.stages:
        maps = run(stage, maps, clips.shape[1])
    return pool(maps, kind).unflatten(0, clips.shape[:2])


def build(backbone: Backbone, settings: Settings) -> Average:
    """The contract of a file of `networks`."""
    return Average(backbone, settings)
