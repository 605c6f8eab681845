"""ONNX Runtime: the same ONNX on CPUs and, with onnxruntime-gpu, on NVIDIA's GPUs. Threads per stream are fixed."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vidreid.engines.card import Card, TensorCard
from vidreid.engines.order import Built, Layer, Order
from vidreid.engines.runtimes._releases import newer
from vidreid.engines.slots import Slot, SlotEngine, input_shape
from vidreid.engines.source import INPUT, calibration_of
from vidreid.errors import InputError, StorageError
from vidreid.types import Array, Engine, InputSpec, Model, ModelSpec

PRECISIONS = ("fp32", "fp16", "int8")
MAIN = "engine.onnx"
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
# Reproducible: no algorithm is chosen by the clock, no product is rounded to 19 bits.
CUDA_OPTIONS = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}
FATAL = 4  # of its log, which is the terminal; errors are raised as well
ON_GPU = 16  # pictures or clips in a batch
RUNS = 5  # of which layers' times are the means
KERNEL = "_kernel_time"  # ends what the profile calls the run of a node
UINT8 = "tensor(uint8)"
TYPES = {UINT8: "uint8", "tensor(float)": "float32", "tensor(int64)": "int64"}


def available() -> str | None:
    """None, or why ONNX Runtime cannot be used here."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError as error:
        return f"not installed ({error}): pip install onnxruntime"
    return None


def version() -> str:
    """ONNX Runtime's version."""
    import onnxruntime

    return str(onnxruntime.__version__)


def build(order: Order, folder: Path, progress: Callable[[str, float], None]) -> Built:
    """Write a source's graph in the order's precision: fp32, fp16 (for GPUs), or int8 between Q and DQ nodes."""
    if order.precision not in PRECISIONS:
        raise InputError(f"onnxruntime: no {order.precision}", "--precision fp32, int8, or fp16 for GPUs")
    path = folder / MAIN
    try:
        islands = _write(order, path, progress)
    except OSError as error:
        raise StorageError(f"{path}: {(error.strerror or str(error)).lower()}", "make room on the disk") from None
    progress("loading it", 0.9)
    session = _session(path)
    cards = [_tensor_card("input", it) for it in session.get_inputs()]
    return Built(MAIN, [*cards, *(_tensor_card("output", it) for it in session.get_outputs())], islands=islands)


def load(model: Model, *, streams: int, batch: int = 1, threads: int = 1) -> Engine:
    """Open an ONNX file for ``streams`` inferences at a time, ``threads`` threads each; on a GPU where there is one."""
    shape = input_shape(model.spec, batch)
    # One session computes on the threads of its callers; only further threads need one a stream.
    sessions = [_session(model.path, threads) for _ in range(streams if threads > 1 else 1)]
    _check(sessions[0], model, shape)
    names = _output_names(sessions[0])
    slots = [_slot(sessions[number % len(sessions)], model.spec, names) for number in range(streams)]
    return SlotEngine(slots, shape, names)


def usual_batch(model: Model) -> int:
    """Pictures or clips at a time in a run: `ON_GPU` where there is one."""
    import onnxruntime

    return ON_GPU if CUDA in onnxruntime.get_available_providers() else 1


