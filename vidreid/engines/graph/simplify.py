"""The same graph in fewer nodes: constants computed, shapes written out, fixed normalisations folded away."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from vidreid.engines.graph.axes import lengths, set_shape
from vidreid.engines.graph.model import add_constant, constants, merge_constants, replace_nodes, without_weights
from vidreid.types import Array

# Of a network that is quantised already; and what is no function of its inputs alone.
KEPT = {"QuantizeLinear", "DequantizeLinear", "If", "Loop", "Scan", "RandomNormal", "RandomUniform"}
TRIED = (64, 96)  # lengths of free axes: of pictures, or how many
ROOM = 1 << 20  # bytes that a folded constant may add to the file


def simplify(model: ModelProto) -> None:
    """Do all of this file in place; what the graph computes stays the same but for rounding."""
    fold_constants(model)
    write_out_shapes(model)
    fold_norms(model)
    merge_constants(model)


def fold_constants(model: ModelProto) -> None:
    """Compute what depends on constants alone, unless the result takes much more room than they do."""
    known = constants(model)
    nodes = []
    for node in model.graph.node:
        inputs = {name: known[name] for name in node.input if name in known}
        fixed = all(name in known for name in node.input if name)
        found = None if node.op_type in KEPT or node.domain or not fixed else _computed(node, inputs, model)
        room = ROOM + 2 * sum(value.nbytes for value in inputs.values())
        if found is None or sum(value.nbytes for value in found.values()) > room:
            nodes.append(node)
            continue
        known.update(found)
        for name, value in found.items():
            add_constant(model, name, value)
    replace_nodes(model, nodes)


def write_out_shapes(model: ModelProto) -> None:
    """Give `Reshape` a constant where all lengths of its result but one are the same for any inputs."""
    trials = [_shapes(model, length) for length in TRIED]
    known = {tensor.name for tensor in model.graph.initializer}
    for node in model.graph.node:
        one, other = (shapes.get(node.output[0], []) for shapes in trials)
        if node.op_type != "Reshape" or node.input[1] in known or not one or 0 in one:
            continue
        shape = [length if length == again else -1 for length, again in zip(one, other, strict=True)]
        if shape.count(-1) <= 1:
            node.input[1] = add_constant(model, f"{node.output[0]}.shape", np.array(shape, np.int64))
    replace_nodes(model, model.graph.node)


def _shapes(model: ModelProto, length: int) -> dict[str, list[int]]:
    """The shape of every value (-1: unknown) where the free axes of the inputs are so long."""
    trial = without_weights(model)
    for value in trial.graph.input:
        set_shape(value, [length if dim < 0 else dim for dim in lengths(value)])
    inferred = onnx.shape_inference.infer_shapes(trial, data_prop=True).graph
    values = [value for value in inferred.value_info if value.type.tensor_type.HasField("shape")]
    return {value.name: lengths(value) for value in values}


def fold_norms(model: ModelProto) -> None:
    """Batch normalisation with fixed statistics is a scale and a shift: of the convolution before it where there is
    one, else a product and a sum. So no running variance has to be held in 16 bits."""
    known = constants(model)
    ranks = _ranks(model)
    uses = Counter(name for node in model.graph.node for name in node.input)
    uses.update(value.name for value in model.graph.output)
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        if node.op_type != "BatchNormalization" or not all(name in known for name in node.input[1:]):
            nodes.append(node)
            continue
        scale, shift = _affine(node, [known[name] for name in node.input[1:]])
        before = next((at for at in nodes if node.input[0] in at.output), None)
        if before is not None and before.op_type == "Conv" and uses[before.output[0]] == 1 and before.input[1] in known:
            _into_conv(model, before, node, known, scale, shift)
        elif node.input[0] in ranks:
            nodes += _as_affine(model, node, scale, shift, ranks[node.input[0]])
        else:
            nodes.append(node)
    replace_nodes(model, nodes)


def _computed(node: NodeProto, inputs: dict[str, Array], model: ModelProto) -> dict[str, Array] | None:
    """What a node makes of constants; None where the reference cannot say."""
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.output if name]
    numbers = [numpy_helper.from_array(value, name) for name, value in inputs.items()]
    graph = helper.make_graph([node], "one", [], outputs, numbers)
    try:
        found = ReferenceEvaluator(helper.make_model(graph, opset_imports=model.opset_import)).run(None, {})
    except Exception:  # it lacks operators, and says so in many ways
        return None
    if not all(isinstance(value, np.ndarray | np.generic) for value in found):
        return None
    return {output.name: np.asarray(value) for output, value in zip(outputs, found, strict=True)}


def _affine(node: NodeProto, parameters: list[Array]) -> tuple[Array, Array]:
    """Scale and shift (C,) in float64 of a normalisation's weight, bias, mean and variance."""
    weight, bias, mean, variance = (value.astype(np.float64) for value in parameters)
    epsilon = next((attribute.f for attribute in node.attribute if attribute.name == "epsilon"), 1e-5)
    scale = weight / np.sqrt(variance + epsilon)
    return scale, bias - mean * scale


def _into_conv(
    model: ModelProto, conv: NodeProto, norm: NodeProto, known: dict[str, Array], scale: Array, shift: Array
) -> None:
    kernel = known[conv.input[1]]
    folded = kernel * scale.reshape(-1, *[1] * (kernel.ndim - 1))
    bias = known[conv.input[2]] * scale + shift if len(conv.input) > 2 and conv.input[2] else shift
    # Named as the kernel is; one that serves several convolutions is merged with itself later.
    name = f"{conv.input[1]}.{norm.output[0]}"
    conv.input[1:] = [
        add_constant(model, name, folded.astype(kernel.dtype)),
        add_constant(model, f"{name}.bias", bias.astype(kernel.dtype)),
    ]
    conv.output[0] = norm.output[0]


def _as_affine(model: ModelProto, norm: NodeProto, scale: Array, shift: Array, rank: int) -> list[NodeProto]:
    """Nodes for scale and shift of the second axis of ``rank``."""
    out = norm.output[0]
    kind = next(numpy_helper.to_array(it).dtype for it in model.graph.initializer if it.name == norm.input[1])
    shape = (-1, *[1] * (rank - 2))
    factor = add_constant(model, f"{out}.factor", scale.astype(kind).reshape(shape))
    offset = add_constant(model, f"{out}.offset", shift.astype(kind).reshape(shape))
    return [
        helper.make_node("Mul", [norm.input[0], factor], [f"{out}.scaled"], f"{norm.name or out}.scale"),
        helper.make_node("Add", [f"{out}.scaled", offset], [out], norm.name or out),
    ]


def _ranks(model: ModelProto) -> dict[str, int]:
    """The number of axes of each value whose shape is known."""
    graph = onnx.shape_inference.infer_shapes(without_weights(model)).graph
    values = (*graph.value_info, *graph.input)
    return {it.name: len(it.type.tensor_type.shape.dim) for it in values if it.type.tensor_type.HasField("shape")}
