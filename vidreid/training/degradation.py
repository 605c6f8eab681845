"""Ways in which pictures get worse, in batches on the device: (n, 3, H, W) in 0..1, a strength a picture."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

REACH = 3  # half of the blur's window: enough for a sigma of 1.5, close for 2


def erase(pictures: Tensor, boxes: Tensor, wanted: Tensor, cover: Tensor) -> Tensor:
    """The ``wanted`` (n,) pictures with what lies in their ``boxes`` (n, 4; shares) taken from ``cover``.

    ``cover`` (n, 3, H, W), or 1 where a size does not matter.
    """
    height, width = pictures.shape[2:]
    rows = (torch.arange(height, device=pictures.device) + 0.5)[None] / height
    columns = (torch.arange(width, device=pictures.device) + 0.5)[None] / width
    left, top, right, bottom = boxes[:, :, None].unbind(1)
    inside = ((rows >= top) & (rows < bottom))[:, :, None] & ((columns >= left) & (columns < right))[:, None, :]
    inside = inside & wanted[:, None, None]
    return torch.where(inside[:, None], cover, pictures)


def blur(pictures: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur, ``sigma`` (n,) in pixels; 0 leaves a picture as it is."""
    count, channels, height, width = pictures.shape
    place = torch.arange(-REACH, REACH + 1, device=pictures.device)
    window = torch.exp(-0.5 * (place[None] / sigma.clamp(min=1e-3)[:, None]) ** 2)
    window = (window / window.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    flat = functional.pad(pictures.reshape(1, -1, height, width), [REACH] * 4, mode="replicate")
    groups = count * channels
    flat = functional.conv2d(flat, window[:, None, :, None], groups=groups)
    return functional.conv2d(flat, window[:, None, None, :], groups=groups).view(pictures.shape)


def low_resolution(pictures: Tensor, factor: Tensor) -> Tensor:
    """Shrunk by ``factor`` (n,) >= 1 and scaled up again, as small people are; steps of a half."""
    steps = (factor * 2).round() / 2
    result = pictures
    for step in (1.5, 2.0, 2.5, 3.0, 3.5, 4.0):
        chosen = (steps == step).nonzero()[:, 0]
        if len(chosen):
            size = [max(1, round(side / step)) for side in pictures.shape[2:]]
            small = functional.interpolate(pictures[chosen], size, mode="bilinear", antialias=True)
            large = functional.interpolate(small, pictures.shape[2:], mode="bilinear", align_corners=False)
            result = result.index_copy(0, chosen, large)
    return result


def recompress(pictures: Tensor, strength: Tensor) -> Tensor:
    """The loss of JPEG at ``strength`` (n,) 0 (none) to 1 (quality of about 15): 8 x 8 DCT, rounded by its tables.

    ITU-T T.81, annex K; colours are kept at full resolution.
    """
    rows, columns = pictures.shape[2:]
    padded = functional.pad(pictures, (0, -columns % 8, 0, -rows % 8), mode="replicate")
    count, _, height, width = padded.shape
    dct = _dct(pictures.device)
    ycc = torch.einsum("ij,njhw->nihw", _YCC.to(pictures), padded * 255 - 128)
    blocks = ycc.view(count, 3, height // 8, 8, width // 8, 8).transpose(3, 4)
    spectrum = dct @ blocks @ dct.T
    tables = torch.stack([_LUMA, _CHROMA, _CHROMA]).to(pictures)
    step = (strength.view(-1, 1, 1, 1, 1, 1) * 3.3) * tables.view(1, 3, 1, 1, 8, 8)
    step = step.clamp(min=1e-3)
    blocks = dct.T @ ((spectrum / step).round() * step) @ dct
    ycc = blocks.transpose(3, 4).reshape(count, 3, height, width)
    rgb = torch.einsum("ij,njhw->nihw", torch.linalg.inv(_YCC).to(pictures), ycc)[:, :, :rows, :columns]
    return torch.where(strength.view(-1, 1, 1, 1) > 0, (rgb + 128) / 255, pictures)


def _dct(device: torch.device) -> Tensor:
    """The orthonormal DCT-II of 8 numbers."""
    place = torch.arange(8, device=device, dtype=torch.float32)
    matrix = torch.cos(math.pi / 8 * (place[None] + 0.5) * place[:, None]) / 2
    matrix[0] /= math.sqrt(2)
    return matrix


_YCC = torch.tensor([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
_LUMA = torch.tensor(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    dtype=torch.float32,
)
_CHROMA = torch.full((8, 8), 99.0)
_CHROMA[:4, :4] = torch.tensor([[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]])
