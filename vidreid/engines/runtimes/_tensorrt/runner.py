"""Runs a plan: several execution contexts, each with its own stream and pinned buffers, behind the engine interface."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vidreid.engines.folder import built_here, compiled
from vidreid.engines.runtimes._tensorrt.api import Library, listen, said
from vidreid.engines.runtimes._tensorrt.cuda import Buffer, CudaError, Graph, Stream, use_gpu
from vidreid.engines.runtimes._tensorrt.dlpack import Resident, is_resident, resident
from vidreid.engines.slots import SlotEngine, input_shape
from vidreid.engines.source import INPUT
from vidreid.errors import InputError, MissingError
from vidreid.types import Array, Engine, Model

_AGAIN = "build the engine again: vidreid engine build"


def load(library: Library, model: Model, *, streams: int, batch: int, portable: bool) -> Engine:
    """A plan on the GPU, for batches of exactly ``batch``; two contexts a stream, so that copies hide behind computing.

    Code that a ``portable`` one may hold runs only if this machine built it, or the user trusts the model.
    `InputError` where it may not, where it is no plan for this version and GPU or ``batch`` is not in its profile;
    `MissingError` where it does not start, as where the GPU's memory is too small.
    """
    shape, plan = input_shape(model.spec, batch), model.path.read_bytes()
    digest, code = hashlib.sha256(plan).hexdigest(), library.holds_code(portable=portable)
    if code and not getattr(model, "trusted", False) and not built_here(digest).is_file():
        raise InputError(
            f"{model.path.name}: a portable plan can run any code, and this one is not of this machine", _AGAIN
        )
    engine, runtime = _deserialised(library, model.path, plan, code_allowed=code)
    profile = _profile(engine, model.path.name, shape)
    kernels = compiled(digest, library.version())
    with contextlib.ExitStack() as opened:
        try:
            contexts = library.contexts(engine, 2 * streams, kernels)
            slots = []
            for context in contexts:
                slots.append(Context(library, engine, context, profile, shape))
                opened.callback(slots[-1].close)
        except RuntimeError as error:
            raise MissingError(
                f"{model.path.name}: it does not start on the GPU: {error}", "fewer --streams, or a smaller batch"
            ) from None
        opened.pop_all()
    return PlanEngine(slots, shape, keep=(runtime, engine), last=partial(library.keep_compiled, contexts, kernels))


def _deserialised(library: Library, path: Path, plan: bytes, *, code_allowed: bool) -> tuple[Any, Any]:
    """The plan on the GPU, and the library's runtime, which has to outlive it."""
    trt = library.load()
    use_gpu()
    errors: list[str] = []
    runtime = trt.Runtime(listen(trt, errors))
    runtime.engine_host_code_allowed = code_allowed
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        raise InputError(f"{path.name}: {library.title} {library.version()} cannot load it: {said(errors)}", _AGAIN)
    if engine.num_io_tensors == 0 or engine.get_tensor_name(0) != INPUT:
        raise InputError(f"{path.name}: its first tensor is not {INPUT!r}", _AGAIN)
    return engine, runtime


def _profile(engine: Any, name: str, shape: tuple[int, ...]) -> int:
    """The optimisation profile that ``shape`` lies in."""
    known = [engine.get_tensor_profile_shape(INPUT, place) for place in range(engine.num_optimization_profiles)]
    for place, (least, _, most) in enumerate(known):
        if len(least) == len(shape) and all(
            low <= it <= high for low, it, high in zip(least, shape, most, strict=True)
        ):
            return place
    for least, _, most in known:
        if tuple(least[1:]) == shape[1:]:
            raise InputError(
                f"{name}: a batch of {shape[0]}, where it takes {least[0]} to {most[0]}",
                "build it with another profile: vidreid engine build ... --batch LEAST:USUAL:MOST",
            )
    sizes = ", ".join("x".join(map(str, most[1:-1])) for _, _, most in known)
    raise InputError(
        f"{name}: takes pictures of {sizes}, not of {'x'.join(map(str, shape[1:-1]))}",
        "build it for that size: vidreid engine build ... --size HEIGHTxWIDTH",
    )