def layers(model: Model) -> list[Layer]:
    """What ONNX Runtime runs for one input, in order: the type of its result, and milliseconds on one thread."""
    images = np.random.default_rng(0).integers(0, 256, input_shape(model.spec, 1), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        session = _session(model.path, profile=f"{folder}/profile")
        infer = _slot(session, model.spec, _output_names(session))
        for _ in range(RUNS):
            infer(images)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    total: dict[str, float] = defaultdict(float)
    facts: dict[str, Mapping[str, Any]] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(KERNEL):
            name = event["name"].removesuffix(KERNEL)
            total[name] += event["dur"] / 1000
            facts[name] = event["args"]
    return [Layer(name, it["op_name"], _type_of(it), total[name] / RUNS) for name, it in facts.items()]


def refuses(card: Card) -> str | None:
    """Why an engine must not be loaded here: a later ONNX Runtime made it."""
    if reason := available():
        return reason
    if newer(card.runtime_version, version()):
        return f"ONNX Runtime {card.runtime_version} made it, this is {version()}"
    return None


def warns(card: Card) -> str | None:
    """What makes an engine less exact or slower here: another ONNX Runtime, or no GPU for what was made for one."""
    if newer(version(), card.runtime_version):
        return (
            f"ONNX Runtime {card.runtime_version} made it, this is {version()}: numbers may differ in the last digits"
        )
    if card.precision == "fp16" and CUDA not in _providers():
        return "fp16 is slow without a GPU (pip install onnxruntime-gpu)"
    return None


def _write(order: Order, path: Path, progress: Callable[[str, float], None]) -> list[str]:
    """Write the graph as it will be loaded; the nodes that stayed in float32 where others did not."""
    source = order.source
    if order.precision == "fp32":
        path.write_bytes(source.onnx.read_bytes())
        return []
    from vidreid.engines.graph.model import matching, read_graph

    model = read_graph(source.onnx)
    if order.precision == "fp16":
        from vidreid.engines.graph.precision import lower

        progress("lowering it to fp16", 0.0)
        lowered, islands = lower(model, "fp16", order.islands)
        path.write_bytes(lowered.SerializeToString(deterministic=True))
        return islands
    from vidreid.engines.graph.quantise import quantised

    progress("measuring ranges", 0.0)
    quantised(source.onnx, calibration_of(source), path, exclude=order.islands)
    return matching(model.graph.node, order.islands)


def _providers() -> list[Any]:
    """What computes, the fastest first."""
    import onnxruntime

    return [(CUDA, CUDA_OPTIONS), CPU] if CUDA in onnxruntime.get_available_providers() else [CPU]


def _session(path: Path, threads: int = 1, profile: str = "") -> Any:
    """A file opened; ``profile``: begin of the name of the file to write times to."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads leave cores to others
    options.log_severity_level = FATAL
    if profile:
        options.enable_profiling, options.profile_file_prefix = True, profile
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=_providers())
    except Exception as error:  # classes of its own, not all of one kind
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"{path.name}: ONNX Runtime cannot load it: {reason}", "export the network again") from None


def _output_names(session: Any) -> list[str]:
    """As in the graph where it is in standard form (`vidreid.engines.source.Source`), else by number."""
    taken, outputs = session.get_inputs()[0], session.get_outputs()
    standard = taken.type == UINT8 and taken.name == INPUT
    return [it.name if standard else f"output{number}" for number, it in enumerate(outputs)]


def _check(session: Any, model: Model, shape: tuple[int, ...]) -> None:
    """`InputError` unless the file takes inputs of this shape, as uint8 or as float pictures."""
    inputs, name = session.get_inputs(), model.path.name
    if len(inputs) != 1:
        raise InputError(f"{name}: {len(inputs)} inputs, one was expected", "export it anew")
    has, clips = inputs[0].shape, len(shape) == 5
    if clips and len(has) == 4:
        raise InputError(
            f"{name}: takes single pictures, not clips of {model.spec.frames}", "state frames: 1 of this network"
        )
    wanted = shape if inputs[0].type == UINT8 else (shape[0], 3, *shape[1:3])
    free = [length if isinstance(length, int) else -1 for length in has]
    if len(free) != len(wanted) or any(it not in {-1, want} for it, want in zip(free, wanted, strict=True)):
        kind = "clips" if clips else "pictures"
        raise InputError(
            f"{name}: takes {kind} of shape {free}, stated is {list(wanted)}".replace(" -1", " ?").replace("[-1", "[?"),
            "state its frames and size, or build it for this batch",
        )


def _slot(session: Any, spec: ModelSpec, names: list[str]) -> Slot:
    """A session as a function of images."""
    taken, outputs = session.get_inputs()[0], [it.name for it in session.get_outputs()]
    kind = np.float16 if taken.type == "tensor(float16)" else np.float32

    def infer(images: Array) -> dict[str, Array]:
        given = images if taken.type == UINT8 else _normalised(images, spec.input).astype(kind)
        try:
            return dict(zip(names, session.run(outputs, {taken.name: given}), strict=True))
        except Exception as error:  # classes of its own, which the callers of engines do not know
            raise RuntimeError(f"ONNX Runtime: {error}") from None

    return infer


def _normalised(images: Array, spec: InputSpec) -> Array:
    """Pictures as networks take them that do not normalise themselves: float32 (n, 3, H, W)."""
    ordered = images[..., ::-1] if spec.color == "bgr" else images
    mean, std = np.array(spec.mean, np.float32), np.array(spec.std, np.float32)
    normal = (ordered.astype(np.float32) / spec.scale - mean) / std
    return np.ascontiguousarray(normal.transpose(0, 3, 1, 2))


def _tensor_card(role: Literal["input", "output"], tensor: Any) -> TensorCard:
    shape = [length if isinstance(length, int) else -1 for length in tensor.shape]
    return TensorCard(name=tensor.name, role=role, dtype=TYPES[tensor.type], shape=shape, meaning="")


def _type_of(event: Mapping[str, Any]) -> str:
    """The type of a node's first result, as the profile tells it."""
    results = event.get("output_type_shape") or [{}]
    return next(iter(results[0]), "")
