"""Free axes of a graph: how many pictures at once, and of which sizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import ModelProto, ValueInfoProto

from vidreid.engines.graph.model import add_constant, constants, without_weights
from vidreid.errors import InputError

Length = int | str | None

BATCH = "N"
TRIED = (2, 3)  # batches with which a graph must agree


def set_shape(value: ValueInfoProto, shape: Sequence[Length]) -> None:
    """State the shape of an input or output; a name or None stands for a free length."""
    dims = value.type.tensor_type.shape
    dims.ClearField("dim")
    for length in shape:
        dim = dims.dim.add()
        if isinstance(length, str):
            dim.dim_param = length
        elif length is not None:
            dim.dim_value = length


def lengths(value: ValueInfoProto) -> list[int]:
    """The axes of an input or output; -1 is free."""
    return [dim.dim_value if dim.HasField("dim_value") else -1 for dim in value.type.tensor_type.shape.dim]


def free_leading_axes(model: ModelProto) -> None:
    """Of a graph made for one batch, let each `Reshape` to a fixed shape find out its first length."""
    inferred = onnx.shape_inference.infer_shapes(without_weights(model), data_prop=True).graph
    shapes = {value.name: lengths(value) for value in (*inferred.value_info, *inferred.output)}
    known = constants(model)
    for node in model.graph.node:
        if node.op_type != "Reshape" or node.input[0] in known or node.input[1] not in known:
            continue
        shape = shapes.get(node.output[0], [])
        if len(shape) > 1 and shape[0] > 0 and min(shape[1:]) > 0:
            node.input[1] = add_constant(model, f"{node.output[0]}.free", np.array([-1, *shape[1:]], np.int64))


def check_batch(model: ModelProto, shape: Sequence[int], name: str) -> None:
    """`InputError` unless N inputs of ``shape``, each alone, follow through the graph to N of every output."""
    trial = without_weights(model)
    for batch in TRIED:
        set_shape(trial.graph.input[0], [batch, *shape])
        for value in trial.graph.output:
            value.type.tensor_type.ClearField("shape")
        try:
            outputs = onnx.shape_inference.infer_shapes(trial, strict_mode=True).graph.output
        except onnx.shape_inference.InferenceError as error:
            reason = " ".join(str(error).split())[:120]
            raise InputError(f"{name}: does not take {batch} at once: {reason}", HINT) from None
        for value in outputs:
            found = lengths(value)
            if found and found[0] not in {batch, -1}:
                raise InputError(f"{name}: makes {found[0]} of {batch} inputs: it is made for one batch size", HINT)


HINT = "export it with a free batch axis (dynamic=True)"
