"""The input of a graph as pictures: uint8 RGB as they are decoded, everything else done inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from vidreid.engines.graph.axes import BATCH, Length, lengths
from vidreid.engines.graph.model import add_constant, rename
from vidreid.engines.source import INPUT
from vidreid.errors import InputError
from vidreid.types import InputSpec, ModelSpec

CHANNELS = 3
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)
BGR = (2, 1, 0)
PIXELS = f"{INPUT}.normalised"  # what the graph was made for

Step = tuple[str, Sequence[str], dict[str, Any]]  # operator, constants, attributes


def take_pictures(model: ModelProto, spec: ModelSpec, name: str) -> tuple[int, list[int]]:
    """Give the graph its one input ``images``; the batch that it was made for (-1: any) and [T] where it takes clips.

    Float pictures get colour order, scale, mean and std of ``spec``; uint8 ones normalise themselves. `InputError`
    where the graph takes anything else than the spec states.
    """
    taken = _only_input(model, name)
    kind, shape = taken.type.tensor_type.elem_type, lengths(taken)
    ready = kind == TensorProto.UINT8
    if not ready and kind not in FLOATS:
        raise InputError(f"{name}: its input is neither uint8 nor float pictures", "export it with float32 pictures")
    clip = [spec.frames] if spec.frames > 1 else []
    single = ready and not clip and len(shape) == 5  # takes clips, here of one picture each
    inner = [1] if single else clip
    for size in spec.sizes or (spec.input.size,):
        _check_shape(shape, [*inner, *size, CHANNELS] if ready else [*inner, CHANNELS, *size], name)
    if single:
        steps: list[Step] = [("Unsqueeze", [add_constant(model, f"{INPUT}.clip", np.array([1]))], {})]
    else:
        steps = [] if ready else _normalisation(model, spec.input, kind, len(shape))
    rename(model, taken.name, PIXELS if steps else INPUT)
    nodes = [*_chain(steps), *model.graph.node]
    del model.graph.node[:], model.graph.input[:]
    model.graph.node.extend(nodes)
    free: list[Length] = [BATCH, *clip, "H", "W", CHANNELS]
    model.graph.input.append(helper.make_tensor_value_info(INPUT, TensorProto.UINT8, free))
    return shape[0], clip


def _only_input(model: ModelProto, name: str) -> Any:
    """The input that is not a weight, which old exporters list too."""
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1:
        raise InputError(f"{name}: {len(inputs)} inputs, one was expected", "export it with pictures as its one input")
    return inputs[0]


def _check_shape(has: list[int], wanted: list[int], name: str) -> None:
    fits = len(has) == len(wanted) + 1
    if not fits or any(length > 0 and length != want for length, want in zip(has[1:], wanted, strict=True)):
        words = [" x ".join(str(length) if length > 0 else "any" for length in it) for it in (has[1:], wanted)]
        raise InputError(
            f"{name}: takes pictures of {words[0]}, stated is {words[1]}",
            "state the size and frames that it was made for, or export it for these",
        )


def _normalisation(model: ModelProto, spec: InputSpec, kind: int, rank: int) -> list[Step]:
    """From uint8 RGB, channels last, to what a graph of float pictures was trained on.

    In float32: 16 bits would shift every pixel by the same error.
    """
    channel = rank - CHANNELS
    perm = [*range(channel), rank - 1, rank - 3, rank - 2]
    steps: list[Step] = [("Cast", [], {"to": TensorProto.FLOAT}), ("Transpose", [], {"perm": perm})]
    if spec.color == "bgr":
        steps.append(("Gather", [add_constant(model, f"{INPUT}.bgr", np.array(BGR))], {"axis": channel}))
    mean, std = (np.array(it, np.float32).reshape(-1, 1, 1) for it in (spec.mean, spec.std))
    center, width = spec.scale * mean, spec.scale * std
    if center.any():
        steps.append(("Sub", [add_constant(model, f"{INPUT}.mean", center)], {}))
    if (width != 1).any():
        steps.append(("Div", [add_constant(model, f"{INPUT}.std", width)], {}))
    if kind != TensorProto.FLOAT:
        steps.append(("Cast", [], {"to": kind}))
    return steps


def _chain(steps: Sequence[Step]) -> list[NodeProto]:
    """Nodes from `INPUT` to `PIXELS`."""
    nodes, before = [], INPUT
    for number, (operator, others, attributes) in enumerate(steps, 1):
        after = PIXELS if number == len(steps) else f"{INPUT}.{number}"
        nodes.append(helper.make_node(operator, [before, *others], [after], f"{INPUT}/{operator}", **attributes))
        before = after
    return nodes
