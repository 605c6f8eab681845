"""What cameras, detectors and weather do to pictures of people, drawn at random; the same for all frames of a clip.

Pictures are made worse on the device, in batches. All draws come from one generator of that device, so a seed repeats
them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from vidreid.networks import MEAN
from vidreid.training.degradation import blur, erase, low_resolution, recompress


@dataclass(frozen=True)
class Augmentation:
    """Chances 0..1 of each, and how strong it may become; the papers use ``flip`` and ``erase`` alone.

    ``jitter``: the box moves and grows by up to this share of its sides, as detectors make it; ``frame_jitter``
    the same from frame to frame. ``colour``: white balance, exposure, contrast, saturation. ``blur`` in focus,
    ``small`` pictures of down to a quarter of the size, ``noise``, ``jpeg``. ``erase`` covers
    ``erase_area`` of the picture with ImageNet's ``mean`` colour, or with any colour or another clip's pixels
    (``mixed``), as when somebody stands in front; ``consistent``: the same box in all frames of a clip
    (AFA, section 3.3), else one a frame.
    """

    flip: float = 0.5
    jitter: float = 0.0
    frame_jitter: float = 0.0
    colour: float = 0.0
    grey: float = 0.0
    blur: float = 0.0
    small: float = 0.0
    noise: float = 0.0
    jpeg: float = 0.0
    erase: float = 0.0
    erase_area: tuple[float, float] = (0.02, 0.4)
    erase_with: Literal["mean", "mixed"] = "mean"
    consistent: bool = True


def augment(clips: Tensor, boxes: Tensor, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Clips (B, T, 3, H, W) uint8, with persons' ``boxes`` (B, T, 4) as shares of the picture, to float 0..1 views."""
    count, frames = clips.shape[:2]
    draw = _Draw(count, frames, generator)
    pictures = clips.flatten(0, 1).float() / 255
    pictures = _cut(pictures, boxes.flatten(0, 1), settings, draw)
    if settings.colour or settings.grey:
        pictures = _colours(pictures, settings, draw)
    if settings.erase:
        pictures = erase(pictures, *_holes(pictures, settings, draw), _cover(pictures, settings, draw))
    if settings.blur:
        pictures = blur(pictures, draw.chance(settings.blur) * draw.between(0.4, 2.0))
    if settings.small:
        pictures = low_resolution(pictures, 1 + draw.chance(settings.small) * draw.between(0.5, 3.0))
    if settings.noise:
        strength = draw.chance(settings.noise) * draw.between(0.0, 0.06)
        pictures = pictures + strength.view(-1, 1, 1, 1) * draw.normal(pictures.shape)
    if settings.jpeg:
        pictures = recompress(pictures, draw.chance(settings.jpeg) * draw.between(0.2, 1.0))
    return pictures.clamp(0, 1).view(count, frames, *pictures.shape[1:])


class _Draw:
    """Random numbers a clip (the same for its frames) or a frame, as one row a picture."""

    def __init__(self, clips: int, frames: int, generator: torch.Generator) -> None:
        self._clips, self.frames, self._generator = clips, frames, generator

    def uniform(self, *, per_frame: bool = False, width: int = 1) -> Tensor:
        """Numbers in 0..1, (pictures, width)."""
        rows = self._clips * self.frames if per_frame else self._clips
        drawn = torch.rand(rows, width, generator=self._generator, device=self._generator.device)
        return drawn if per_frame else drawn.repeat_interleave(self.frames, 0)

    def between(self, low: float, high: float) -> Tensor:
        """Numbers in low..high, (pictures,)."""
        return low + (high - low) * self.uniform()[:, 0]

    def chance(self, share: float) -> Tensor:
        """1 in ``share`` of the clips, else 0, (pictures,)."""
        return (self.uniform()[:, 0] < share).float()

    def normal(self, shape: torch.Size) -> Tensor:
        return torch.randn(shape, generator=self._generator, device=self._generator.device)


