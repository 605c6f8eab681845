"""TensorRT-RTX 1.x: plans for GeForce and RTX GPUs, built on any machine, also without a GPU."""

from __future__ import annotations

from vidreid.engines.runtimes._tensorrt.api import TensorRTRTX
from vidreid.engines.runtimes._tensorrt.runtime import TensorRTRuntime

_runtime = TensorRTRuntime(TensorRTRTX())

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
