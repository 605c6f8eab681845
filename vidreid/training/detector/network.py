"""Detectors of ultralytics' architectures as what is learnt: scores and boxes of every place, features on the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vidreid.engines.runtimes.torch import hush_ultralytics, read_module
from vidreid.errors import InputError, MissingError
from vidreid.networks.weights.checkpoint import load_into
from vidreid.training.checkpoint import read_weights

PERSON = 0
NAME = re.compile(r"yolo26[nsmlx]")
TAPS = (4, 6, 10, 16, 19, 22)  # layers: the backbone's at strides 8, 16, 32, then the neck's


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


def build_detector(architecture: str) -> nn.Module:
    """A detector of one class with new weights; of its two heads only the one whose boxes need no suppression."""
    # A path or an address would be read, or fetched.
    if not NAME.fullmatch(architecture):
        raise _unknown(architecture)
    tasks = _ultralytics()
    try:
        layout = tasks.yaml_model_load(f"{architecture}.yaml")
    except OSError:
        raise _unknown(architecture) from None
    network = tasks.DetectionModel({**layout, "nc": 1}, verbose=False)
    head = network.model[-1]
    head.cv2 = head.cv3 = None
    assert isinstance(network, nn.Module)
    return network


def _ultralytics() -> Any:
    try:
        hush_ultralytics()
        from ultralytics.nn import tasks
    except ImportError as error:
        raise MissingError(f"ultralytics is not installed ({error})", "pip install ultralytics") from None
    return tasks


def _unknown(architecture: str) -> InputError:
    return InputError(f"no architecture {architecture!r} of ultralytics", "yolo26n, yolo26s, ...")


def begin(architecture: str, start: str, seed: int, say: Callable[[str], None]) -> nn.Module:
    """A detector with the weights of the file ``start``, or new ones drawn by ``seed`` where it is empty."""
    torch.manual_seed(seed)
    network = build_detector(architecture)
    if start:
        path = Path(start).expanduser()
        load_into(network, read_weights(path)[0], path.name)
        say(f"begins with {path.name}")
    return network


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


def open_teacher(wanted: str, device: str) -> tuple[nn.Module, str]:
    """A trained detector of ultralytics to learn from, and its file's SHA-256.

    ``wanted`` is a registered name or the path of a .pt, which is a pickle and so must be registered by that SHA-256.
    """
    try:
        from vidreid.engines.registry import file_sha256, is_registered, read_registry
        from vidreid.engines.weights import find_model
    except ImportError as error:
        raise MissingError(f"no registry of teachers ({error})", "pip install pydantic platformdirs") from None
    from vidreid.resources import home

    path = Path(wanted).expanduser()
    if path.suffix != ".pt" and not path.is_file():
        path = find_model(wanted, "detector", offline=True, announce=print).path
    if not path.is_file():
        raise InputError(f"{wanted}: no such file", "--teacher yolo26n, or the path of a .pt")
    if path.suffix != ".pt":
        raise InputError(f"{path.name}: its features cannot be read", "--teacher yolo26n, or a .pt of ultralytics")
    if not is_registered(path, read_registry()):
        raise InputError(
            f"{path.name}: a pickled checkpoint can run any code and this one is not registered",
            f"where you trust it: name it with its SHA-256 under models: in {home() / 'models.yaml'}",
        )
    teacher = read_module(path, trusted=True)
    if not getattr(teacher.model[-1], "one2one", None):
        raise InputError(f"{path.name}: its boxes need suppression", "take a YOLO26")
    teacher = teacher.float().eval().requires_grad_(False).to(device, memory_format=torch.channels_last)
    assert isinstance(teacher, nn.Module)
    return teacher, file_sha256(path)
