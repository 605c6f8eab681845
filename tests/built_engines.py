"""What the tests build engines of, and with: the tiny network of `handmade_engines`, and a runtime of a few lines."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from handmade_engines import DIM, SIZE, answers, graph, pictures, sha256
from onnx import numpy_helper

from vidreid.engines.build import Wanted, build_once
from vidreid.engines.card import TensorCard, WeightsCard
from vidreid.engines.order import Built
from vidreid.engines.recipe import EngineRecipe
from vidreid.engines.slots import SlotEngine
from vidreid.engines.source import EMBEDDING, INPUT, Golden, Source
from vidreid.types import InputSpec, ModelSpec


@dataclass
class Plain:
    """A runtime that computes the float32 graph as it is; ``noise`` on its answers, ``reason`` not to run here."""

    noise: float = 0.0
    reason: str | None = None
    release: str = "1.0"
    orders: list = field(default_factory=list)

    def available(self):
        return None

    def version(self):
        return self.release

    def build(self, order, folder, progress):
        self.orders.append(order)
        progress("copying", 0.5)
        shutil.copy(order.source.onnx, folder / "model.onnx")
        taken = TensorCard(name=INPUT, role="input", dtype="uint8", shape=[-1, *SIZE, 3])
        given = TensorCard(name=EMBEDDING, role="output", dtype="float32", shape=[-1, DIM])
        return Built("model.onnx", [taken, given], target=order.target)

    def load(self, model, *, streams, batch=1, threads=1):
        session = onnxruntime.InferenceSession(str(model.path), providers=["CPUExecutionProvider"])

        def infer(images):
            found = session.run([EMBEDDING], {INPUT: images})[0]
            return {EMBEDDING: found + np.float32(self.noise) * np.arange(DIM, dtype=np.float32)}

        return SlotEngine([infer], (batch, *model.spec.input.size, 3), [EMBEDDING])

    def refuses(self, card):
        return self.reason or (None if card.runtime_version == self.release else f"built by {card.runtime_version}")

    def warns(self, card):
        return None


def source(folder: Path, seed=0) -> Source:
    """The tiny network in a folder, and what it says of five pictures."""
    network = graph(folder / "tiny.onnx", seed)
    spec = ModelSpec("tiny", "embedder", "reid", f"weights of {seed}", InputSpec(SIZE), dim=DIM)
    golden = Golden(pictures(5), {EMBEDDING: answers(network, pictures(5))})
    weights = WeightsCard(kind="file", sha256=spec.identity, licence="MIT")
    return Source(spec, network, (golden,), weights, made_with={"torch": "2.13.0"})


def broken(folder: Path) -> Source:
    """The same with a weight that is no number."""
    made = source(folder)
    network = onnx.load(made.onnx)
    (weight,) = (one for one in network.graph.initializer if one.name == "weight")
    values = numpy_helper.to_array(weight).copy()
    values[0, 0, 0, 0] = np.nan
    weight.CopyFrom(numpy_helper.from_array(values, "weight"))
    onnx.save(network, made.onnx)
    return made


def recipe(**stated) -> EngineRecipe:
    return EngineRecipe(**{"network": "tiny", "precision": "fp32", "batch": (1, 2, 4), **stated})


def wanted(**stated) -> Wanted:
    command = "vidreid engine build tiny --runtime plain"
    given = {"recipe_name": "tiny", "recipe": recipe(), "weights": "w", "runtime": "plain", "version": "1.0"}
    return Wanted(**{**given, "command": command, **stated})


def build(where: Path, runtime=None, make=source, anew=False, **stated) -> Path:
    """The tiny engine in ``where``."""
    said = []
    return build_once(
        wanted(**stated), where, make, runtime or Plain(), progress=lambda *told: said.append(told), anew=anew
    )


__all__ = ["Plain", "broken", "build", "recipe", "sha256", "source", "wanted"]
