"""Video re-identification networks: a file a network, by whose name recipes call it (``network:``).

``build(backbone, settings)`` of each file gives a `VideoNetwork`. Backbones (`backbones`) name their stages; TSB, TSE
and the other modules of the papers (`modules`) fit any of them. Imports torch and NumPy alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

# Pictures in 0..1 less the mean, divided by the deviation: ImageNet's, a number a channel, RGB.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Features:
    """What a network says of B clips of T frames.

    ``vectors``: one (B, d) a branch, before the neck: what stands for the clip. ``frames``: one (B, t, d) a branch, the
    vectors X^t of the frames that the branch saw, of which the former is made; empty where there are none. ``varied``:
    the same, augmented, which the classifier sees instead, in training only (AFA, eq. 4); else empty. ``rows``: what
    was erased from the frames of each learner but the first, int64 (B, segments, branches - 1): the first row of its
    block. Of blocks that are narrower, or move by more, or are several, the number of their places. None where nothing
    is erased.
    """

    vectors: tuple[Tensor, ...]
    frames: tuple[Tensor, ...] = ()
    varied: tuple[Tensor, ...] = ()
    rows: Tensor | None = None


class VideoNetwork(nn.Module):  # type: ignore[misc]
    """Clips (B, T, 3, H, W), normalised RGB, to embeddings (B, branches * width), not normalised.

    ``multiple``: T must be a multiple of it (1: any T). ``necks``: one a branch, batch normalisation or identity;
    the embedding is taken after them where ``after_neck`` is set. ``metric`` is the papers' distance between
    embeddings; with cosine each branch counts alike. ``framewise``: a clip's embedding is the mean of those of its
    frames, so that a tracklet of any length is embedded frame by frame. ``erases``: `Features.rows` are said.
    """

    multiple = 1
    framewise = False
    erases = False
    metric: Literal["cosine", "euclidean"] = "cosine"
    after_neck = False

    def __init__(self, width: int, branches: int = 1, *, neck: bool = True) -> None:
        super().__init__()
        self.width = width
        self.branches = branches
        self.necks = nn.ModuleList(nn.BatchNorm1d(width) if neck else nn.Identity() for _ in range(branches))

    def features(self, clips: Tensor) -> Features:
        """The vectors of clips (B, T, 3, H, W), before the necks."""
        raise NotImplementedError

    def forward(self, clips: Tensor) -> Tensor:
        return self.embedding(self.features(clips))

    def embedding(self, features: Features) -> Tensor:
        """The embeddings (B, branches * width) that vectors stand for."""
        vectors = features.vectors
        if self.after_neck:
            vectors = tuple(neck(vector) for neck, vector in zip(self.necks, vectors, strict=True))
        return torch.cat(vectors, 1)
