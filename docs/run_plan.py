"""Runs a TensorRT engine that `vidreid engine build` made, with tensorrt and NumPy alone: no torch, no vidreid.

    python run_plan.py ENGINE_FOLDER

It computes the engine's own golden inputs and prints how far the answers are from torch's. Take `Plan` for a program
of your own: uint8 RGB pictures in (N x H x W x 3, or clips N x T x H x W x 3), named arrays out. CUDA is called through
the driver's library, which every machine with an NVIDIA GPU has.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import sys
from ctypes import byref, c_int, c_size_t, c_uint64, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Plan:
    """A plan on the first GPU. ``library``: the module tensorrt or tensorrt_rtx, of the version that built the plan."""

    def __init__(self, path: Path, library: Any) -> None:
        self.cuda = ctypes.CDLL("libcuda.so.1")
        device, cuda_context, self.stream = c_int(), c_void_p(), c_void_p()
        self.call("cuInit", c_int(0))
        self.call("cuDeviceGet", byref(device), c_int(0))
        self.call("cuDevicePrimaryCtxRetain", byref(cuda_context), device)
        self.call("cuCtxSetCurrent", cuda_context)
        self.call("cuStreamCreate", byref(self.stream), c_int(0))
        self.trt = library
        self.runtime = library.Runtime(library.Logger(library.Logger.WARNING))
        self.engine = self.runtime.deserialize_cuda_engine(path.read_bytes())
        if self.engine is None:
            raise SystemExit(f"{path}: not a plan for {library.__name__} {library.__version__} and this GPU")
        self.context = self.engine.create_execution_context()

    def call(self, name: str, *arguments: Any) -> None:
        """A function of the driver."""
        if code := getattr(self.cuda, name)(*arguments):
            raise RuntimeError(f"{name}: error {code}")

    def run(self, images: Array) -> dict[str, Array]:
        """The outputs by name."""
        images = np.ascontiguousarray(images)
        names = [self.engine.get_tensor_name(place) for place in range(self.engine.num_io_tensors)]
        self.context.set_optimization_profile_async(self.profile(names[0], images.shape), self.stream.value)
        self.context.set_input_shape(names[0], images.shape)
        arrays = {names[0]: images}
        for name in names[1:]:
            dtype = self.trt.nptype(self.engine.get_tensor_dtype(name))
            arrays[name] = np.empty(tuple(self.context.get_tensor_shape(name)), dtype)
        places = {name: c_uint64() for name in names}
        for name, array in arrays.items():
            self.call("cuMemAlloc_v2", byref(places[name]), c_size_t(array.nbytes))
            self.context.set_tensor_address(name, places[name].value)
        at, size = c_void_p(images.ctypes.data), c_size_t(images.nbytes)
        self.call("cuMemcpyHtoDAsync_v2", places[names[0]], at, size, self.stream)
        if not self.context.execute_async_v3(self.stream.value):
            raise RuntimeError("the batch could not be started")
        for name in names[1:]:
            at, size = c_void_p(arrays[name].ctypes.data), c_size_t(arrays[name].nbytes)
            self.call("cuMemcpyDtoHAsync_v2", at, places[name], size, self.stream)
        self.call("cuStreamSynchronize", self.stream)
        for place in places.values():
            self.call("cuMemFree_v2", place)
        return {name: arrays[name] for name in names[1:]}

    def profile(self, name: str, shape: tuple[int, ...]) -> int:
        """The optimisation profile for that shape."""
        for place in range(self.engine.num_optimization_profiles):
            least, _, most = self.engine.get_tensor_profile_shape(name, place)
            if all(low <= it <= high for low, it, high in zip(least, shape, most, strict=True)):
                return place
        raise SystemExit(f"the plan has no profile for {tuple(shape)}")


def main(folder: Path) -> None:
    """Compare the plan of an engine's folder with torch."""
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    plan = Plan(folder / next(iter(card["files"])), importlib.import_module(card["runtime"].replace("-", "_")))
    with np.load(folder / "golden.npz") as golden:
        for key in golden.files:
            name, _, size = key.partition("/")
            if name != "images":
                continue
            for output, found in in_batches(plan, golden[key], card["batch"][2]).items():
                wanted = golden[f"{output}/{size}"]
                print(f"{size} {output}: largest difference from torch {np.abs(found - wanted).max():.4g}")


def in_batches(plan: Plan, images: Array, most: int) -> dict[str, Array]:
    """The outputs for any number of pictures."""
    parts = [plan.run(images[start : start + most]) for start in range(0, len(images), most)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