class Context:
    """A slot: one batch at a time, in a stream of its own. What always happens alike is one CUDA graph."""

    def __init__(self, library: Library, engine: Any, context: Any, profile: int, shape: tuple[int, ...]) -> None:
        self._context = context
        self._opened = contextlib.ExitStack()
        self.stream = Stream()
        self._opened.callback(self.stream.close)
        try:
            self._prepare(library, engine, profile, shape)
        except BaseException:
            self.close()
            raise

    def _prepare(self, library: Library, engine: Any, profile: int, shape: tuple[int, ...]) -> None:
        trt, context = library.load(), self._context
        if context is None:
            raise CudaError("no room for what it computes with")
        context.set_optimization_profile_async(profile, self.stream.handle)
        context.set_input_shape(INPUT, shape)
        names = [engine.get_tensor_name(place) for place in range(1, engine.num_io_tensors)]
        self._images = self._buffer(shape, np.dtype(np.uint8))
        self.outputs: Mapping[str, Buffer] = {
            name: self._buffer(
                tuple(context.get_tensor_shape(name)), np.dtype(trt.nptype(engine.get_tensor_dtype(name)))
            )
            for name in names
        }
        for name, buffer in self.outputs.items():
            context.set_tensor_address(name, buffer.address)
        # The first time, kernels are loaded or compiled, which no graph can hold.
        self._enqueue(self._images.address)
        self._download()
        self.stream.synchronize()
        self._graph = self._captured(library)

    def _buffer(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Buffer:
        buffer = Buffer(shape, dtype)
        self._opened.callback(buffer.close)
        return buffer

    def _captured(self, library: Library) -> Graph | None:
        """All of a batch as one graph; None where the network's work depends on its values."""
        if not library.can_capture(self._context, self.stream.handle):
            return None
        try:
            graph = self.stream.capture(self._whole)
        except RuntimeError:
            return None
        self._opened.callback(graph.close)
        return graph

    def _whole(self) -> None:
        self._images.upload(self.stream)
        self._enqueue(self._images.address)
        self._download()

    def _enqueue(self, images: int) -> None:
        self._context.set_tensor_address(INPUT, images)
        if not self._context.execute_async_v3(self.stream.handle):
            raise RuntimeError("TensorRT could not start the batch")

    def _download(self) -> None:
        for buffer in self.outputs.values():
            buffer.download(self.stream)

    def __call__(self, images: Array | Resident) -> dict[str, Array]:
        """The outputs for pictures in the processor's memory, or on the GPU already: these are read where they are."""
        use_gpu()
        if isinstance(images, Resident):
            self._enqueue(images.address)
            self._download()
        else:
            self._images.host[...] = images
            if self._graph:
                self._graph.launch(self.stream)
            else:
                self._whole()
        self.stream.synchronize()
        return {name: buffer.host.copy() for name, buffer in self.outputs.items()}

    def close(self) -> None:
        """Give back the GPU's memory."""
        use_gpu()
        self._opened.close()
        self._context = None


class PlanEngine(SlotEngine):
    """An engine of contexts. Also takes uint8 arrays that are on the GPU (DLPack), without a copy."""

    def __init__(self, contexts: Sequence[Context], shape: tuple[int, ...], *, keep: Any, last: Any) -> None:
        super().__init__(contexts, shape, list(contexts[0].outputs))
        self._contexts, self._keep, self._last = list(contexts), keep, last

    def submit(self, arrays: Mapping[str, Any]) -> Future[dict[str, Array]]:
        """As `SlotEngine.submit`; the caller's stream is waited for."""
        images = arrays[INPUT]
        if not is_resident(images):
            return super().submit(arrays)
        context = self._idle.get()
        try:
            found = resident(images, context.stream.handle)  # type: ignore[attr-defined]
            if found.shape != self.inputs[INPUT]:
                raise ValueError(f"uint8 {self.inputs[INPUT]} wanted, {found.shape} given")
        except BaseException:
            self._idle.put(context)
            raise
        return self._threads.submit(self._compute, context, found)  # type: ignore[arg-type]

    def close(self) -> None:
        """Wait for what is under way, keep what was compiled, and give back the GPU's memory."""
        super().close()
        if not self._contexts:
            return
        with contextlib.suppress(OSError):  # a cache that cannot be kept costs time only
            self._last()
        for context in self._contexts:
            context.close()
        self._contexts, self._last, self._keep = [], None, None
