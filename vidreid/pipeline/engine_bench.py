"""An engine timed on this machine, beside whatever else computes its network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vidreid import plugins
from vidreid.engines.bench import Contender, Layout, Report, layouts, measure
from vidreid.engines.card import GOLDEN, Card
from vidreid.engines.flops import count_flops
from vidreid.engines.load import EngineModel, load_engine
from vidreid.engines.matmul import Device, MatmulRate, matmul_rate
from vidreid.engines.source import read_golden
from vidreid.engines.weights import FileModel
from vidreid.errors import UsageError
from vidreid.pipeline.engines import ROOM, runtime_of
from vidreid.posix import cores
from vidreid.types import Array, Engine, ModelSpec

GPU_STREAMS = (1, 2)


def spec_for(card: Card, size: tuple[int, int] | None) -> ModelSpec:
    """An engine's spec for pictures of ``size``, its usual one where None; `UsageError` where it takes no such."""
    if size is None or size in card.sizes:
        return replace(card.spec, input=replace(card.spec.input, size=size or card.sizes[0]))
    taken = ", ".join(f"{height}x{width}" for height, width in card.sizes)
    raise UsageError(f"{card.name}: takes no pictures of {size[0]}x{size[1]}", f"one of {taken}")


def layouts_for(card: Card, batches: Sequence[int], threads: Sequence[int]) -> list[Layout]:
    """What an engine is timed in: ``batches`` (its profile's where empty), and ``threads`` (1 and all cores) on CPUs.

    `UsageError` where its profile has no such batch.
    """
    least, _, most = card.batch
    for batch in batches:
        if not least <= batch <= most:
            raise UsageError(f"{card.name}: a batch of {batch}, where it takes {least} to {most}", "leave it out")
    sizes = list(dict.fromkeys(batches or card.batch))
    if on_gpu(card):
        return [Layout(batch, streams) for batch in sizes for streams in GPU_STREAMS]
    return layouts(sizes, threads or list(dict.fromkeys([1, cores()])))


def on_gpu(card: Card) -> bool:
    """Whether an engine was built for GPUs."""
    return bool(card.target.capabilities or card.target.gpu)


def engine_contender(model: EngineModel, spec: ModelSpec) -> Contender:
    """The engine itself."""
    runtime, sized = runtime_of(model.card), replace(model, spec=spec)

    def load(layout: Layout) -> Engine:
        return load_engine(sized, runtime, streams=layout.streams, batch=layout.batch, threads=layout.threads)

    return Contender(model.card.name, load)


def onnx_contender(graph: Path, spec: ModelSpec) -> Contender:
    """A float32 graph in standard form by ONNX Runtime."""
    runtime = plugins.load(ROOM, "onnxruntime")
    model = FileModel(spec, graph, trusted=True, precision="fp32")

    def load(layout: Layout) -> Engine:
        found: Engine = runtime.load(model, streams=layout.streams, batch=layout.batch, threads=layout.threads)
        return found

    return Contender("float32 by ONNX Runtime", load)


def bench_engine(
    model: EngineModel,
    spec: ModelSpec,
    others: Sequence[Contender],
    wanted: Sequence[Layout],
    seconds: float,
    progress: Callable[[str, float], None],
) -> Report:
    """Time an engine and ``others`` on its golden inputs of the size of ``spec``, and matrix products here."""
    card, size = model.card, spec.input.size
    device: Device = "cuda" if on_gpu(card) else "cpu"

    def rate(layout: Layout) -> MatmulRate:
        return matmul_rate(card.precision, layout.cores, device)

    contenders = [engine_contender(model, spec), *others]
    done = measure(contenders, wanted, _images(model, size), seconds, rate=rate, progress=progress)
    return Report(card.name, [one.name for one in contenders], size, _flops(model, spec), done)


def _images(model: EngineModel, size: tuple[int, int]) -> Array:
    golden = read_golden(model.path.parent / GOLDEN)
    fitting = [one.images for one in golden if one.size == size]
    clip = (model.spec.frames,) if model.spec.frames > 1 else ()
    return fitting[0] if fitting else np.zeros((1, *clip, *size, 3), np.uint8)


def _flops(model: EngineModel, spec: ModelSpec) -> int | None:
    """Operations of one input: as the card says, else counted where the engine still is a graph."""
    card, size = model.card, spec.input.size
    if card.flops:
        return card.flops[card.sizes.index(size)]
    clip = (spec.frames,) if spec.frames > 1 else ()
    return count_flops(model.path, (1, *clip, *size, 3)) if model.path.suffix in (".onnx", ".xml") else None
