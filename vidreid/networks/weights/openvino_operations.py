"""The operations of OpenVINO's sets that `openvino_ir` knows: attributes, as the XML states them, to a torch function.

They are those of Open Model Zoo's person-reidentification-retail networks; one more is a function and its line in
`OPERATIONS`. Attributes that a function is not written for are a `ValueError`. Source: OpenVINO's specification of
each operation ("Available Operation Sets", under the type and set that the table names).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

Attributes = Mapping[str, str]
Compute = Callable[..., Tensor]


def stated(attributes: Attributes, name: str) -> str:
    """An attribute that must be there."""
    if name not in attributes:
        raise ValueError(f"{name} is not stated")
    return attributes[name]


def expect(attributes: Attributes, **wanted: str) -> None:
    """Refuse values other than ``wanted``, each of which is also what its attribute is where it is left out."""
    for name, value in wanted.items():
        if attributes.get(name, value) != value:
            raise ValueError(f"{name} {attributes[name]!r} is not known here")


def numbers(text: str) -> tuple[int, ...]:
    """A list of counts (``"1, 3"``), which may be empty."""
    found = tuple(int(number) for number in text.split(",")) if text.strip() else ()
    if min(found, default=0) < 0:
        raise ValueError(f"{text!r} are no counts")
    return found


def _flag(attributes: Attributes, name: str) -> bool:
    return stated(attributes, name) == "true"


def _pair(attributes: Attributes, name: str) -> tuple[int, ...]:
    found = numbers(stated(attributes, name))
    if len(found) != 2:
        raise ValueError(f"{name} are {len(found)} numbers, not two")
    return found


def _padding(attributes: Attributes) -> tuple[int, ...]:
    expect(attributes, auto_pad="explicit", pads_end=stated(attributes, "pads_begin"))
    return _pair(attributes, "pads_begin")


def _add(attributes: Attributes) -> Compute:
    expect(attributes, auto_broadcast="numpy")
    # Under autocast the type of what a convolution gave goes on, not that of the constants.
    return lambda left, right: left + right.to(left.dtype)


def _subtract(attributes: Attributes) -> Compute:
    expect(attributes, auto_broadcast="numpy")
    return lambda left, right: left - right.to(left.dtype)


def _multiply(attributes: Attributes) -> Compute:
    expect(attributes, auto_broadcast="numpy")
    return lambda left, right: left * right.to(left.dtype)


def _convolution(attributes: Attributes) -> Compute:
    stride, dilation, padding = _pair(attributes, "strides"), _pair(attributes, "dilations"), _padding(attributes)
    return lambda pictures, kernels: functional.conv2d(pictures, kernels, None, stride, padding, dilation)


def _group_convolution(attributes: Attributes) -> Compute:
    stride, dilation, padding = _pair(attributes, "strides"), _pair(attributes, "dilations"), _padding(attributes)

    def compute(pictures: Tensor, kernels: Tensor) -> Tensor:
        groups = pictures.shape[1] // kernels.shape[1]
        return functional.conv2d(pictures, kernels, None, stride, padding, dilation, groups)

    return compute


def _max_pool(attributes: Attributes) -> Compute:
    expect(attributes, rounding_type="floor", dilations="1, 1")
    kernel, stride, padding = _pair(attributes, "kernel"), _pair(attributes, "strides"), _padding(attributes)
    return lambda pictures: functional.max_pool2d(pictures, kernel, stride, padding)


def _avg_pool(attributes: Attributes) -> Compute:
    expect(attributes, rounding_type="floor")
    kernel, stride, padding = _pair(attributes, "kernel"), _pair(attributes, "strides"), _padding(attributes)
    with_zeros = not _flag(attributes, "exclude-pad")
    return lambda pictures: functional.avg_pool2d(pictures, kernel, stride, padding, count_include_pad=with_zeros)


def _reduce_mean(attributes: Attributes) -> Compute:
    keep = _flag(attributes, "keep_dims")
    return lambda values, axes: values.mean(_axes(axes), keepdim=keep)


def _mvn(attributes: Attributes) -> Compute:
    """Mean and variance of each picture's axes become 0 and 1."""
    expect(attributes, normalize_variance="true", eps_mode="INSIDE_SQRT")
    epsilon = float(stated(attributes, "eps"))

    def compute(values: Tensor, axes: Tensor) -> Tensor:
        exact = values.float()
        variance, mean = torch.var_mean(exact, _axes(axes), correction=0, keepdim=True)
        return ((exact - mean) * (variance + epsilon).rsqrt()).to(values.dtype)

    return compute


