"""Temporal saliency erasing (Hou et al., ECCV 2020, section 3.1): ordered learners that find different things."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from vidreid.networks.modules.erasing import Erasing, SaliencyErasing
from vidreid.networks.modules.temporal import run


class TSE(nn.Module):  # type: ignore[misc]
    """A backbone's last stage as N learners, one a frame of a segment (eqs. 1 and 2).

    They share all blocks of ``stage`` but the last, of which each owns a copy. ``channels`` D go in, ``width`` D1
    come out. One learner erases nothing and is the stage itself.
    """

    def __init__(self, stage: nn.Sequential, learners: int, channels: int, width: int, erasing: Erasing) -> None:
        super().__init__()
        self.shared = stage[:-1]
        self.learners = nn.ModuleList(deepcopy(stage[-1]) for _ in range(learners))
        erases = learners > 1 and erasing.erase != "none"
        self.erase = SaliencyErasing(channels, width, erasing) if erases else None

    def forward(self, segments: Tensor, frames: int = 1) -> list[Tensor]:
        """Maps of segments (n, N, D, H, W) to N maps (n, D1, h, w), one a learner.

        ``frames`` is how many segments in a row are of one clip, for stages that look across time.
        """
        return self.learn(segments, frames)[0]

    def learn(self, segments: Tensor, frames: int = 1) -> tuple[list[Tensor], Tensor | None]:
        """The same, and what each learner but the first was not shown (`SaliencyErasing.search`), int64 (n, N - 1);
        None where nothing is erased."""
        found: list[Tensor] = []
        templates: list[Tensor] = []
        blocks: list[Tensor] = []
        # In order, since a learner's erasing needs the vectors of those before it; all segments at once.
        for learner, maps in zip(self.learners, segments.unbind(1), strict=True):
            seen = maps
            if self.erase is not None and templates:
                seen, block = self.erase.search(maps, templates)
                blocks.append(block)
            elif self.erase is not None:
                seen = self.erase(maps, templates)
            found.append(run([*self.shared, learner], seen, frames))
            if self.erase is not None and len(found) < len(self.learners):
                templates.append(self.erase.project(found[-1].mean((2, 3))))
        return found, torch.stack(blocks, 1) if blocks else None
