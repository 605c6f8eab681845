"""Networks of a few numbers in the standard form of engines: uint8 pictures in, normalisation inside, N free."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vidreid.engines.card import Target, WeightsCard
from vidreid.engines.order import Order
from vidreid.engines.source import Source
from vidreid.types import InputSpec, ModelSpec

SIZE = (12, 20)
DIM = 6


def weights():
    rng = np.random.default_rng(0)
    return rng.normal(size=(DIM, 3, 3, 3)).astype(np.float32), rng.normal(size=DIM).astype(np.float32)


def network(path, *, sizes=(SIZE,), operator="Relu", layer="the_relu", cast_late=False):
    """Convolution, ``operator`` and the mean over the picture: (N, H, W, 3) to ``embedding`` (N, 6)."""
    weight, bias = weights()
    first = [
        helper.make_node("Cast", ["images"], ["floats"], name="cast", to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["planes"], name="planes", perm=[0, 3, 1, 2]),
    ]
    if cast_late:
        first = [
            helper.make_node("Transpose", ["images"], ["bytes"], name="planes", perm=[0, 3, 1, 2]),
            helper.make_node("Cast", ["bytes"], ["planes"], name="cast", to=TensorProto.FLOAT),
        ]
    nodes = [
        *first,
        helper.make_node("Mul", ["planes", "scale"], ["x"], name="normalised"),
        helper.make_node("Conv", ["x", "weight", "bias"], ["a"], name="the_conv", pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node(operator, ["a"], ["b"], name=layer),
        helper.make_node("ReduceMean", ["b", "axes"], ["embedding"], name="mean", keepdims=0),
    ]
    height, width = sizes[0] if len(sizes) == 1 else ("height", "width")
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", height, width, 3])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", DIM])],
        [
            numpy_helper.from_array(np.float32(1 / 255), "scale"),
            numpy_helper.from_array(weight, "weight"),
            numpy_helper.from_array(bias, "bias"),
            numpy_helper.from_array(np.array([2, 3]), "axes"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path


def source(path, *, sizes=(SIZE,), calibration=None, **made):
    spec = ModelSpec("tiny", "embedder", "reid", "0" * 64, InputSpec(sizes[0]), dim=DIM, sizes=tuple(sizes))
    return Source(spec, network(path, sizes=sizes, **made), (), WeightsCard(kind="file", sha256="0" * 64), calibration)


def order(path: Path, precision="fp32", *, batch=(1, 2, 4), islands=(), target=None, **made):
    return Order(source(path, **made), precision, islands, batch, target or Target())


def embedded(images):
    """The same, number by number: stride 2, one row and column of zeros around, ReLU, mean."""
    weight, bias = weights()
    padded = np.pad(images.transpose(0, 3, 1, 2) / 255, ((0, 0), (0, 0), (1, 1), (1, 1)))
    rows, columns = -(-images.shape[1] // 2), -(-images.shape[2] // 2)
    total = np.zeros((len(images), DIM))
    for row in range(rows):
        for column in range(columns):
            patch = padded[:, None, :, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            total += np.maximum((weight * patch).sum((2, 3, 4)) + bias, 0)
    return total / rows / columns
