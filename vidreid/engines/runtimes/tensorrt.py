"""TensorRT 10 and 11: plans for the NVIDIA GPU that builds them."""

from __future__ import annotations

from vidreid.engines.runtimes._tensorrt.api import TensorRT
from vidreid.engines.runtimes._tensorrt.runtime import TensorRTRuntime

_runtime = TensorRTRuntime(TensorRT())

PRECISIONS = _runtime.PRECISIONS
available = _runtime.available
version = _runtime.version
target = _runtime.target
build = _runtime.build
load = _runtime.load
usual_batch = _runtime.usual_batch
layers = _runtime.layers
refuses = _runtime.refuses
warns = _runtime.warns
