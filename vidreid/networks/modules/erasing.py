"""The saliency erasing operation, SEO (Hou et al., ECCV 2020, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidreid.errors import InputError


@dataclass(frozen=True, slots=True)
class Erasing:
    """How SEO erases.

    ``erase`` says what is left of a map F, which the paper does not: ``gate`` is F B (1 + G), without parameters;
    ``residual-context`` is F B + BN(W sum(G F) + b), as in the released program, D (D + 3) parameters; ``none`` is all
    of it (TSE-wo-SEO). ``block_height``, ``block_width`` in positions of the map (width 0: the whole width);
    ``strides`` of the search, down and across. ``gate_mask``: the softmax of the gate is masked ``after``, as eq. 5 has
    it, or taken over what is kept (``before``). ``scale`` divides correlations by sqrt(D), or that softmax saturates.
    ``detach`` cuts the gradient from a correlation to the learner whose vector it follows.
    """

    erase: Literal["gate", "residual-context", "none"] = "gate"
    block_height: int = 3
    block_width: int = 0
    strides: tuple[int, int] = (1, 1)
    gate_mask: Literal["after", "before"] = "after"
    scale: bool = True
    detach: bool = True


class SaliencyErasing(nn.Module):  # type: ignore[misc]
    """Takes from a frame's map what earlier learners have found in their frames.

    ``channels`` D of the maps, ``width`` D1 of the learners' vectors; one projection w for all frames (eq. 3). From
    the third frame on, eq. 5 multiplies signed correlations, so that two negative ones give a high gate: its letter.
    """

    def __init__(self, channels: int, width: int, settings: Erasing) -> None:
        super().__init__()
        self.settings = settings
        self.projection = nn.Linear(width, channels, bias=False)
        nn.init.normal_(self.projection.weight, std=(2 / channels) ** 0.5)
        self.context = Context(channels) if settings.erase == "residual-context" else None

    def project(self, found: Tensor) -> Tensor:
        """A learner's vectors f_k (n, D1) as templates w^T f_k (n, D) of what to look for."""
        return self.projection(found.detach() if self.settings.detach else found)

    def forward(self, maps: Tensor, templates: list[Tensor]) -> Tensor:
        """Maps (n, D, H, W) without the block that is most like each template (n, D); the first frame has none."""
        kept, score = self._kept_and_score(maps, templates)
        gate = gate_map(score, kept, self.settings.gate_mask)
        if self.context is None:
            return maps * (kept * (1 + gate)).unsqueeze(1).to(maps.dtype)
        return maps * kept.unsqueeze(1).to(maps.dtype) + self.context(maps, gate)

    def _kept_and_score(self, maps: Tensor, templates: list[Tensor]) -> tuple[Tensor, Tensor]:
        if not templates:
            ones = torch.ones_like(maps[:, 0], dtype=torch.float32)
            return ones, ones
        scale = maps.shape[1] ** -0.5 if self.settings.scale else 1.0
        # Half precision could not hold a product of three of them.
        correlations = correlate(maps, torch.stack(templates, 1)).float() * scale
        block = (self.settings.block_height, self.settings.block_width or maps.shape[3])
        return block_mask(correlations, block, self.settings.strides).prod(1), correlations.prod(1)


class Context(nn.Module):  # type: ignore[misc]
    """What a gate looks at, added everywhere: maps (n, D, H, W) and gates (n, H, W) to (n, D, 1, 1); zero at first."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)
        nn.init.normal_(self.conv.weight, std=(2 / channels) ** 0.5)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, maps: Tensor, gate: Tensor) -> Tensor:
        seen = maps.flatten(2) @ gate.flatten(1).unsqueeze(2)
        return self.norm(self.conv(seen.unsqueeze(3)))


def correlate(maps: Tensor, templates: Tensor) -> Tensor:
    """Dot products (n, k, H, W) of local descriptors (n, D, H, W) with templates (n, k, D): eq. 3."""
    return (templates @ maps.flatten(2)).unflatten(2, maps.shape[2:])


def block_mask(correlations: Tensor, block: tuple[int, int], strides: tuple[int, int]) -> Tensor:
    """Zero inside the block of the largest sum, one elsewhere (n, k, H, W), for each map of ``correlations``.

    The block moves by ``strides`` and never leaves the map: (floor((H - h) / s_h) + 1) (floor((W - w) / s_w) + 1)
    places, of which the first in reading order wins a tie. An `InputError` where it does not fit.
    """
    size = correlations.shape[2:]
    if any(edge > room for edge, room in zip(block, size, strict=True)):
        raise InputError(f"erasing: no room for a block of {block} on a map of {tuple(size)}", "make the block smaller")
    means = functional.avg_pool2d(correlations, block, strides)  # largest where the sum is
    best = means.flatten(2).argmax(2)[:, :, None, None]
    columns = means.shape[3]
    tops = torch.div(best, columns, rounding_mode="floor") * strides[0]
    lefts = best % columns * strides[1]
    rows = torch.arange(size[0], device=best.device)[:, None]
    across = torch.arange(size[1], device=best.device)
    inside = (rows >= tops) & (rows < tops + block[0]) & (across >= lefts) & (across < lefts + block[1])
    return (~inside).to(correlations.dtype)


def gate_map(score: Tensor, kept: Tensor, masked: Literal["after", "before"]) -> Tensor:
    """G (n, H, W): the softmax of ``score`` over positions, zero where ``kept`` is (eq. 5).

    ``masked`` before the softmax, it sums to one over what is kept.
    """
    if masked == "before":
        # Not -inf: where blocks cover the whole map, that would be not a number.
        score = score.masked_fill(kept == 0, torch.finfo(score.dtype).min)
    return score.flatten(1).softmax(1).view_as(score) * kept
