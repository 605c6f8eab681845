"""OpenVINO: the runtime of CPUs. Loads ONNX and IR; a stream has its threads, so results do not depend on streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vidreid.engines.card import Card
from vidreid.engines.order import Built, Layer, Order
from vidreid.engines.runtimes._openvino_network import (
    output_names,
    prepared,
    shared_core,
    tensor_cards,
    unreadable,
)
from vidreid.engines.runtimes._releases import newer
from vidreid.engines.slots import Slot, SlotEngine
from vidreid.errors import InputError, StorageError
from vidreid.types import Array, Engine, Model

__all__ = ["available", "build", "layers", "load", "refuses", "shared_core", "version", "warns"]

MAIN, WEIGHTS = "engine.xml", "engine.bin"
# The type of everything that is not in INT8. "bf16" is also what OpenVINO chooses where the processor has it.
HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "bf16"}
PRECISIONS = tuple(HINTS)
RUNS = 5  # of which layers' times are the means


def available() -> str | None:
    """None, or why OpenVINO cannot be used here."""
    try:
        import openvino  # noqa: F401
    except ImportError as error:
        return f"not installed ({error}): pip install openvino"
    return None


def version() -> str:
    """OpenVINO's version: ``2026.4.1``."""
    import openvino

    return str(openvino.__version__).partition("-")[0]


def build(order: Order, folder: Path, progress: Callable[[str, float], None]) -> Built:
    """Write OpenVINO's IR of a source, quantised where the order says so.

    In bf16 it is the graph in float32: its loader chooses the type, and OpenVINO what has to stay in float32.
    """
    if order.precision not in HINTS:
        raise InputError(f"openvino: no {order.precision} on CPUs", "--precision bf16, fp32 or int8")
    progress("reading the graph", 0.0)
    network = _read(order.source.onnx)
    islands: list[str] = []
    if order.precision == "int8":
        from vidreid.engines.runtimes._openvino_int8 import quantised

        network, islands = quantised(network, order, lambda words, share: progress(words, 0.9 * share))
    progress("writing it", 0.95)
    _write(network, folder)
    return Built(MAIN, tensor_cards(network), (WEIGHTS,), islands)


def load(model: Model, *, streams: int, batch: int = 1, threads: int = 1) -> Engine:
    """Compile a network for the CPU with ``streams`` inferences at a time, ``threads`` threads each."""
    compiled, names = _compiled(
        model,
        batch,
        {
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": streams * threads,
            "PERFORMANCE_HINT_NUM_REQUESTS": 2 * streams,
            # Pinned streams wait for decoding and tracking on their core while another core is free.
            "ENABLE_CPU_PINNING": False,
        },
    )
    slots = [_slot(compiled, names) for _ in range(2 * streams)]
    return SlotEngine(slots, tuple(compiled.inputs[0].shape), names)


def usual_batch(model: Model) -> int:
    """1: on a CPU streams of single pictures are as fast as batches."""
    return 1


def layers(model: Model) -> list[Layer]:
    """What OpenVINO runs for one input, in order: precision, and milliseconds on one thread."""
    compiled, _ = _compiled(model, 1, {"NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1, "PERF_COUNT": True})
    images = np.random.default_rng(0).integers(0, 256, tuple(compiled.inputs[0].shape), np.uint8)
    request = compiled.create_infer_request()
    total: dict[str, float] = {}
    for _ in range(RUNS):
        request.infer({0: images})
        for one in request.get_profiling_info():
            total[one.node_name] = total.get(one.node_name, 0.0) + one.real_time.total_seconds()
    return [
        Layer(name, kind, precision, 1000 * total.get(name, 0.0) / RUNS)
        for name, kind, precision in _executed(compiled)
    ]


def refuses(card: Card) -> str | None:
    """Why an engine must not be loaded here: a later OpenVINO made it."""
    if reason := available():
        return reason
    if newer(card.runtime_version, version()):
        return f"OpenVINO {card.runtime_version} made it, this is {version()}"
    return None


def warns(card: Card) -> str | None:
    """What makes an engine less exact or slower here: an earlier OpenVINO made it, or this processor lacks its type."""
    if newer(version(), card.runtime_version):
        return f"OpenVINO {card.runtime_version} made it, this is {version()}: numbers may differ in the last digits"
    if card.precision == "bf16" and "BF16" not in shared_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        return "this processor has no bfloat16: computed in float32, at its speed"
    return None


def _read(path: Path) -> Any:
    """The graph of a file, with what depends on constants alone computed."""
    from openvino.passes import ConstantFolding, Manager

    try:
        network = shared_core().read_model(str(path))
        passes = Manager()
        passes.register_pass(ConstantFolding())
        passes.run_passes(network)
    except RuntimeError as error:
        raise unreadable(path, error) from None
    return network


def _write(network: Any, folder: Path) -> None:
    import openvino as ov

    try:
        ov.save_model(network, str(folder / MAIN), compress_to_fp16=False)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise StorageError(f"{folder}: cannot write the engine: {reason}", "make room on the disk") from None


def _compiled(model: Model, batch: int, options: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """A network compiled for one batch, and the names of its outputs."""
    core, precision = shared_core(), {}
    if model.precision:
        precision = {"INFERENCE_PRECISION_HINT": HINTS.get(model.precision, "f32")}
    try:
        network = core.read_model(str(model.path))
        names = output_names(network)
        return core.compile_model(prepared(network, model, batch), "CPU", {**options, **precision}), names
    except RuntimeError as error:
        raise unreadable(model.path, error) from None


def _executed(compiled: Any) -> list[tuple[str, str, str]]:
    """Name, kind and precision of each layer of the compiled graph, in order of execution."""
    nodes = compiled.get_runtime_model().get_ordered_ops()
    known = [(node.get_friendly_name(), node.get_rt_info()) for node in nodes]
    return [(name, it["layerType"].astype(str), it["runtimePrecision"].astype(str)) for name, it in known]


def _slot(compiled: Any, names: list[str]) -> Slot:
    """An inference request as a function of images."""
    from openvino import Tensor

    request = compiled.create_infer_request()

    def infer(images: Array) -> dict[str, Array]:
        request.set_input_tensor(Tensor(images, shared_memory=True))
        # Not infer(): it would compute on the calling thread, outside of the fixed streams. And no callback: it is
        # not called where the inference fails.
        request.start_async()
        request.wait()
        return {name: request.get_output_tensor(place).data.copy() for place, name in enumerate(names)}

    return infer
