"""CUDA through the driver's own library: GPUs, streams, memory, graphs. Needs no package and no CUDA toolkit."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint64, c_void_p
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidreid.types import Array

_COMPUTE_CAPABILITY_MAJOR, _COMPUTE_CAPABILITY_MINOR = 75, 76
_CAPTURE_OF_THIS_THREAD = 1
_NO_FLAGS = 0


class CudaError(RuntimeError):
    """What the driver says of a call that failed."""


@functools.cache
def driver() -> Any:
    """The driver's library, initialised; `CudaError` on machines without one."""
    try:
        library = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError as error:
        raise CudaError(f"no NVIDIA driver ({error})") from None
    code = library.cuInit(0)
    if code:
        raise CudaError(f"the NVIDIA driver finds no GPU (error {code})")
    return library


def call(name: str, *arguments: Any) -> None:
    """A function of the driver; `CudaError` where it fails."""
    library = driver()
    code = getattr(library, name)(*arguments)
    if code:
        words = c_char_p()
        library.cuGetErrorString(code, byref(words))
        raise CudaError(f"{name}: {(words.value or b'unknown error').decode()}")


@dataclass(frozen=True)
class Gpu:
    """A GPU of this machine: ``capability`` as sm89, ``driver`` the newest CUDA that its driver runs, as 13.0."""

    name: str
    capability: str
    driver: str


def find_gpu() -> Gpu:
    """The first GPU that the process sees (``CUDA_VISIBLE_DEVICES``), the only one used; `CudaError` without one."""
    device, version, name = c_int(), c_int(), ctypes.create_string_buffer(256)
    call("cuDeviceGet", byref(device), c_int(0))
    call("cuDriverGetVersion", byref(version))
    call("cuDeviceGetName", name, c_int(len(name)), device)
    major, minor = (_attribute(device, which) for which in (_COMPUTE_CAPABILITY_MAJOR, _COMPUTE_CAPABILITY_MINOR))
    runs = f"{version.value // 1000}.{version.value % 1000 // 10}"
    return Gpu(name.value.decode(), f"sm{major}{minor}", runs)


def _attribute(device: c_int, which: int) -> int:
    value = c_int()
    call("cuDeviceGetAttribute", byref(value), c_int(which), device)
    return value.value


def use_gpu() -> None:
    """Make it the GPU of the calling thread."""
    call("cuCtxSetCurrent", _context())


@functools.cache
def _context() -> c_void_p:
    """The GPU's one context that all libraries of a process share, torch among them."""
    device, context = c_int(), c_void_p()
    call("cuDeviceGet", byref(device), c_int(0))
    call("cuDevicePrimaryCtxRetain", byref(context), device)
    return context


class Stream:
    """A queue of work of the GPU."""

    def __init__(self) -> None:
        self._handle = c_void_p()
        call("cuStreamCreate", byref(self._handle), c_int(_NO_FLAGS))

    @property
    def handle(self) -> int:
        """What other libraries call it by."""
        return self._handle.value or 0

    def synchronize(self) -> None:
        """Wait until all of it is done."""
        call("cuStreamSynchronize", self._handle)

    def capture(self, work: Callable[[], None]) -> Graph:
        """What ``work`` puts into this stream, as a graph to be launched at once; `CudaError` where it cannot be."""
        graph, executable = c_void_p(), c_void_p()
        call("cuStreamBeginCapture_v2", self._handle, c_int(_CAPTURE_OF_THIS_THREAD))
        try:
            work()
        finally:
            # A stream that is left capturing could never be used again.
            call("cuStreamEndCapture", self._handle, byref(graph))
        try:
            call("cuGraphInstantiateWithFlags", byref(executable), graph, c_uint64(_NO_FLAGS))
        finally:
            call("cuGraphDestroy", graph)
        return Graph(executable)

    def close(self) -> None:
        """Give it back; nothing may be under way."""
        call("cuStreamDestroy_v2", self._handle)


class Graph:
    """Recorded work, launched by one call."""

    def __init__(self, executable: c_void_p) -> None:
        self._executable = executable

    def launch(self, stream: Stream) -> None:
        """Put it into a stream."""
        call("cuGraphLaunch", self._executable, c_void_p(stream.handle))

    def close(self) -> None:
        """Give it back."""
        call("cuGraphExecDestroy", self._executable)


class Buffer:
    """An array twice: ``host`` in pinned memory, which copies need no detour for, and ``address`` on the GPU."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._size = max(1, int(np.prod(shape)) * dtype.itemsize)
        self._pinned, self._device = c_void_p(), c_uint64()
        call("cuMemAlloc_v2", byref(self._device), c_size_t(self._size))
        call("cuMemHostAlloc", byref(self._pinned), c_size_t(self._size), c_int(_NO_FLAGS))
        memory = (ctypes.c_uint8 * self._size).from_address(self._pinned.value or 0)
        self.host: Array = (
            np.ctypeslib.as_array(memory)[: int(np.prod(shape)) * dtype.itemsize].view(dtype).reshape(shape)
        )

    @property
    def address(self) -> int:
        """Where it is on the GPU."""
        return self._device.value

    def upload(self, stream: Stream) -> None:
        """Copy what is in ``host`` to the GPU, in the stream's order."""
        call("cuMemcpyHtoDAsync_v2", self._device, self._pinned, c_size_t(self._size), c_void_p(stream.handle))

    def download(self, stream: Stream) -> None:
        """Copy the GPU's array into ``host``, in the stream's order."""
        call("cuMemcpyDtoHAsync_v2", self._pinned, self._device, c_size_t(self._size), c_void_p(stream.handle))

    def close(self) -> None:
        """Give both back; ``host`` must not be touched any more."""
        call("cuMemFree_v2", self._device)
        call("cuMemFreeHost", self._pinned)
