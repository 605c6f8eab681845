"""Floating-point operations of a network, counted from its graph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vidreid.errors import InputError


def count_flops(network: Path, shape: Sequence[int]) -> int:
    """Twice the multiply-adds of convolutions and matrix products of an ONNX file or an IR for one input of ``shape``.

    Everything else is small beside them. An operator whose shapes depend on what the pictures show is not counted;
    `InputError` where the file takes no such input.
    """
    from vidreid.engines.runtimes.openvino import shared_core

    try:
        # Once the input's shape is fixed, it knows all others.
        graph = shared_core().read_model(str(network))
        graph.reshape(list(shape))
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(
            f"{network.name}: operations cannot be counted: {reason}", "export the network again"
        ) from None
    return 2 * sum(_multiply_adds(node) for node in graph.get_ops())


# How many leading axes of a convolution's kernel are not summed over, and whether each number of its output is such a
# sum (else each of its input goes into one).
_KERNELS = {
    "Convolution": (1, True),
    "GroupConvolution": (2, True),
    "ConvolutionBackpropData": (1, False),
    "GroupConvolutionBackpropData": (2, False),
}


def _multiply_adds(node: Any) -> int:
    kind: str = node.get_type_name()
    if kind not in _KERNELS and kind != "MatMul":
        return 0
    values = [*node.inputs()[:2], node.output(0)]
    if any(value.get_partial_shape().is_dynamic for value in values):
        return 0
    left, right, result = (_shape(value) for value in values)
    if kind == "MatMul":
        across = left[-2] if node.get_attributes()["transpose_a"] and len(left) > 1 else left[-1]
        return math.prod(result) * across
    apart, summed = _KERNELS[kind]
    return math.prod(result if summed else left) * math.prod(right[apart:])


def _shape(value: Any) -> list[int]:
    return [int(length) for length in value.get_partial_shape().to_shape()]