def _cut(pictures: Tensor, boxes: Tensor, settings: Augmentation, draw: _Draw) -> Tensor:
    """The person's box, moved and grown at random, at the pictures' size; mirrored for whole clips."""
    moves = (draw.uniform(width=4) * 2 - 1) * settings.jitter
    if settings.frame_jitter:
        moves = moves + (draw.uniform(per_frame=True, width=4) * 2 - 1) * settings.frame_jitter
    sides = boxes[:, 2:] - boxes[:, :2]
    low, high = boxes[:, :2] + moves[:, :2] * sides, boxes[:, 2:] + moves[:, 2:] * sides
    scale = high - low
    centre = low + high - 1
    mirror = 1 - 2 * (draw.uniform()[:, 0] < settings.flip).float()
    matrix = torch.zeros(len(pictures), 2, 3, device=pictures.device)
    matrix[:, 0, 0] = scale[:, 0] * mirror
    matrix[:, 1, 1] = scale[:, 1]
    matrix[:, :, 2] = centre
    grid = functional.affine_grid(matrix, list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _colours(pictures: Tensor, settings: Augmentation, draw: _Draw) -> Tensor:
    """Gain a channel, exposure (gamma), contrast and saturation."""
    on = draw.chance(settings.colour)
    gain = torch.exp((draw.uniform(width=3) * 2 - 1) * 0.18 * on[:, None])
    gamma = torch.exp(draw.between(-0.4, 0.4) * on)
    contrast = torch.exp(draw.between(-0.3, 0.3) * on)
    colourful = torch.exp(draw.between(-0.6, 0.3) * on) * (1 - draw.chance(settings.grey))
    pictures = (pictures * gain[:, :, None, None]).clamp(1e-4, 1) ** gamma.view(-1, 1, 1, 1)
    middle = pictures.mean((1, 2, 3), keepdim=True)
    pictures = (pictures - middle) * contrast.view(-1, 1, 1, 1) + middle
    grey = (pictures * _GREY.to(pictures).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return ((pictures - grey) * colourful.view(-1, 1, 1, 1) + grey).clamp(0, 1)


_GREY = torch.tensor([0.299, 0.587, 0.114])


def _cover(pictures: Tensor, settings: Augmentation, draw: _Draw) -> Tensor:
    """What stands in front: (pictures, 3, H, W), or with sizes of 1 where it is of one colour."""
    if settings.erase_with == "mean":
        return torch.tensor(MEAN).to(pictures).view(1, 3, 1, 1)
    drawn = draw.uniform(width=4)
    clips = pictures.unflatten(0, (-1, draw.frames))
    other = clips.roll(len(clips) // 2, 0).flatten(0, 1)
    return torch.where(drawn[:, 3, None, None, None] < 0.5, drawn[:, :3, None, None], other)


def _holes(pictures: Tensor, settings: Augmentation, draw: _Draw) -> tuple[Tensor, Tensor]:
    """Boxes to erase as shares of the picture (pictures, 4), and whether (pictures,).

    Area and shape as in Random Erasing (Zhong et al., AAAI 2020): height to width, in pixels, 0.3 to 3.3, of those
    shapes that fit into the picture.
    """
    height, width = pictures.shape[2:]
    number = draw.uniform(per_frame=not settings.consistent, width=5)
    area = settings.erase_area[0] + (settings.erase_area[1] - settings.erase_area[0]) * number[:, 0]
    # Logarithms of shapes, as ratios of shares: those wanted, cut to those whose sides are 0.95 at most.
    square, fits = math.log(width / height), torch.log(0.95**2 / area)
    flat, tall = (-fits).clamp(min=square + math.log(0.3)), fits.clamp(max=square - math.log(0.3))
    shape = torch.exp(flat + (tall - flat) * number[:, 1])
    rows, columns = torch.sqrt(area * shape), torch.sqrt(area / shape)
    top, left = number[:, 2] * (1 - rows), number[:, 3] * (1 - columns)
    return torch.stack([left, top, left + columns, top + rows], 1), number[:, 4] < settings.erase
