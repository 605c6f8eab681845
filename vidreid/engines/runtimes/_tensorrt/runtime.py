"""What a file of engines/runtimes promises, for any library of the TensorRT family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vidreid.engines.card import Card, Target
from vidreid.engines.order import Built, Layer, Order
from vidreid.engines.runtimes._releases import newer
from vidreid.engines.runtimes._tensorrt.api import Library, number
from vidreid.engines.runtimes._tensorrt.cuda import CudaError, Gpu, find_gpu
from vidreid.errors import MissingError
from vidreid.types import Engine, Model

Progress = Callable[[str, float], None]


class TensorRTRuntime:
    """A runtime around ``library``; its bound methods are the plug-in's functions."""

    PRECISIONS = ("fp32", "bf16", "fp16", "int8")

    def __init__(self, library: Library) -> None:
        self._library = library

    def available(self) -> str | None:
        """None, or why no plan can run here: the library is missing, or a GPU that it knows."""
        try:
            self._library.load()
            gpu = find_gpu()
        except ImportError as error:
            return f"not installed ({error}): pip install {self._library.package}"
        except CudaError as error:
            return str(error)
        if self._library.knows(gpu.capability):
            return None
        return f"{self._library.title} {self._library.version()} does not run on {gpu.name} ({gpu.capability})"

    def version(self) -> str:
        """Of the library; `ImportError` where it is missing."""
        return self._library.version()

    def target(self, wanted: Target) -> Target:
        """The GPUs that `build` builds for where ``wanted`` is asked for: those named, else the one that is here.

        Errors as `build` has them. The GPU is the first that the process sees: ``CUDA_VISIBLE_DEVICES``.
        """
        self._library.load()
        return self._library.resolve(wanted, _gpu())

    def build(self, order: Order, folder: Path, progress: Progress) -> Built:
        """Write a plan; TensorRT-RTX needs no GPU for it.

        `MissingError` without library or GPU, `InputError` where it cannot build the graph for these GPUs.
        """
        from vidreid.engines.runtimes._tensorrt.builder import build

        try:
            target = self.target(order.target)
        except ImportError as error:
            raise MissingError(
                f"{self._library.title} is missing ({error})", f"pip install {self._library.package}"
            ) from None
        return build(self._library, replace(order, target=target), folder, progress)

    def load(self, model: Model, *, streams: int, batch: int = 1, threads: int = 1) -> Engine:
        """A plan on the GPU, for batches of exactly ``batch``; ``threads`` are the processor's and say nothing here."""
        from vidreid.engines.runtimes._tensorrt.runner import load

        if reason := self.available():
            raise MissingError(f"{model.path.name}: {reason}", "vidreid doctor")
        card = getattr(model, "card", None)
        portable = bool(card and card.target.portable)
        return load(self._library, model, streams=streams, batch=batch, portable=portable)

    def usual_batch(self, model: Model) -> int:
        """Pictures or clips at a time in a run: what its profile is best at."""
        card = getattr(model, "card", None)
        return int(card.batch[1]) if card else 1

    def layers(self, model: Model) -> list[Layer]:
        """The plan's layers: as the engine inspector told them where a GPU built it, else as they were given to it."""
        from vidreid.engines.runtimes._tensorrt.layers import LAYERS, read_layers

        return read_layers(model.path.with_name(LAYERS))

    def refuses(self, card: Card) -> str | None:
        """Why a plan cannot run here: library, version, GPU."""
        try:
            here = self._library.version()
        except ImportError:
            return self.available()
        if not self._library.reads(card.runtime_version, portable=card.target.portable):
            return f"built by {self._library.title} {card.runtime_version}, here is {here}"
        return self.available() or _misfit(find_gpu(), card.target)

    def warns(self, card: Card) -> str | None:
        """Another GPU of the same kind, or an older driver, than built it."""
        gpu, built = _gpu(), card.target
        if gpu and built.gpu and gpu.name != built.gpu:
            return f"built on {built.gpu}, this is {gpu.name}: it may be slower than an engine of its own"
        if gpu and built.driver and newer(built.driver, gpu.driver):
            return f"built with a driver for CUDA {built.driver}, here is one for CUDA {gpu.driver}"
        return None


def _gpu() -> Gpu | None:
    try:
        return find_gpu()
    except CudaError:
        return None


def _misfit(gpu: Gpu, target: Target) -> str | None:
    """Why a plan for these GPUs does not run on this one."""
    if gpu.capability in target.capabilities:
        return None
    oldest = min((number(name) for name in target.capabilities), default=0)
    if target.portable and number(gpu.capability) >= oldest:
        return None
    return f"built for {', '.join(target.capabilities)}, {gpu.name} is {gpu.capability}"
