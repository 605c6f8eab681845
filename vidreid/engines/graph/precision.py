"""Graphs in 16 bits: each value's type stands in the graph, so that no runtime has to choose (strong typing)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import ml_dtypes
import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, version_converter

from vidreid.engines.graph.model import (
    add_constant,
    check_graph,
    constants,
    matching,
    name_nodes,
    opset,
    rename,
    replace_nodes,
    without_weights,
)
from vidreid.errors import InputError
from vidreid.types import Array

Half = Literal["fp16", "bf16"]

FLOAT = TensorProto.FLOAT
TYPES: dict[Half, int] = {"fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
WORDS: dict[int, str] = {FLOAT: "fp32", TensorProto.FLOAT16: "fp16", TensorProto.BFLOAT16: "bf16"}
OPSET: dict[Half, int] = {"fp16": 13, "bf16": 22}  # the first whose convolutions and poolings take it
KINDS: dict[Half, np.dtype[Any]] = {"fp16": np.dtype(np.float16), "bf16": np.dtype(ml_dtypes.bfloat16)}
LARGEST: dict[Half, float] = {"fp16": 65504.0, "bf16": (2 - 2**-7) * 2.0**127}
SMALLEST: dict[Half, float] = {"fp16": 2.0**-14, "bf16": 2.0**-126}  # that is normal
PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
# Of these, a constant is a mask or a bound: compared with or taken over, not computed with.
SELECTIONS = ("Where", "Clip", "Max", "Min", "Pad")


def lower(model: ModelProto, precision: Half, islands: Sequence[str]) -> tuple[ModelProto, list[str]]:
    """The graph with every float32 value in ``precision``, and the names of the nodes that stayed in float32.

    These are the ``islands`` (operators or patterns of node names); what is done to pixels before the first product
    and to answers after the last (differences of large numbers, coordinates of a picture: 16 bits cannot hold them, and
    they cost nothing); operators that ONNX does not define in ``precision``; and those that compute with a constant
    beyond its range, which in selections becomes the largest number. An epsilon below the range becomes the smallest
    normal number. Casts stand at the borders, weights are stored in ``precision``, inputs and outputs stay as they are.
    `InputError` for graphs with branches or with values of unknown type.
    """
    lowered = _at_opset(model, OPSET[precision])
    name_nodes(lowered)
    types = _types(lowered)
    kept = _in_float(lowered, precision, islands, types)
    _Lowering(lowered, precision, kept, types).run()
    check_graph(lowered, f"graph in {precision}")
    return lowered, [node.name for node in lowered.graph.node if node.name in kept]


def _at_opset(model: ModelProto, least: int) -> ModelProto:
    """A copy in which operators are of version ``least`` or later."""
    if opset(model) < least:
        try:
            converted: ModelProto = version_converter.convert_version(model, least)
        except Exception as error:  # a RuntimeError of its own, or what its C++ raises
            reason = " ".join(str(error).split())[:120]
            raise InputError(f"graph: cannot be brought to opset {least}: {reason}", "build it in fp16") from None
        return converted
    copy = ModelProto()
    copy.CopyFrom(model)
    return copy


def _types(model: ModelProto) -> dict[str, int]:
    """The element type of every value."""
    inferred = onnx.shape_inference.infer_shapes(without_weights(model)).graph
    values = (*inferred.value_info, *inferred.input, *inferred.output)
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    types.update((tensor.name, tensor.data_type) for tensor in model.graph.initializer)
    for node in model.graph.node:
        if any(attribute.HasField("g") for attribute in node.attribute):
            raise InputError(f"{node.op_type} (node {node.name}): has branches", "export the network without them")
        if not all(types.get(name) for name in node.output if name):
            raise InputError(f"{node.op_type} (node {node.name}): makes values of unknown type", "build it in fp32")
    return types


def _in_float(model: ModelProto, precision: Half, islands: Sequence[str], types: dict[str, int]) -> set[str]:
    """Names of the nodes that compute in float32."""
    nodes = [node for node in model.graph.node if any(types.get(it) == FLOAT for it in (*node.input, *node.output))]
    floats = {name: value for name, value in constants(model).items() if types[name] == FLOAT}
    huge = {name for name, value in floats.items() if _reach(value) > LARGEST[precision]}
    always = {*matching(nodes, islands), *_before_products(model), *_after_products(model)}
    return {
        node.name
        for node in nodes
        if node.name in always
        or not _defined(node, precision, types, opset(model))
        or (node.op_type not in SELECTIONS and huge.intersection(node.input))
    }


def _before_products(model: ModelProto) -> Iterator[str]:
    """Names of the nodes that see nothing but the graph's inputs, up to the first product of each way."""
    known = {tensor.name for tensor in model.graph.initializer} | {""}
    early = {value.name for value in model.graph.input}
    for node in model.graph.node:
        seen = set(node.input) - known
        if node.op_type not in PRODUCTS and seen and seen <= early:
            early.update(node.output)
            yield node.name