def _axes(axes: Tensor) -> list[int]:
    found: list[int] = axes.flatten().tolist()
    if not found:
        raise ValueError("no axes")  # to torch, all of them
    return found


def _gather(attributes: Attributes) -> Compute:
    expect(attributes, batch_dims="0")

    def compute(values: Tensor, places: Tensor, axis: Tensor) -> Tensor:
        along = range(values.ndim)[int(axis)]
        before, after = values.shape[:along], values.shape[along + 1 :]
        # Held against the size here, since a GPU would not survive a wrong place; negative ones count from the end.
        known = torch.arange(values.shape[along])[places]
        found = values.index_select(along, known.flatten().to(values.device))
        return found.reshape(*before, *places.shape, *after)

    return compute


def _shape_of(values: Tensor) -> Tensor:
    return torch.tensor(values.shape)


def _concat(attributes: Attributes) -> Compute:
    axis = int(stated(attributes, "axis"))
    return lambda *parts: torch.cat(parts, axis)


def _reshape(attributes: Attributes) -> Compute:
    zero_keeps = _flag(attributes, "special_zero")

    def compute(values: Tensor, shape: Tensor) -> Tensor:
        sizes = shape.tolist()
        return values.reshape(
            [values.shape[place] if size == 0 and zero_keeps else size for place, size in enumerate(sizes)]
        )

    return compute


def _mat_mul(attributes: Attributes) -> Compute:
    first, second = _flag(attributes, "transpose_a"), _flag(attributes, "transpose_b")
    return lambda left, right: torch.matmul(left.mT if first else left, right.mT if second else right)


def _prelu(values: Tensor, slopes: Tensor) -> Tensor:
    """Slopes in a list are those of channels; else they are broadcast."""
    if slopes.ndim == 1:
        slopes = slopes.reshape(-1, *[1] * (values.ndim - 2))
    return torch.where(values < 0, values * slopes.to(values.dtype), values)


def convert(attributes: Attributes) -> Compute:
    """Numbers of another type to float32."""
    if stated(attributes, "destination_type") != "f32":
        raise ValueError(f"to {attributes['destination_type']!r} is not known here")
    return lambda values: values.float()


def _plain(compute: Compute) -> Callable[[Attributes], Compute]:
    """An operation without attributes that matter here."""
    return lambda attributes: compute


OPERATIONS: dict[tuple[str, str], Callable[[Attributes], Compute]] = {
    ("Add", "opset1"): _add,
    ("AvgPool", "opset1"): _avg_pool,
    ("Concat", "opset1"): _concat,
    ("Convert", "opset1"): convert,
    ("Convolution", "opset1"): _convolution,
    ("Gather", "opset8"): _gather,
    ("GroupConvolution", "opset1"): _group_convolution,
    ("MVN", "opset6"): _mvn,
    ("MatMul", "opset1"): _mat_mul,
    ("MaxPool", "opset8"): _max_pool,
    ("Multiply", "opset1"): _multiply,
    ("PReLU", "opset1"): _plain(_prelu),
    ("ReLU", "opset1"): _plain(functional.relu),
    ("ReduceMean", "opset1"): _reduce_mean,
    ("Reshape", "opset1"): _reshape,
    ("ShapeOf", "opset3"): _plain(_shape_of),
    ("Sigmoid", "opset1"): _plain(torch.sigmoid),
    ("Subtract", "opset1"): _subtract,
}
