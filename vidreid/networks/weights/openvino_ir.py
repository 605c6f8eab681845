"""Networks in OpenVINO's format (IR: an XML of operations, a .bin of constants) as torch modules.

So a network that is published in this format alone also runs on a GPU, and where OpenVINO is not installed. Nothing in
the files is believed: sizes are held against bounds before memory is taken, and the network is tried on pictures that
take none before it is given away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx

from vidreid.errors import InputError
from vidreid.networks.weights.onnx import write_onnx
from vidreid.networks.weights.openvino_operations import (
    OPERATIONS,
    Attributes,
    Compute,
    convert,
    expect,
    numbers,
    stated,
)

MAX_XML = 1 << 24  # bytes
MAX_NUMBERS = 1 << 26  # in all constants together, and in a value for one picture
MAX_LIST = 64  # axes, places or sizes
TYPES: dict[str, np.dtype[Any]] = {
    "f32": np.dtype("<f4"),
    "f16": np.dtype("<f2"),
    "i64": np.dtype("<i8"),
    "i32": np.dtype("<i4"),
}


@dataclass(frozen=True)
class Layer:
    """An operation as the XML states it; ``inputs`` are numbers of layers before it, whose first outputs it takes."""

    number: str
    kind: tuple[str, str]
    attributes: Attributes = field(hash=False)
    inputs: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind[0]} ({self.kind[1]}) in layer {self.number}"


@dataclass(frozen=True)
class Step:
    """A layer and what computes it."""

    layer: Layer
    compute: Compute


class Graph(nn.Module):  # type: ignore[misc]
    """Pictures (n, C, H, W) as an IR wants them to its one output (n, ...), step by step."""

    def __init__(self, steps: Sequence[Step], constants: Mapping[str, Tensor], source: str, result: str) -> None:
        super().__init__()
        self.steps, self.source, self.result = steps, source, result
        last = {number: step.layer.number for step in steps for number in step.layer.inputs}
        self.spent: dict[str, list[str]] = {step.layer.number: [] for step in steps}
        for number in last.keys() - {result}:
            self.spent[last[number]].append(number)
        # Axes and sizes stay on the CPU: reading them from a GPU would wait for it.
        used = {key: constants[key] for key in last if key in constants}
        self.lists = {key: value for key, value in used.items() if not value.is_floating_point()}
        weights = {key: value for key, value in used.items() if value.is_floating_point()}
        self.weights = nn.ParameterDict({key: nn.Parameter(weights[key], requires_grad=False) for key in weights})

    def forward(self, pictures: Tensor) -> Tensor:
        values: dict[str, Tensor] = {self.source: pictures, **self.lists, **self.weights}
        for step in self.steps:
            number = step.layer.number
            values[number] = step.compute(*(values[key] for key in step.layer.inputs))
            for key in self.spent[number]:
                del values[key]
        return values[self.result]


class Vectors(nn.Module):  # type: ignore[misc]
    """Pictures (n, C, H, W) as an IR wants them to its vectors (n, dim)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        vectors: Tensor = self.network(images).flatten(1)
        return vectors


def write_vectors(network: nn.Module, path: Path, size: tuple[int, int]) -> None:
    """Write a network of `read_ir` as ONNX: ``images`` float32 (1, 3, H, W) of ``size`` as it wants them in,
    ``embedding`` (1, dim) out."""
    picture = torch.zeros(1, 3, *size)
    with torch.no_grad():
        steps = make_fx(network)(picture)  # in which lists of axes and sizes are no tensors any more
    write_onnx(Vectors(steps), path, {"images": picture}, ["embedding"])


def read_ir(path: Path) -> nn.Module:
    """The network of an .xml and the .bin beside it as a frozen module of float32, of one input and one output.

    The module takes pictures (n, C, H, W), float, with the values, channels and size that the IR states but any n, and
    gives (n, ...). It can be moved, put into channels_last and run under autocast. `InputError` where a file is
    missing or damaged, or an operation is not known here.
    """
    net, data = _read(path, MAX_XML), _read(path.with_suffix(".bin"), 8 * MAX_NUMBERS)
    try:
        layers = _layers(_parsed(net))
        constants = _constants(layers, data)
        steps = _steps(layers, constants)
        (source, shape), result = _source(layers), _result(layers)
        _try(Graph([_bounded(step) for step in steps], constants, source, result), shape)
    except ValueError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path.name}: {reason}", "give an .xml and .bin as OpenVINO wrote them") from None
    return Graph(steps, constants, source, result)


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{path}: {reason}", "give an .xml with the .bin of its name beside it") from None
    if len(data) > limit:
        raise InputError(f"{path.name}: larger than {limit} bytes", "give the network of an embedder")
    return data


