"""Small networks as ONNX graphs, and how they are run."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from vidreid.types import InputSpec, ModelSpec

SIZE = (16, 8)


def graph(nodes, inputs, outputs, numbers, opset=20):
    """A checked model; ``inputs`` and ``outputs`` are (name, type, shape)."""
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in numbers.items()]
    infos = [[helper.make_tensor_value_info(*value) for value in values] for values in (inputs, outputs)]
    made = helper.make_graph(nodes, "tiny", *infos, tensors)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


def normal(*shape, seed=0, scale=1.0):
    return np.random.default_rng([seed, *shape]).normal(0, scale, shape).astype(np.float32)


def embedder(batch="n", kind=TensorProto.FLOAT, clip=(), size=SIZE):
    """Pictures to (batch, 5): convolution, normalisation, ReLU, mean, `Gemm`; T frames are averaged."""
    flat = [-1, 3, *size]
    nodes = [
        helper.make_node("Reshape", ["input", "flat"], ["pictures"]),
        helper.make_node("Conv", ["pictures", "kernel"], ["conv"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["conv", "weight", "bias", "mean", "var"], ["norm"]),
        helper.make_node("Relu", ["norm"], ["relu"]),
        helper.make_node("ReduceMean", ["relu", "space"], ["pooled"], keepdims=0),
        helper.make_node("Gemm", ["pooled", "matrix"], ["framewise"]),
        helper.make_node("Reshape", ["framewise", "clips"], ["frames"]),
        helper.make_node("ReduceMean", ["frames", "time"], ["output"], keepdims=0),
    ]
    real = np.float32 if kind == TensorProto.FLOAT else np.float16
    numbers = {
        "flat": np.array(flat),
        "kernel": normal(4, 3, 3, 3).astype(real),
        "weight": np.array([1, 0.5, 2, -1], real),
        "bias": np.array([0.1, 0, -0.2, 1], real),
        "mean": np.array([0.3, 0, 0, -0.5], real),
        "var": np.array([2, 1, 0.5, 0.01], real),
        "space": np.array([2, 3]),
        "matrix": normal(4, 5).astype(real),
        "clips": np.array([-1 if isinstance(batch, str) else batch, *(clip or (1,)), 5]),
        "time": np.array([1]),
    }
    shape = [batch, *clip, 3, *size]
    return graph(nodes, [("input", kind, shape)], [("output", kind, [batch, 5])], numbers)


def spec(kind="embedder", frames=1, dim=5, sizes=(), **picture):
    return ModelSpec("tiny", kind, "reid", "", InputSpec(**{"size": SIZE, **picture}), frames, dim, sizes=sizes)


def pictures(*count, size=SIZE, seed=1):
    return np.random.default_rng(seed).integers(0, 256, (*count, *size, 3), dtype=np.uint8)


def run(model, **inputs):
    """All outputs by ONNX Runtime in the types that stand in the graph."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    stored = model.SerializeToString() if isinstance(model, onnx.ModelProto) else str(model)
    session = onnxruntime.InferenceSession(stored, options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)