def _after_products(model: ModelProto) -> Iterator[str]:
    """Names of the nodes that no product follows."""
    followed: set[str] = set()
    for node in reversed(model.graph.node):
        if node.op_type in PRODUCTS or followed.intersection(node.output):
            followed.update(node.input)
        else:
            yield node.name


def _defined(node: NodeProto, precision: Half, types: dict[str, int], version: int) -> bool:
    """Whether ONNX has the operator in ``precision``: by the types of what it makes, else of what it is given."""
    made = [place for place, name in enumerate(node.output) if types.get(name) == FLOAT]
    given = [place for place, name in enumerate(node.input) if types.get(name) == FLOAT][:1]
    schema = onnx.defs.get_schema(node.op_type, version, node.domain)
    formals = [_formal(schema.outputs, place) for place in made] or [_formal(schema.inputs, place) for place in given]
    return all(_allows(schema, formal, precision) for formal in formals)


def _formal(formals: Sequence[onnx.defs.OpSchema.FormalParameter], place: int) -> str:
    """The type that the schema names at a place; the last one may stand for many."""
    named: str = formals[min(place, len(formals) - 1)].type_str
    return named


def _allows(schema: onnx.defs.OpSchema, formal: str, precision: Half) -> bool:
    """Whether a type variable may be ``precision``; a type that is no variable is fixed."""
    word = {"fp16": "tensor(float16)", "bf16": "tensor(bfloat16)"}[precision]
    return any(it.type_param_str == formal and word in it.allowed_type_strs for it in schema.type_constraints)


def _reach(value: Array) -> float:
    """The largest finite magnitude."""
    return float(np.abs(value, where=np.isfinite(value), out=np.zeros_like(value)).max(initial=0.0))


def _stored(value: Array, precision: Half) -> Array:
    """Numbers in 16 bits, within their range."""
    largest, smallest = LARGEST[precision], SMALLEST[precision]
    within = np.where(np.isfinite(value), np.clip(value, -largest, largest), value)
    if value.size == 1 and 0 < _reach(value) < smallest:  # an epsilon of zero would divide by it
        within = np.copysign(smallest, value)
    return within.astype(KINDS[precision])


class _Lowering:
    """A graph on its way to 16 bits: nodes as they are done, and the type that each float32 value has by now."""

    def __init__(self, model: ModelProto, precision: Half, kept: set[str], types: dict[str, int]) -> None:
        self.model = model
        self.precision = precision
        self.half = TYPES[precision]
        self.kept = kept
        self.types = types
        self.numbers = constants(model)
        self.now = {name: kind for name, kind in types.items() if kind == FLOAT}
        self.made: set[str] = set()  # casts and constants by name
        self.nodes: list[NodeProto] = []

    def run(self) -> None:
        for node in self.model.graph.node:
            schema = onnx.defs.get_schema(node.op_type, opset(self.model), node.domain)
            low = node.name not in self.kept
            for place, name in enumerate(node.input):
                if name in self.now:
                    half = low and _allows(schema, _formal(schema.inputs, place), self.precision)
                    node.input[place] = self._as(name, self.half if half else FLOAT)
            for name in node.output:
                if low and name in self.now:
                    self.now[name] = self.half
                    _state_type(node, self.half)
            self.nodes.append(node)
        replace_nodes(self.model, self.nodes)
        self._restore_outputs()

    def _as(self, name: str, kind: int) -> str:
        """A value in another type: a constant stored anew, or a cast."""
        if self.now[name] == kind:
            return name
        other = f"{name}.{WORDS[kind]}"
        if other in self.made:
            return other
        self.made.add(other)
        if name in self.numbers:
            return add_constant(self.model, other, _stored(self.numbers[name], self.precision))
        self.nodes.append(helper.make_node("Cast", [name], [other], f"{name}/{WORDS[kind]}", to=kind))
        return other

    def _restore_outputs(self) -> None:
        for value in self.model.graph.output:
            if self.now.get(value.name) == self.half:
                inner = f"{value.name}.{self.precision}"
                rename(self.model, value.name, inner)
                cast = helper.make_node("Cast", [inner], [value.name], f"{value.name}/fp32", to=FLOAT)
                self.model.graph.node.append(cast)


def _state_type(node: NodeProto, kind: int) -> None:
    """Let an operator whose result's type is an attribute (`Cast`, `ConstantOfShape`, ...) make ``kind``."""
    for attribute in node.attribute:
        if attribute.name in {"to", "dtype"} and attribute.i == FLOAT:
            attribute.i = kind
        elif attribute.name == "value" and attribute.t.data_type == FLOAT:
            value = onnx.numpy_helper.to_array(attribute.t)
            attribute.t.CopyFrom(onnx.numpy_helper.from_array(value.astype(helper.tensor_dtype_to_np_dtype(kind))))
