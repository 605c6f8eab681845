"""PyTorch: the reference runtime. Loads checkpoints; slow on a CPU, and what other runtimes are compared with."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidreid.engines.slots import Slot, SlotEngine
from vidreid.errors import InputError
from vidreid.types import Array, Engine, InputSpec, Model, ModelSpec


def available() -> str | None:
    """None: torch is part of the base install."""
    return None


def load(model: Model, *, streams: int) -> Engine:
    """A torch module in evaluation mode behind the engine interface; one batch at a time."""
    trusted = bool(getattr(model, "trusted", False))
    module = read_module(model.path, trusted=trusted) if model.path.suffix == ".pt" else model.module()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    spec = model.spec
    clip = (spec.frames,) if spec.frames > 1 else ()
    slot = _slot(module.float().eval().to(device), spec, device)
    return SlotEngine([slot], (1, *clip, *spec.input.size, 3), ["output0"])


def read_module(path: Path, *, trusted: bool) -> Any:
    """The network of an ultralytics checkpoint. These are pickles: only registered or trusted files are opened."""
    if not trusted:
        raise InputError(
            f"{path.name}: a pickled checkpoint can run any code and this one is not registered",
            "export it to ONNX where you trust it, or pass --trust-checkpoint",
        )
    with contextlib.suppress(ImportError):
        hush_ultralytics()
    try:
        found = torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # a pickle raises whatever its contents raise
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"{path.name}: torch cannot load it: {reason}", "export the network again") from None
    module = found.get("ema") or found.get("model") if isinstance(found, dict) else found
    if not isinstance(module, torch.nn.Module):
        raise InputError(f"{path.name}: holds no network", "give an ultralytics checkpoint, an ONNX or an IR")
    return module


def hush_ultralytics() -> None:
    """Import ultralytics so that it neither connects, installs nor speaks; `ImportError` where it is missing."""
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_VERBOSE", "false")
    from ultralytics.utils import SETTINGS

    SETTINGS.update({"sync": False})


def _slot(module: torch.nn.Module, spec: ModelSpec, device: str) -> Slot:
    """A module as a function of images. Networks of clips take uint8, as their ONNX does; others get it normalised."""
    prepare = torch.nn.Identity() if spec.frames > 1 else _normalised(spec.input, device)

    def forward(images: Array) -> dict[str, Array]:
        with torch.inference_mode():
            found = module(prepare(torch.from_numpy(images).to(device)))
            first = found[0] if isinstance(found, (tuple, list)) else found
            return {"output0": first.float().cpu().numpy()}

    return forward


def _normalised(spec: InputSpec, device: str) -> Callable[[Tensor], Tensor]:
    """The function from images (n, H, W, 3), uint8 RGB, to what the network takes: (n, 3, H, W)."""
    mean = torch.tensor(spec.mean, device=device).view(1, 3, 1, 1)
    std = torch.tensor(spec.std, device=device).view(1, 3, 1, 1)

    def prepare(images: Tensor) -> Tensor:
        batch = images.permute(0, 3, 1, 2).float()
        if spec.color == "bgr":
            batch = batch.flip(1)
        return (batch / spec.scale - mean) / std

    return prepare
