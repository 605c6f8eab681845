"""PyTorch: the reference runtime. Loads checkpoints; slow on a CPU, and what other runtimes are compared with."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch

from vidreid.errors import InputError
from vidreid.types import Array, Engine, InputSpec, Model


def available() -> str | None:
    """None: torch is part of the base install."""
    return None


def load(model: Model, *, streams: int) -> Engine:
    """A torch module in evaluation mode behind the engine interface; one batch at a time."""
    module = _checkpoint(model) if model.path.suffix == ".pt" else model.module()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return TorchEngine(module.float().eval().to(device), model.spec.input, device)


def _checkpoint(model: Model) -> Any:
    """The network of an ultralytics checkpoint. These are pickles: only registered or trusted files are opened."""
    if not getattr(model, "trusted", False):
        raise InputError(
            f"{model.path.name}: a pickled checkpoint can run any code and this one is not registered",
            "export it to ONNX where you trust it, or pass --trust-checkpoint",
        )
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_VERBOSE", "false")
    with contextlib.suppress(ImportError):
        from ultralytics.utils import SETTINGS

        SETTINGS.update({"sync": False})
    found = torch.load(model.path, map_location="cpu", weights_only=False)
    module = found.get("ema") or found.get("model") if isinstance(found, dict) else found
    if not isinstance(module, torch.nn.Module):
        raise InputError(f"{model.path.name}: holds no network", "give an ultralytics checkpoint, an ONNX or an IR")
    return module


class TorchEngine:
    """Runs a module on a worker thread, so that `submit` returns at once."""

    def __init__(self, module: torch.nn.Module, spec: InputSpec, device: str) -> None:
        self.inputs: Mapping[str, tuple[int, ...]] = {"images": (1, *spec.size, 3)}
        self.outputs: Sequence[str] = ["output0"]
        self._module = module
        self._spec = spec
        self._device = device
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="torch")

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        return self.submit(arrays).result()

    def submit(self, arrays: Mapping[str, Array]) -> Future[dict[str, Array]]:
        return self._thread.submit(self._forward, arrays["images"])

    def _forward(self, images: Array) -> dict[str, Array]:
        with torch.inference_mode():
            return self._compute(images)

    def _compute(self, images: Array) -> dict[str, Array]:
        batch = torch.from_numpy(images).to(self._device).permute(0, 3, 1, 2).float()
        if self._spec.color == "bgr":
            batch = batch.flip(1)
        mean = torch.tensor(self._spec.mean, device=self._device).view(1, 3, 1, 1)
        std = torch.tensor(self._spec.std, device=self._device).view(1, 3, 1, 1)
        found = self._module((batch / self._spec.scale - mean) / std)
        first = found[0] if isinstance(found, (tuple, list)) else found
        return {"output0": first.float().cpu().numpy()}

    def close(self) -> None:
        self._thread.shutdown()
