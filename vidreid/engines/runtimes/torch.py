"""PyTorch: the reference runtime. Loads checkpoints; slow on a CPU, and what other runtimes are compared with."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from vidreid.engines.runtimes._cuda_graph import captured
from vidreid.engines.slots import Slot, SlotEngine, input_shape
from vidreid.errors import InputError
from vidreid.types import Array, Engine, InputSpec, Model

if TYPE_CHECKING:  # a machine that trains may lack pydantic
    from vidreid.engines.card import Card

# What is computed in 16 bits under autocast: convolutions and products; norms and softmax stay in float32.
HALVES = {"fp16": torch.float16, "bf16": torch.bfloat16}

ON_GPU = 16  # pictures or clips in a batch

Step = Callable[[Tensor], dict[str, Tensor]]


def available() -> str | None:
    """None: torch is part of the base install."""
    return None


def version() -> str:
    """PyTorch's version."""
    return str(torch.__version__)


def load(model: Model, *, streams: int, batch: int = 1, threads: int = 1) -> Engine:
    """A torch module in evaluation mode behind the engine interface: ``streams`` batches at a time on a CPU, with
    ``threads`` threads each; on a GPU one CUDA graph each. In 16 bits where ``model.precision`` says so."""
    shape = input_shape(model.spec, batch)
    trusted = bool(getattr(model, "trusted", False))
    module = read_module(model.path, trusted=trusted) if model.path.suffix == ".pt" else model.module()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    step = _step(module.float().eval().to(device), model, device)
    if device == "cuda":
        slots = [_on_gpu(captured(step, shape)) for _ in range(streams)]
    else:
        slots = [_on_cpu(step, threads)] * streams
    return SlotEngine(slots, shape, ["output0"])


def usual_batch(model: Model) -> int:
    """Pictures or clips at a time in a run: `ON_GPU` where there is one."""
    return ON_GPU if torch.cuda.is_available() else 1


def refuses(card: Card) -> str | None:
    """Why an engine must not be loaded here: torch builds none."""
    return "torch loads checkpoints, not engines"


def warns(card: Card) -> str | None:
    """Nothing: torch builds no engines."""
    return None


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


def _step(module: nn.Module, model: Model, device: str) -> Step:
    """A module as a function of uint8 images on its device. Networks of clips take them so, as their ONNX does; others
    get them normalised."""
    spec, half = model.spec, HALVES.get(model.precision)
    prepare = nn.Identity() if spec.frames > 1 else _normalised(spec.input, device)
    if device == "cuda":
        module = module.to(memory_format=torch.channels_last)  # as tensor cores read it

    def step(images: Tensor) -> dict[str, Tensor]:
        with torch.inference_mode(), torch.autocast(device, half, enabled=half is not None, cache_enabled=False):
            found = module(prepare(images))
            first = found[0] if isinstance(found, (tuple, list)) else found
            return {"output0": first.float()}

    return step


def _on_cpu(step: Step, threads: int) -> Slot:
    def slot(images: Array) -> dict[str, Array]:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)  # this thread's own; those that run already keep theirs
        return {name: found.numpy() for name, found in step(torch.from_numpy(images)).items()}

    return slot


def _on_gpu(replay: Step) -> Slot:
    def slot(images: Array) -> dict[str, Array]:
        return {name: found.numpy() for name, found in replay(torch.from_numpy(images)).items()}

    return slot


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
