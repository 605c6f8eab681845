"""Any network of pictures in standard form: uint8 in, normalisation inside, outputs by known names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import ModelProto, TensorProto, helper

from vidreid.engines.graph.axes import BATCH, Length, check_batch, free_leading_axes, lengths, set_shape
from vidreid.engines.graph.model import check_graph, name_nodes, read_graph, rename, without_weights
from vidreid.engines.graph.pictures import CHANNELS, take_pictures
from vidreid.engines.graph.simplify import simplify
from vidreid.engines.source import BOXES, EMBEDDING, ROWS
from vidreid.errors import InputError
from vidreid.types import ModelSpec


def to_standard(onnx_path: Path, spec: ModelSpec, target: Path) -> None:
    """Write a network as `Source` wants it: ``images`` uint8 RGB (N, H, W, 3), or (N, T, H, W, 3) where
    ``spec.frames`` is above 1; ``embedding`` (N, dim) (and ``rows``) or ``boxes`` (N, n, 6), float32.

    Takes float pictures (N, [T,] 3, H, W), to which colour order, scale, mean and std of ``spec.input`` are applied
    here, or uint8 ones in our layout, which normalise themselves. N becomes free; H and W stay so where ``spec.sizes``
    names several. The same file gives the same bytes. `InputError` where the graph contradicts itself or the spec, or
    where one of these axes is not free.
    """
    name = onnx_path.name
    model = read_graph(onnx_path)
    batch, clip = take_pictures(model, spec, name)
    _name_outputs(model, spec, name)
    sizes = spec.sizes or (spec.input.size,)
    if batch > 0:
        _set_input(model, [batch, *clip, *sizes[0], CHANNELS])
        simplify(model)  # what is left of shapes is what the batch is in
        free_leading_axes(model)
    _set_input(model, [BATCH, *clip, *(sizes[0] if len(sizes) == 1 else ("H", "W")), CHANNELS])
    simplify(model)
    for size in sizes:
        check_batch(model, [*clip, *size, CHANNELS], name)
    _state_outputs(model, spec, name)
    name_nodes(model)
    check_graph(model, name)
    target.write_bytes(model.SerializeToString(deterministic=True))


def _set_input(model: ModelProto, shape: Sequence[Length]) -> None:
    """State the shape of the one input; what was inferred from another is dropped."""
    del model.graph.value_info[:]
    set_shape(model.graph.input[0], shape)


def _name_outputs(model: ModelProto, spec: ModelSpec, name: str) -> None:
    """Let the graph end in float32 ``boxes`` or ``embedding``, and ``rows`` where it has them; nothing else."""
    wanted = BOXES if spec.kind == "detector" else EMBEDDING
    outputs = [value for value in model.graph.output if value.name != ROWS or spec.kind == "detector"]
    if len(outputs) != 1:
        raise InputError(f"{name}: {len(outputs)} outputs, one was expected", f"export it with {wanted} alone")
    (value,) = outputs
    steps: list[tuple[str, dict[str, Any]]] = []
    if wanted == EMBEDDING and len(lengths(value)) > 2:
        steps.append(("Flatten", {}))
    if value.type.tensor_type.elem_type != TensorProto.FLOAT:
        steps.append(("Cast", {"to": TensorProto.FLOAT}))
    values = [*(f"{wanted}.{number}" for number in range(len(steps))), wanted]
    rename(model, value.name, values[0])
    for (operator, attributes), before, after in zip(steps, values, values[1:], strict=False):
        model.graph.node.append(helper.make_node(operator, [before], [after], f"{wanted}/{operator}", **attributes))
    value.CopyFrom(helper.make_tensor_value_info(wanted, TensorProto.FLOAT, None))


def _state_outputs(model: ModelProto, spec: ModelSpec, name: str) -> None:
    """Write down the shapes of the outputs; `InputError` where the length of vectors is not the spec's."""
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(without_weights(model), data_prop=True).graph.output
    for value, found in zip(model.graph.output, inferred, strict=True):
        shape = lengths(found) or ([-1, spec.dim or -1] if value.name == EMBEDDING else [-1, -1, -1])
        if value.name == EMBEDDING and spec.dim and shape[-1] not in {-1, spec.dim}:
            raise InputError(f"{name}: vectors of {shape[-1]} numbers, not {spec.dim}", f"state dim: {shape[-1]}")
        set_shape(value, [BATCH, *(None if length < 0 else length for length in shape[1:])])
