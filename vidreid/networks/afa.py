"""Adversarial feature augmentation (AFA; Chen, Rao et al., ECCV 2020): what stays the same over a clip's frames
counts, what changes is scaled at random while training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vidreid.errors import InputError
from vidreid.networks import Features, VideoNetwork
from vidreid.networks.average import Feature, Metric, frame_vectors
from vidreid.networks.backbones import Backbone, Pool
from vidreid.networks.modules.temporal import looks_across
from vidreid.networks.modules.tsb import TSB

Scope = Literal["batch", "clip", "frame"]
Highlight = Literal["coherence", "motion"]


@dataclass(frozen=True)
class Settings:
    """``sigma`` is the standard deviation of the coefficient delta (equation 5), drawn once a ``delta_scope``
    (Algorithm 1: once a batch); ``highlight`` motion is the reverse assumption of section 4.3. ``feature`` and
    ``metric`` as in `average`; the paper compares X_C before the neck by Euclidean distance. ``tsb`` names stages,
    from 1, that are followed by TCLNet's temporal saliency boosting, of which the paper knows nothing."""

    pool: Pool = "mean"
    sigma: float = 0.025
    delta_scope: Scope = "batch"
    highlight: Highlight = "coherence"
    feature: Feature = "raw"
    metric: Metric = "euclidean"
    tsb: tuple[int, ...] = ()


class AFA(VideoNetwork):
    """Clips (B, T, 3, H, W) to their coherent part X_C (B, d), the mean over frames (equation 2)."""

    def __init__(self, backbone: Backbone, settings: Settings) -> None:
        super().__init__(backbone.widths[-1])
        self.backbone = backbone
        self.settings = settings
        self.after_neck = settings.feature == "bn"
        self.metric = settings.metric
        self.framewise = not looks_across(self)

    def features(self, clips: Tensor) -> Features:
        settings = self.settings
        frames = frame_vectors(self.backbone, clips, settings.pool)
        coherent = frames.mean(1)
        if not self.training:
            return Features((coherent,), (frames,))
        varied = vary(frames, coherent, settings.sigma, settings.delta_scope, settings.highlight)
        return Features((coherent,), (frames,), (varied,))


def vary(
    frames: Tensor, coherent: Tensor, sigma: float, scope: Scope = "batch", highlight: Highlight = "coherence"
) -> Tensor:
    """The augmented frame vectors X' (equations 1, 3, 4 and 5): (B, T, d).

    ``frames`` X (B, T, d) are ``coherent`` X_C (B, d) plus the motion part X_D; delta, normal with mean 1 and standard
    deviation ``sigma``, scales X_D, or X_C where motion is to be highlighted.
    """
    clips, length, _ = frames.shape
    shape = {"batch": (1, 1, 1), "clip": (clips, 1, 1), "frame": (clips, length, 1)}[scope]
    delta = 1 + sigma * torch.randn(shape, device=frames.device)
    coherent = coherent[:, None]
    motion = frames - coherent
    return coherent + delta * motion if highlight == "coherence" else delta * coherent + motion


def build(backbone: Backbone, settings: Settings) -> AFA:
    """AFA on ``backbone``, whose stages get their TSB; an `InputError` where the settings name a stage it lacks."""
    count = len(backbone.stages)
    if not set(range(1, count + 1)).issuperset(settings.tsb):
        raise InputError(
            f"afa: tsb after stages {list(settings.tsb)} of {count}", f"name some of the stages 1 to {count}"
        )
    for number in settings.tsb:
        backbone.stages[number - 1].append(TSB(backbone.widths[number - 1]))
    return AFA(backbone, settings)
