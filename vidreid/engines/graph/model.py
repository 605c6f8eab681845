"""ONNX graphs as files and as lists of nodes: what the other files of this folder share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from math import prod
from pathlib import Path

import onnx
from onnx import ModelProto, NodeProto, helper, numpy_helper

from vidreid.errors import InputError
from vidreid.types import Array

ONNX_DOMAINS = ("", "ai.onnx")
SMALL = 1024  # numbers: shapes and such are


def read_graph(path: Path) -> ModelProto:
    """The graph of a file; `InputError` where it is none."""
    try:
        model = onnx.load(path)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}", "give an ONNX file") from None
    except Exception:  # a damaged file raises whatever its bytes happen to mean
        raise _damaged(path) from None
    if not model.graph.node:  # an empty file is a message without fields
        raise _damaged(path)
    return model


def check_graph(model: ModelProto, name: str) -> None:
    """`InputError` where the operators, types or shapes of a graph contradict each other."""
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"{name}: no valid ONNX graph: {reason}", "export the network again") from None


def opset(model: ModelProto) -> int:
    """The version of ONNX's own operators."""
    return next((it.version for it in model.opset_import if it.domain in ONNX_DOMAINS), 1)


def without_weights(model: ModelProto) -> ModelProto:
    """The same graph, of whose large constants only type and shape are left: for inference of shapes, which copies."""
    graph = model.graph
    small = [tensor for tensor in graph.initializer if prod(tensor.dims) <= SMALL]
    large = [
        helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        for tensor in graph.initializer
        if prod(tensor.dims) > SMALL
    ]
    light = helper.make_graph(graph.node, "shapes", [*graph.input, *large], graph.output, small)
    return helper.make_model(light, opset_imports=model.opset_import, ir_version=model.ir_version)


def constants(model: ModelProto) -> dict[str, Array]:
    """The graph's numbers by name."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def add_constant(model: ModelProto, name: str, value: Array) -> str:
    """Store numbers in the graph; their name."""
    model.graph.initializer.append(numpy_helper.from_array(value, name))
    return name


def merge_constants(model: ModelProto) -> None:
    """Keep one of equal constants."""
    first: dict[tuple[object, ...], str] = {}
    names = {}
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor)
        names[tensor.name] = first.setdefault((tensor.data_type, value.shape, value.tobytes()), tensor.name)
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
    replace_nodes(model, model.graph.node)


def replace_nodes(model: ModelProto, nodes: Iterable[NodeProto]) -> None:
    """Let the graph have these nodes, in order of computation, and drop what its outputs do not need."""
    wanted = {value.name for value in model.graph.output}
    kept = []
    for node in reversed(list(nodes)):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input, *map(_captured, _branches(node)))
    del model.graph.node[:]
    model.graph.node.extend(reversed(kept))
    numbers = [tensor for tensor in model.graph.initializer if tensor.name in wanted]
    del model.graph.initializer[:]
    model.graph.initializer.extend(numbers)
    del model.graph.value_info[:]


def rename(model: ModelProto, old: str, new: str) -> None:
    """Call a value otherwise, except in the lists of inputs and outputs; what had the name before gets a longer one."""
    if old == new:
        return
    names = {old: new, new: f"{new}.before"}
    for tensor in model.graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    _rename_in(model.graph, names)


def name_nodes(model: ModelProto) -> None:
    """Give each node a name of its own; one that has none, or another's, is called as its first output."""
    uses = Counter(node.name for node in model.graph.node)
    for node in model.graph.node:
        if not node.name or uses[node.name] > 1:
            node.name = node.output[0]


def matching(nodes: Iterable[NodeProto], patterns: Sequence[str]) -> list[str]:
    """Names of the nodes whose operator or name fits one of the patterns (``Softmax``, ``*tse*``)."""
    return [
        node.name
        for node in nodes
        if any(fnmatchcase(node.op_type, wanted) or fnmatchcase(node.name, wanted) for wanted in patterns)
    ]


def _rename_in(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    for node in graph.node:
        for values in (node.input, node.output):
            values[:] = [names.get(name, name) for name in values]
        for branch in _branches(node):
            _rename_in(branch, names)


def _branches(node: NodeProto) -> list[onnx.GraphProto]:
    return [attribute.g for attribute in node.attribute if attribute.HasField("g")]


def _captured(graph: onnx.GraphProto) -> set[str]:
    """All names that a branch reads, its own and those around it."""
    names: set[str] = {value.name for value in graph.output}
    for node in graph.node:
        names.update(node.input, *map(_captured, _branches(node)))
    return names


def _damaged(path: Path) -> InputError:
    return InputError(f"{path.name}: not an ONNX file, or damaged", "export the network again")
