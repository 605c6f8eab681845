"""Networks in OpenVINO's format, made on the spot by OpenVINO itself, and what it computes of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
import openvino.opset8 as ops
import torch
from torch import Tensor

from vidreid.engines.runtimes.openvino import shared_core

SIZE = (32, 16)
DIM = 8


def constant(*shape: int, seed: int = 0, low: float = -1.0):
    return ops.constant(np.random.default_rng(seed).uniform(low, 1, shape).astype(np.float32))


def integers(*values: int):
    return ops.constant(np.array(values, np.int64))


def save(path: Path, build: Callable, shape: tuple[int, ...] = (1, 3, *SIZE)) -> Path:
    """Write what ``build`` makes of a picture as ``path`` (.xml) and its .bin, with constants in 16 bits."""
    pictures = ops.parameter(shape, np.float32, name="pictures")
    ov.save_model(ov.Model([build(pictures)], [pictures], "tiny"), path, compress_to_fp16=True)
    return path


def openvino(path: Path, pictures: Tensor) -> Tensor:
    """What OpenVINO gives of each of ``pictures`` (n, C, H, W), in float32."""
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    network = shared_core().compile_model(path, "CPU", settings)
    return torch.cat([torch.from_numpy(network(picture[None].numpy())[0].copy()) for picture in pictures])


def embedder(pictures):
    """All operations that are known, each as Open Model Zoo's networks have it: (1, 3, 32, 16) to (1, DIM)."""
    seen = ops.gather(pictures, integers(2, 1, 0), integers(1))
    seen = ops.multiply(ops.subtract(seen, constant(1, 3, 1, 1)), constant(1, 3, 1, 1, low=0.5))
    maps = ops.convolution(seen, constant(6, 3, 7, 7), [2, 2], [3, 3], [3, 3], [1, 1])
    maps = ops.mvn(maps, integers(2, 3), True, 1e-5, "inside_sqrt")
    maps = ops.relu(ops.add(maps, constant(1, 6, 1, 1)))
    maps = ops.max_pool(maps, [2, 2], [1, 1], [1, 1], [1, 1], [3, 3], "floor").output(0)
    part = ops.group_convolution(maps, constant(6, 1, 1, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1])
    gate = ops.sigmoid(ops.reduce_mean(part, integers(2, 3), True))
    maps = ops.avg_pool(ops.multiply(part, gate), [2, 2], [0, 0], [0, 0], [2, 2], True)
    maps = ops.group_convolution(maps, constant(6, 1, 1, 4, 2), [1, 1], [0, 0], [0, 0], [1, 1])
    flat = ops.reshape(maps, integers(-1, 6), True)
    vectors = ops.matmul(flat, constant(DIM, 6), False, True)
    count = ops.gather(ops.shape_of(flat), integers(0), ops.constant(np.int64(0)))
    vectors = ops.reshape(vectors, ops.concat([count, integers(-1), integers(1)], 0), True)
    return ops.reshape(ops.prelu(vectors, constant(1, 1)), integers(0, -1), True)
