"""The saliency erasing operation, SEO (Hou et al., ECCV 2020, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
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
        if not templates:
            ones = torch.ones_like(maps[:, 0], dtype=torch.float32)
            return self._without(maps, ones, ones)
        return self.search(maps, templates)[0]

    def search(self, maps: Tensor, templates: list[Tensor]) -> tuple[Tensor, Tensor]:
        """The same of one template or more, and where its blocks lay, int64 (n,): the place, or the places of several
        as digits of one number."""
        scale = maps.shape[1] ** -0.5 if self.settings.scale else 1.0
        # Half precision could not hold a product of three of them.
        correlations = correlate(maps, torch.stack(templates, 1)).float() * scale
        block = (self.settings.block_height, self.settings.block_width or maps.shape[3])
        blocks = Blocks((maps.shape[2], maps.shape[3]), block, self.settings.strides)
        places = blocks.best(correlations)
        found = self._without(maps, blocks.mask(places).prod(1), correlations.prod(1))
        return found, reduce(lambda number, place: number * blocks.count + place, places.unbind(1))

    def _without(self, maps: Tensor, kept: Tensor, score: Tensor) -> Tensor:
        gate = gate_map(score, kept, self.settings.gate_mask)
        if self.context is None:
            return maps * (kept * (1 + gate)).unsqueeze(1).to(maps.dtype)
        return maps * kept.unsqueeze(1).to(maps.dtype) + self.context(maps, gate)


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


@dataclass(frozen=True, slots=True)
class Blocks:
    """Where a ``block`` (h, w) may lie on maps of ``size`` (H, W): it moves by ``strides`` and never leaves the map, so
    it has (floor((H - h) / s_h) + 1) (floor((W - w) / s_w) + 1) places, numbered in reading order.

    An `InputError` where it does not fit.
    """

    size: tuple[int, int]
    block: tuple[int, int]
    strides: tuple[int, int]

    def __post_init__(self) -> None:
        if any(edge > room for edge, room in zip(self.block, self.size, strict=True)):
            raise InputError(
                f"erasing: no room for a block of {self.block} on a map of {self.size}", "make the block smaller"
            )

    @property
    def count(self) -> int:
        """How many places there are."""
        rows, columns = (
            (room - edge) // stride + 1 for room, edge, stride in zip(self.size, self.block, self.strides, strict=True)
        )
        return rows * columns

    def best(self, correlations: Tensor) -> Tensor:
        """The place (n, k) of the largest sum of each map (n, k, H, W); the first of equal ones wins."""
        # Means are largest where sums are.
        return functional.avg_pool2d(correlations, self.block, self.strides).flatten(2).argmax(2)

    def mask(self, places: Tensor) -> Tensor:
        """Zero inside the block at each place (n, k), one elsewhere: float32 (n, k, H, W)."""
        places = places[:, :, None, None]
        columns = (self.size[1] - self.block[1]) // self.strides[1] + 1
        tops = torch.div(places, columns, rounding_mode="floor") * self.strides[0]
        lefts = places % columns * self.strides[1]
        rows = torch.arange(self.size[0], device=places.device)[:, None]
        across = torch.arange(self.size[1], device=places.device)
        below, right = tops + self.block[0], lefts + self.block[1]
        inside = (rows >= tops) & (rows < below) & (across >= lefts) & (across < right)
        return (~inside).float()


def gate_map(score: Tensor, kept: Tensor, masked: Literal["after", "before"]) -> Tensor:
    """G (n, H, W): the softmax of ``score`` over positions, zero where ``kept`` is (eq. 5).

    ``masked`` before the softmax, it sums to one over what is kept.
    """
    if masked == "before":
        # Not -inf: where blocks cover the whole map, that would be not a number.
        score = score.masked_fill(kept == 0, torch.finfo(score.dtype).min)
    return score.flatten(1).softmax(1).view_as(score) * kept
