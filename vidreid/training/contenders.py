"""What an engine is timed beside: the same network by torch, eager and compiled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from vidreid import plugins
from vidreid.errors import MissingError
from vidreid.networks import VideoNetwork
from vidreid.networks.weights.onnx import normalised
from vidreid.networks.weights.ultralytics import Finished, boxes_of, persons_alone
from vidreid.training.recipe import names
from vidreid.training.trained import build_untrained, open_trained
from vidreid.types import Engine, ModelSpec

if TYPE_CHECKING:
    from vidreid.engines.bench import Contender, Layout
    from vidreid.engines.card import Card


@dataclass(frozen=True)
class TorchModel:
    """A torch module that does what an engine does, for the torch runtime."""

    spec: ModelSpec
    network: nn.Module
    compiled: bool = False
    path: Path = field(default_factory=Path)
    precision: str = ""

    def module(self) -> Any:
        """The module, compiled where wanted."""
        return torch.compile(self.network) if self.compiled else self.network


class Alone(nn.Module):  # type: ignore[misc]
    """A video network for single pictures (N, 3, H, W), normalised."""

    def __init__(self, network: VideoNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        embedding: Tensor = self.network(pictures[:, None])
        return embedding


def torch_contenders(card: Card, spec: ModelSpec, weights: str, layouts: Sequence[Layout]) -> list[Contender]:
    """The network of an engine's ``card`` by torch, eager and compiled, for inputs of ``spec``.

    In float32 on CPUs; on GPUs in 16 bits where the engine is not in float32. Each layout would be compiled anew, for
    minutes: only one of ``layouts`` is, that of the most threads and the usual batch (else the largest). ``weights``:
    their file, where it lies elsewhere now. `MissingError` where they or the engine's recipe are not here.
    """
    from vidreid.engines.bench import Contender

    network = _module(card, spec, weights)
    half = {"fp32": "", "bf16": "bf16"}.get(card.precision, "fp16") if torch.cuda.is_available() else ""
    eager, compiled = (TorchModel(spec, network, compiled=one, precision=half) for one in (False, True))
    single = [layout for layout in layouts if layout.streams == 1]
    chosen = max(single, key=lambda layout: (layout.threads, layout.batch == card.batch[1], layout.batch), default=None)
    return [
        Contender(f"torch eager {half or 'fp32'}", lambda layout: _opened(eager, layout)),
        Contender(
            f"torch.compile {half or 'fp32'}", lambda layout: _opened(compiled, layout), lambda one: one == chosen
        ),
    ]


def _opened(model: TorchModel, layout: Layout) -> Engine:
    from vidreid.engines.source import INPUT

    runtime = plugins.load("engines.runtimes", "torch")
    engine: Engine = runtime.load(model, streams=layout.streams, batch=layout.batch, threads=layout.threads)
    try:
        # Compilation is put off to the first run, and raises whatever a compiler does.
        engine.run({INPUT: np.zeros(engine.inputs[INPUT], np.uint8)})
    except Exception as error:
        engine.close()
        reason = next(iter(str(error).splitlines()), type(error).__name__)[:160]
        raise MissingError(f"torch cannot run it: {reason}", "vidreid doctor") from None
    return engine


def _module(card: Card, spec: ModelSpec, weights: str) -> nn.Module:
    """What takes the engine's inputs as the torch runtime prepares them."""
    network = _network(card, weights)
    if isinstance(network, VideoNetwork):
        return (normalised(network) if spec.frames > 1 else Alone(network)).eval()
    return Finished(network, boxes_of(spec.input.size)).eval()


def _network(card: Card, weights: str) -> nn.Module:
    """The network with the engine's weights; in place of random ones, others, which take as long."""
    from vidreid.digests import file_sha256
    from vidreid.engines.registry import read_registry
    from vidreid.engines.runtimes.torch import read_module
    from vidreid.engines.weights import at_hand
    from vidreid.pipeline.engine_origin import origin_of

    origin = origin_of(card, weights)
    name, registry = origin.recipe.network, read_registry()
    trained = name in names() or name.endswith((".yaml", ".yml"))
    if trained and card.weights.kind == "random":
        return build_untrained(name)[0]
    given = origin.weights or origin.recipe.weights
    found = Path(given).expanduser() if given else at_hand(name, registry) if name in registry.models else None
    if found is None or not found.is_file():
        raise MissingError(f"{card.name}: its weights are not at hand", "--weights FILE, or --against onnx")
    if file_sha256(found) != card.weights.sha256:
        raise MissingError(f"{found.name}: other weights than those of {card.name}", "give its own: --weights FILE")
    if trained:
        return open_trained(found, name)[0]
    if found.suffix == ".pt" and card.weights.kind == "registered":
        return persons_alone(read_module(found, trusted=True), found.name)
    raise MissingError(f"{card.name}: nothing here says how {name} is built in torch", "--against onnx")
