"""Builds a plan: the graph in its precision first, then the library's builder in a process of its own."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from vidreid.digests import file_sha256
from vidreid.engines.card import TensorCard
from vidreid.engines.folder import built_here, timings
from vidreid.engines.order import Built, Order
from vidreid.engines.runtimes._tensorrt.api import Library
from vidreid.engines.runtimes._tensorrt.child import Job, Shapes
from vidreid.engines.runtimes._tensorrt.graph import cast_first
from vidreid.engines.runtimes._tensorrt.layers import LAYERS
from vidreid.errors import InputError
from vidreid.types import ModelSpec

Progress = Callable[[str, float], None]
PLAN = "engine.plan"
_PREPARED = 0.1


def build(library: Library, order: Order, folder: Path, progress: Progress) -> Built:
    """Write the plan into ``folder``; ``order.target`` is resolved.

    `InputError` where the library cannot build the graph or crashes, `OSError` where the disk is full.
    """
    progress("preparing the graph", 0.0)
    scratch = folder / "unfinished"
    scratch.mkdir()
    try:
        graph, islands = _prepare(order, scratch)
        capability = "-".join(order.target.capabilities)
        job = Job(
            library.module,
            order.source.spec.name,
            str(graph),
            str(folder / PLAN),
            str(folder / LAYERS),
            str(timings(library.package, library.version(), capability)),
            profiles(order.source.spec, order.batch),
            order.target.capabilities,
            order.target.portable,
        )
        tensors = run_child(library, job, lambda words, share: progress(words, _PREPARED + (1 - _PREPARED) * share))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if library.holds_code(portable=order.target.portable):
        mark = built_here(file_sha256(folder / PLAN))
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    return Built(PLAN, [TensorCard(**one, meaning="") for one in tensors], (LAYERS,), islands, order.target)


def profiles(spec: ModelSpec, batch: tuple[int, int, int]) -> list[Shapes]:
    """Least, usual and most shape of the input, for each size of pictures that the network is to take."""
    clip = [spec.frames] if spec.frames > 1 else []
    least, usual, most = batch
    sizes = dict.fromkeys((spec.input.size, *spec.sizes))
    return [([least, *clip, *size, 3], [usual, *clip, *size, 3], [most, *clip, *size, 3]) for size in sizes]


def _prepare(order: Order, scratch: Path) -> tuple[Path, list[str]]:
    """The graph with the types that it is to be computed in, and the nodes that stay in float32.

    What is not quantised of an int8 network is in fp16: float32 would cost what the products win.
    """
    import onnx

    from vidreid.engines.graph.precision import lower

    path = _quantise(order, scratch) if order.precision == "int8" else order.source.onnx
    model, islands = cast_first(onnx.load(path)), list[str]()
    if order.precision != "fp32":
        model, islands = lower(model, "fp16" if order.precision == "int8" else order.precision, order.islands)
    prepared = scratch / "graph.onnx"
    onnx.save(model, prepared)
    return prepared, islands


def _quantise(order: Order, scratch: Path) -> Path:
    from vidreid.engines.graph.quantise import quantised

    source, path = order.source, scratch / "quantised.onnx"
    if source.calibration is None:
        raise InputError(f"{source.spec.name}: no pictures to measure the ranges of int8 on", "--calibrate-on PATH")
    quantised(source.onnx, source.calibration, path, exclude=order.islands, symmetric=True)
    return path


def run_child(library: Library, job: Job, progress: Progress) -> list[dict[str, Any]]:
    """Run the build in a process of its own; it ends with this call, however this one ends."""
    command = [sys.executable, "-m", "vidreid.engines.runtimes._tensorrt.child", job.line()]
    answer: dict[str, Any] = {}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as noise:
        # A session of its own: Ctrl-C reaches this process only, which ends the child and cleans up.
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=noise, text=True, start_new_session=True
        ) as child:
            try:
                for line in child.stdout or ():
                    if not line.endswith("\n"):
                        break  # it ended while it spoke
                    answer = json.loads(line)
                    if "progress" in answer:
                        words, share = answer["progress"]
                        progress(f"{library.title}: {words}", share)
            except BaseException:
                child.kill()
                raise
        return _answered(library, job, answer, child.returncode, noise)


def _answered(library: Library, job: Job, answer: dict[str, Any], status: int, noise: IO[str]) -> list[dict[str, Any]]:
    if "error" in answer:
        raise InputError(*answer["error"])
    if "errno" in answer:
        raise OSError(*answer["errno"])
    if "tensors" in answer and status == 0:
        tensors: list[dict[str, Any]] = answer["tensors"]
        return tensors
    noise.seek(0)
    last = next((line.strip() for line in reversed(noise.readlines()) if line.strip()), "it does not say why")
    how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    memory = " (the machine's memory may be too small)" if how.endswith("SIGKILL") else ""
    raise InputError(
        f"{job.name}: {library.title}'s builder {how}{memory}: {last[:200]}",
        "try a smaller --batch or another --precision",
    )
