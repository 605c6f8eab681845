"""Networks of a few numbers, made on the spot, each as an ONNX file and as the torch module that does the same."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from vidreid.types import InputSpec, ModelSpec


@dataclass(frozen=True)
class TinyModel:
    """A network that every runtime can load: those that take files by ``path``, torch by ``module()``."""

    spec: ModelSpec
    path: Path
    network: torch.nn.Module
    precision: str = ""

    def module(self):
        return self.network


def spec(input: InputSpec, kind="embedder", dim=0, branches=1):
    return ModelSpec(name="tiny", kind=kind, family="tiny", identity="tiny", input=input, dim=dim, branches=branches)


def conv(path, input, *, seed=0, dim=6):
    """Convolution, ReLU and the mean over the picture: (1, 3, h, w) to (1, dim)."""
    rng = np.random.default_rng(seed)
    weight, bias = rng.normal(size=(dim, 3, 3, 3)).astype(np.float32), rng.normal(size=dim).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "weight", "bias"], ["a"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("ReduceMean", ["b"], ["y"], axes=[2, 3], keepdims=0),
    ]
    write(path, nodes, input.size, {"weight": weight, "bias": bias}, [1, dim])
    return TinyModel(spec(input, dim=dim), path, _Conv(torch.from_numpy(weight), torch.from_numpy(bias)))


class _Conv(torch.nn.Module):
    def __init__(self, weight, bias):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, len(weight), 3, stride=2, padding=1)
        self.conv.weight.data, self.conv.bias.data = weight, bias

    def forward(self, x):
        return torch.relu(self.conv(x)).mean((2, 3))


def glance(path, input, kind="detector", shape=(1, 1, 6)):
    """What the first pixels of the picture say, as the network sees them: (1, 3, h, w) to ``shape``, pixel by pixel."""
    count = int(np.prod(shape)) // 3
    nodes = [
        helper.make_node("Transpose", ["x"], ["a"], perm=[0, 2, 3, 1]),
        helper.make_node("Slice", ["a", "start", "stop", "axes"], ["b"]),
        helper.make_node("Reshape", ["b", "shape"], ["y"]),
    ]
    constants = {
        "start": np.array([0, 0]),
        "stop": np.array([1, count]),
        "axes": np.array([1, 2]),
        "shape": np.array(shape),
    }
    write(path, nodes, input.size, constants, list(shape))
    return TinyModel(spec(input, kind), path, _Glance(count, shape))


class _Glance(torch.nn.Module):
    def __init__(self, count, shape):
        super().__init__()
        self.count, self.shape = count, shape

    def forward(self, x):
        return x.permute(0, 2, 3, 1)[:, 0, : self.count].reshape(self.shape)


def brittle(path, input):
    """The mean red of the picture's first row; fails unless the first pixel's red is the picture's width."""
    nodes = [
        helper.make_node("Slice", ["x", "zero", "one", "axes"], ["row"]),
        helper.make_node("Slice", ["row", "zeros", "corner", "both"], ["pixel"]),
        helper.make_node("Cast", ["pixel"], ["width"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["width", "flat"], ["size"]),
        # Not together with a known length: ONNX Runtime would find out the other instead of reading it.
        helper.make_node("Sign", ["size"], ["one_line"]),
        helper.make_node("Concat", ["one_line", "size"], ["shape"], axis=0),
        helper.make_node("Reshape", ["row", "shape"], ["line"]),
        helper.make_node("ReduceMean", ["line"], ["y"], axes=[1], keepdims=1),
    ]
    constants = {
        "zero": np.array([0, 0]),
        "one": np.array([1, 1]),
        "axes": np.array([1, 2]),
        "zeros": np.array([0]),
        "corner": np.array([1]),
        "both": np.array([3]),
        "flat": np.array([1]),
    }
    write(path, nodes, input.size, constants, [1, 1])
    return TinyModel(spec(input), path, _Brittle())


class _Brittle(torch.nn.Module):
    def forward(self, x):
        row = x[0, 0, 0]
        return row.reshape(1, int(row[0])).mean(1, keepdim=True)


def clip_colours(path, input, frames=3):
    """The mean colour of each frame, in order, of clips that it takes as uint8: (1, T, h, w, 3) to (1, 3 T)."""
    nodes = [
        helper.make_node("Cast", ["x"], ["a"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["a"], ["b"], axes=[2, 3], keepdims=0),
        helper.make_node("Reshape", ["b", "flat"], ["y"]),
    ]
    taken = helper.make_tensor_value_info("x", TensorProto.UINT8, [1, frames, *input.size, 3])
    write(path, nodes, input.size, {"flat": np.array([1, -1])}, [1, 3 * frames], taken)
    return TinyModel(replace(spec(input, dim=3 * frames), frames=frames), path, _ClipColours())


class _ClipColours(torch.nn.Module):
    def forward(self, x):
        return x.float().mean((2, 3)).reshape(1, -1)


def write(path, nodes, size, constants, output, taken=None):
    """An ONNX file with one picture in, ``x`` (1, 3, height, width) unless stated, and one array out, ``y``."""
    graph = helper.make_graph(
        nodes,
        "tiny",
        [taken or helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, *size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