class _Plain(ElementTree.TreeBuilder):
    """Elements alone: entities, which may grow without end, need a document type."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError("an XML with a document type, which no IR has")


def _parsed(text: bytes) -> Element:
    try:
        return ElementTree.fromstring(text, ElementTree.XMLParser(target=_Plain()))
    except ElementTree.ParseError as error:
        raise ValueError(f"not an XML: {error}") from None


def _layers(net: Element) -> list[Layer]:
    """The layers in the order of the file, in which each takes its inputs from layers before it."""
    sources = {_end(edge, "to"): _end(edge, "from") for edge in net.iterfind("edges/edge")}
    layers: dict[str, Layer] = {}
    computed: set[tuple[str, str] | None] = set()
    for element in net.iterfind("layers/layer"):
        number = str(int(stated(element.attrib, "id")))
        inputs = [sources.get((number, stated(port.attrib, "id"))) for port in element.iterfind("input/port")]
        if number in layers or not computed.issuperset(inputs):
            raise ValueError(f"layer {number} is there twice, or takes what no layer before it gives")
        data = element.find("data")
        layers[number] = Layer(
            number,
            (stated(element.attrib, "type"), stated(element.attrib, "version")),
            {} if data is None else data.attrib,
            tuple(source[0] for source in inputs if source),
        )
        output = element.find("output/port")
        if output is not None:
            computed.add((number, stated(output.attrib, "id")))
    return list(layers.values())


def _end(edge: Element, side: str) -> tuple[str, str]:
    return stated(edge.attrib, f"{side}-layer"), stated(edge.attrib, f"{side}-port")


def _source(layers: Sequence[Layer]) -> tuple[str, tuple[int, ...]]:
    """Where pictures come in, and (C, H, W)."""
    layer = _only("Parameter", layers)
    expect(layer.attributes, element_type="f32")
    shape = numbers(",".join(stated(layer.attributes, "shape").split(",")[1:]))
    if len(shape) != 3 or min(shape) < 1 or math.prod(shape) > MAX_NUMBERS:
        raise ValueError(f"{layer} is no picture, but of shape {layer.attributes['shape']}")
    return layer.number, shape


def _result(layers: Sequence[Layer]) -> str:
    """The layer whose value is the network's."""
    layer = _only("Result", layers)
    if len(layer.inputs) != 1:
        raise ValueError(f"{layer} has {len(layer.inputs)} inputs")
    return layer.inputs[0]


def _only(kind: str, layers: Sequence[Layer]) -> Layer:
    found = [layer for layer in layers if layer.kind[0] == kind]
    if len(found) != 1:
        raise ValueError(f"{len(found)} layers of type {kind}, one was expected")
    return found[0]


def _constants(layers: Sequence[Layer], data: bytes) -> dict[str, Tensor]:
    """Constants by layer: weights in float32, lists in int64; kernels of groups in the shape that torch wants."""
    shapes = {layer: numbers(stated(layer.attributes, "shape")) for layer in layers if layer.kind[0] == "Const"}
    if sum(math.prod(shape) for shape in shapes.values()) > MAX_NUMBERS:
        raise ValueError(f"its constants have more than {MAX_NUMBERS} numbers")
    found = {layer.number: _constant(layer, shape, data) for layer, shape in shapes.items()}
    for layer in layers:
        if layer.kind[0] == "Convert" and found.keys() & layer.inputs[:1]:
            found[layer.number] = convert(layer.attributes)(found[layer.inputs[0]])
    # (groups, out, in, h, w) to (groups * out, in, h, w): of rank 4, so that they can be put into channels_last, too.
    kernels = {number for layer in layers if layer.kind[0] == "GroupConvolution" for number in layer.inputs[1:2]}
    for number in kernels & found.keys():
        found[number] = found[number].flatten(0, 1)
    return found


def _constant(layer: Layer, shape: tuple[int, ...], data: bytes) -> Tensor:
    name, count = stated(layer.attributes, "element_type"), math.prod(shape)
    offset, size = (int(stated(layer.attributes, key)) for key in ("offset", "size"))
    if name not in TYPES:
        raise ValueError(f"{layer} is of type {name!r} (known: {', '.join(TYPES)})")
    if size != count * TYPES[name].itemsize or len(shape) > 8:
        raise ValueError(f"{layer} of shape {shape} does not fill its {size} bytes")
    if not 0 <= offset <= len(data) - size:
        raise ValueError(f"{layer} ends at byte {offset + size}, but the .bin has {len(data)}")
    values = np.frombuffer(data, TYPES[name], count, offset)
    if values.dtype.kind == "i" and count > MAX_LIST:
        raise ValueError(f"{layer} is a list of {count} numbers")
    return torch.from_numpy(values.astype(np.float32 if values.dtype.kind == "f" else np.int64)).reshape(shape)


def _steps(layers: Sequence[Layer], constants: Mapping[str, Tensor]) -> list[Step]:
    """What is left to compute, in order."""
    steps = []
    for layer in layers:
        if layer.number in constants or layer.kind[0] in {"Parameter", "Result"}:
            continue
        if layer.kind not in OPERATIONS:
            raise ValueError(f"the operation {layer} is not known here")
        try:
            steps.append(Step(layer, OPERATIONS[layer.kind](layer.attributes)))
        except ValueError as error:
            raise ValueError(f"{layer}: {error}") from None
    return steps


def _try(graph: Graph, shape: tuple[int, ...]) -> None:
    """Compute the shapes alone of two pictures' values."""
    try:
        vectors = graph.to("meta")(torch.empty(2, *shape, device="meta"))
    except Exception as error:  # torch raises whatever its functions happen to meet
        raise ValueError(f"its layers do not fit together: {error}") from None
    if vectors.ndim < 2 or len(vectors) != 2:
        raise ValueError(f"two pictures give an output of shape {tuple(vectors.shape)}")


def _bounded(step: Step) -> Step:
    """The same, but a value larger than anything that an embedder of two pictures computes is refused."""

    def compute(*inputs: Tensor) -> Tensor:
        value = step.compute(*inputs)
        if value.numel() > (2 * MAX_NUMBERS if value.is_floating_point() else MAX_LIST):
            raise ValueError(f"{step.layer} gives {value.numel()} numbers")
        return value

    return Step(step.layer, compute)
