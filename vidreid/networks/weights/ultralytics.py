"""Detectors of ultralytics' architectures: what they say of every place of a picture, and of its persons; as ONNX.

Imports nothing of ultralytics: a network brings its layers along.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vidreid.errors import InputError
from vidreid.networks.weights.onnx import write_onnx

PERSON = 0
TAPS = (4, 6, 10, 16, 19, 22)  # layers: the backbone's at strides 8, 16, 32, then the neck's
MOST = 300  # boxes of a picture; small ones have fewer places
STRIDES = (8, 16, 32)
FREE = dict.fromkeys((0, 2, 3), torch.export.Dim.AUTO)


@dataclass(frozen=True, eq=False)
class Dense:
    """What a detector says of every place of a batch.

    ``logits`` (B, A) of a person's score; ``boxes`` (B, A, 4) x1, y1, x2, y2 in pixels; ``centres`` (A, 2) and
    ``strides`` (A,) of the places in pixels; ``features`` of the layers `TAPS`.
    """

    logits: Tensor
    boxes: Tensor
    centres: Tensor
    strides: Tensor
    features: tuple[Tensor, ...]

    def detach(self) -> Dense:
        """The same without the way to its weights."""
        features = tuple(one.detach() for one in self.features)
        return replace(self, logits=self.logits.detach(), boxes=self.boxes.detach(), features=features)


def look(network: Any, images: Tensor) -> Dense:
    """Show a detector a batch (B, 3, H, W) in 0..1, sides multiples of 32."""
    kept: list[Tensor | None] = []
    found: Any = images
    *layers, head = network.model
    for layer in layers:
        if layer.f != -1:
            came = [layer.f] if isinstance(layer.f, int) else layer.f
            parts = [found if place == -1 else kept[place] for place in came]
            found = parts[0] if isinstance(layer.f, int) else parts
        found = layer(found)
        kept.append(found if layer.i in network.save or layer.i in TAPS else None)
    raw = head.forward_head([kept[place] for place in head.f], **head.one2one)
    centres, strides = _places(raw["feats"], images.shape[3])
    reach = raw["boxes"].transpose(1, 2).float() * strides[:, None]
    boxes = torch.cat([centres - reach[..., :2], centres + reach[..., 2:]], 2)
    features = tuple(value for value in (kept[place] for place in TAPS if place < len(kept)) if value is not None)
    return Dense(raw["scores"][:, PERSON].float(), boxes, centres, strides, features)


def _places(maps: list[Tensor], width: int) -> tuple[Tensor, Tensor]:
    """Centres (A, 2) in pixels and strides (A,) of all cells of the maps, row by row."""
    centres, strides = [], []
    for cells in maps:
        height, columns = cells.shape[2:]
        stride = width / columns
        rows = torch.arange(height, device=cells.device) + 0.5
        across = torch.arange(columns, device=cells.device) + 0.5
        y, x = torch.meshgrid(rows, across, indexing="ij")
        centres.append(torch.stack([x, y], 2).view(-1, 2) * stride)
        strides.append(torch.full((height * columns,), stride, device=cells.device))
    return torch.cat(centres), torch.cat(strides)


class Finished(nn.Module):  # type: ignore[misc]
    """Pictures (N, 3, H, W) in 0..1 to (N, n, 6): x1, y1, x2, y2 in pixels, score, class; best score first.

    n is `most`, of which there must be places: its number stays the same where the size of pictures is free.
    """

    def __init__(self, network: nn.Module, most: int = MOST) -> None:
        super().__init__()
        self.network = network
        self.most = most

    def forward(self, images: Tensor) -> Tensor:
        seen = look(self.network, images)
        scores, places = seen.logits.sigmoid().topk(self.most, dim=1)
        boxes = seen.boxes.gather(1, places[:, :, None].expand(-1, -1, 4))
        kind = torch.full_like(scores, PERSON)
        return torch.cat([boxes, scores[:, :, None], kind[:, :, None]], 2)


def boxes_of(size: tuple[int, int]) -> int:
    """How many boxes are said of a picture of ``size`` (height, width): `MOST`, or as many as it has places."""
    return min(MOST, sum((size[0] // stride) * (size[1] // stride) for stride in STRIDES))


def most_boxes(sizes: Iterable[tuple[int, int]]) -> int:
    """How many boxes are said of a picture of any of ``sizes``."""
    return min(map(boxes_of, sizes))


def write_detector(network: nn.Module, path: Path, sizes: Sequence[tuple[int, int]], *, half: bool = False) -> None:
    """Write an ONNX that takes ``images`` float32 (N, 3, H, W) in 0..1 and says `most_boxes` of ``sizes`` as `Finished`
    does. N, H and W are free; H and W are multiples of 32."""
    finished = Finished(network, most_boxes(sizes))
    write_onnx(finished, path, {"images": torch.zeros(2, 3, *sizes[0])}, ["boxes"], FREE, half=half)


def persons_alone(network: Any, name: str) -> nn.Module:
    """A copy of a network of ultralytics that knows no class but persons, which costs less; float32, in evaluation
    mode. `InputError` where its boxes would need suppression; ``name`` is its file's."""
    network = deepcopy(network).float().eval()
    head = network.model[-1]
    if getattr(head, "one2one_cv2", None) is None or head.reg_max != 1:
        raise InputError(f"{name}: its boxes need suppression", "take a YOLO26, or export it to ONNX")
    for scores in head.one2one_cv3:
        last = scores[-1]
        last.weight = nn.Parameter(last.weight[PERSON : PERSON + 1], requires_grad=False)
        last.bias = nn.Parameter(last.bias[PERSON : PERSON + 1], requires_grad=False)
        last.out_channels = 1
    head.nc = 1
    assert isinstance(network, nn.Module)
    return network
