"""The build, in a process of its own: a builder that crashes takes nothing else with it.

``python -m vidreid.engines.runtimes._tensorrt.child JOB``, a `Job` as JSON. Writes the plan and its layers, and to
standard output lines of JSON: ``progress``, then ``tensors``, or ``error``.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidreid.engines.card import Target
from vidreid.engines.runtimes._tensorrt.api import LIBRARIES, Library, listen, said
from vidreid.engines.runtimes._tensorrt.layers import network_layers, plan_layers, write_layers
from vidreid.errors import InputError, VidreidError

Shapes = tuple[list[int], list[int], list[int]]
Tell = Callable[[str, float], None]
_PARSED = 0.05


@dataclass(frozen=True)
class Job:
    """What to build: the graph ``onnx`` of the network ``name``, for each of the ``profiles`` (least, usual and most
    shape of its input), for GPUs. ``timings``: the timing cache."""

    library: str
    name: str
    onnx: str
    plan: str
    layers: str
    timings: str
    profiles: list[Shapes]
    capabilities: list[str]
    portable: bool

    def line(self) -> str:
        """As the child takes it."""
        return json.dumps(asdict(self))


def build(job: Job, tell: Tell) -> list[dict[str, Any]]:
    """Write plan and layers; the input and outputs, as cards have them."""
    library = LIBRARIES[job.library]
    trt = library.load()
    errors: list[str] = []
    logger = listen(trt, errors)
    builder = trt.Builder(logger)
    # 10 asks for it, 11 and RTX keep the flag for old callers and know nothing else.
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    _parse(trt, library, network, logger, job)
    tell("parsed", _PARSED)
    config = _config(trt, library, builder, network, job)
    config.progress_monitor = _monitor(trt, tell)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise InputError(
            f"{job.name}: {library.title} cannot build it: {said(errors)}",
            "try another --precision, or --runtime onnxruntime",
        )
    Path(job.plan).write_bytes(plan)
    write_layers(Path(job.layers), _inspected(trt, plan, logger, job) or network_layers(network))
    with contextlib.suppress(OSError):  # a cache that cannot be kept costs time only
        library.save_timings(config, Path(job.timings))
    tell("done", 1.0)
    return _tensors(trt, network)


def _parse(trt: Any, library: Library, network: Any, logger: Any, job: Job) -> None:
    """Read the graph; `InputError` that names the operator and the layer that the library does not know."""
    parser = trt.OnnxParser(network, logger)
    if parser.parse_from_file(job.onnx):
        return
    error = parser.get_error(0)
    operator, layer, reason = error.node_operator(), error.node_name(), said([error.desc()])
    if not operator:
        raise InputError(f"{job.name}: {library.title} cannot read the graph: {reason}", "export the network again")
    unknown = error.code() == trt.ErrorCode.UNSUPPORTED_NODE or "Plugin not found" in reason
    wrong = (
        f"does not know the operator {operator} (layer {layer})" if unknown else f"refuses {operator} (layer {layer})"
    )
    more = "" if unknown else f": {reason}"
    raise InputError(
        f"{job.name}: {library.title} {library.version()} {wrong}{more}",
        "replace that layer in the network, or use --runtime onnxruntime",
    )


def _config(trt: Any, library: Library, builder: Any, network: Any, job: Job) -> Any:
    config = builder.create_builder_config()
    # float32 is where an island or the user wants all of its digits.
    config.clear_flag(trt.BuilderFlag.TF32)
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    for least, usual, most in job.profiles:
        profile = builder.create_optimization_profile()
        profile.set_shape(network.get_input(0).name, least, usual, most)
        if config.add_optimization_profile(profile) < 0:
            raise InputError(f"{job.name}: its input does not take shapes from {least} to {most}", "state other sizes")
    library.configure(config, Target(capabilities=job.capabilities, portable=job.portable))
    library.load_timings(config, Path(job.timings))
    return config


def _inspected(trt: Any, plan: Any, logger: Any, job: Job) -> list[Any]:
    """The plan's layers, where a GPU is here that can load it; else none."""
    runtime = trt.Runtime(logger)
    runtime.engine_host_code_allowed = job.portable
    engine = runtime.deserialize_cuda_engine(plan)
    return plan_layers(trt, engine) if engine else []


def _tensors(trt: Any, network: Any) -> list[dict[str, Any]]:
    found = []
    for role, count, get in (
        ("input", network.num_inputs, network.get_input),
        ("output", network.num_outputs, network.get_output),
    ):
        for tensor in map(get, range(count)):
            dtype = np.dtype(trt.nptype(tensor.dtype)).name
            found.append({"name": tensor.name, "role": role, "dtype": dtype, "shape": list(tensor.shape)})
    return found


def _monitor(trt: Any, tell: Tell) -> Any:
    """Turns the builder's phases within phases into one share of the work."""

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._lock = threading.Lock()
            self._open: dict[str, tuple[float, float]] = {}  # where a phase stands, and how much one step of it is
            self._reached = -1.0

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            with self._lock:
                start, room = self._open.get(parent_phase or "", (0.0, 1.0))
                self._open[phase_name] = start, room / max(1, num_steps)
                self._tell(phase_name)

        def step_complete(self, phase_name: str, step: int) -> bool:
            with self._lock:
                start, size = self._open.get(phase_name, (1.0, 0.0))
                self._open[phase_name] = start + size, size
                return self._tell(phase_name)

        def phase_finish(self, phase_name: str) -> None:
            with self._lock:
                self._open.pop(phase_name, None)

        def _tell(self, phase: str) -> bool:
            """False, which ends the build, where nobody listens any more. Steps of less than 1 % are not told."""
            reached = min(1.0, self._open[phase][0])
            if reached < self._reached + 0.01:
                return True
            self._reached = reached
            try:
                tell(phase.lower(), _PARSED + (1 - _PARSED) * reached)
            except OSError:
                return False
            return True

    return Monitor()


def main() -> None:
    """Build what the command line says."""
    # Libraries that print would otherwise print between the lines.
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def send(**message: Any) -> None:
        print(json.dumps(message), file=lines, flush=True)

    try:
        job = Job(**json.loads(sys.argv[1]))
        send(tensors=build(job, lambda words, share: send(progress=[words, share])))
    except VidreidError as error:
        send(error=[error.message, error.hint])
    except OSError as error:
        send(errno=[error.errno, error.strerror, str(error.filename or "")])


if __name__ == "__main__":
    main()
