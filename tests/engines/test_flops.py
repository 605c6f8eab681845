"""Operations counted from a graph, beside what the formula says of each layer."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from vidreid.engines.flops import count_flops
from vidreid.errors import InputError


def written(path, nodes, taken, **constants):
    """A network of ``nodes`` from ``x`` to ``y``."""
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, taken)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def ones(*shape):
    return np.ones(shape, np.float32)


def test_a_convolution(tmp_path):
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"], strides=[2, 2], pads=[1, 1, 1, 1])
    path = written(tmp_path / "n.onnx", [node], ["n", 3, "h", "w"], w=ones(8, 3, 3, 3), b=ones(8))
    assert count_flops(path, (1, 3, 16, 24)) == 2 * (8 * 8 * 12) * (3 * 3 * 3)
    assert count_flops(path, (5, 3, 16, 24)) == 5 * count_flops(path, (1, 3, 16, 24))


def test_a_convolution_in_groups(tmp_path):
    node = helper.make_node("Conv", ["x", "w"], ["y"], group=4)
    path = written(tmp_path / "n.onnx", [node], [1, 8, 6, 6], w=ones(12, 2, 3, 3))
    assert count_flops(path, (1, 8, 6, 6)) == 2 * (12 * 4 * 4) * (2 * 3 * 3)


def test_a_transposed_convolution(tmp_path):
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2])
    path = written(tmp_path / "n.onnx", [node], [1, 8, 6, 6], w=ones(8, 5, 2, 2))
    assert count_flops(path, (1, 8, 6, 6)) == 2 * (8 * 6 * 6) * (5 * 2 * 2)


@pytest.mark.parametrize(
    ("node", "weights"),
    [
        (helper.make_node("MatMul", ["x", "w"], ["y"]), (16, 10)),
        (helper.make_node("Gemm", ["x", "w"], ["y"], transB=1), (10, 16)),
    ],
    ids=["product", "linear layer"],
)
def test_a_matrix_product(tmp_path, node, weights):
    path = written(tmp_path / "n.onnx", [node], ["n", 16], w=ones(*weights))
    assert count_flops(path, (7, 16)) == 2 * 7 * 16 * 10


def test_shapes_that_the_graph_computes_are_known_once_the_input_is(tmp_path):
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "first"], ["n"]),
        helper.make_node("Concat", ["n", "rest"], ["shape"], axis=0),
        helper.make_node("Reshape", ["x", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ]
    constants = {"first": np.array([0]), "rest": np.array([48]), "w": ones(48, 2)}
    path = written(tmp_path / "n.onnx", nodes, ["n", 3, 4, 4], **constants)
    assert count_flops(path, (6, 3, 4, 4)) == 2 * 6 * 48 * 2


def test_activations_are_not_counted(tmp_path):
    path = written(tmp_path / "n.onnx", [helper.make_node("Relu", ["x"], ["y"])], [1, 3])
    assert count_flops(path, (1, 3)) == 0


def test_another_input_than_the_file_takes_is_an_error_that_names_it(tmp_path):
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    path = written(tmp_path / "net.onnx", [node], [1, 3, 6, 6], w=ones(8, 3, 3, 3))
    with pytest.raises(InputError, match=r"net\.onnx: operations cannot be counted"):
        count_flops(path, (1, 4, 6, 6))
