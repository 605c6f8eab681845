"""What is wrong with a graph is said by name: the operator, the layer, the weight."""

import numpy as np
import onnxruntime
import pytest
from onnx import helper
from tiny_graphs import embedder, graph, normal

from vidreid.engines.graph.operators import blamed, broken_weights, operator, refusal, unknown_operators
from vidreid.engines.runtimes.openvino import shared_core


def strange(node, domain=None):
    """A graph with ``node`` from ``a`` to ``b`` in the middle."""
    nodes = [helper.make_node("Relu", ["x"], ["a"], "first"), node, helper.make_node("Relu", ["b"], ["y"], "last")]
    infos = [[helper.make_tensor_value_info(name, 1, [1, 3, 8, 8])] for name in "xy"]
    opsets = [helper.make_opsetid("", 20), *([helper.make_opsetid(domain, 1)] if domain else [])]
    return helper.make_model(helper.make_graph(nodes, "strange", *infos), opset_imports=opsets, ir_version=9)


STRANGE = {
    "of another domain": strange(helper.make_node("Frob", ["a"], ["b"], "layer.3/frob", domain="acme"), "acme"),
    "of ONNX's, that is none": strange(helper.make_node("Frobnicate", ["a"], ["b"], "layer.4")),
    "of words": strange(helper.make_node("StringNormalizer", ["a"], ["b"], "head/words")),
}


def words_of(runtime, path):
    """What a runtime raises, whatever its kind."""
    try:
        if runtime == "OpenVINO":
            shared_core().compile_model(str(path), "CPU")
        else:
            onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        return str(error)
    return pytest.fail(f"{runtime} takes it")


@pytest.mark.parametrize("runtime", ["OpenVINO", "ONNX Runtime"])
@pytest.mark.parametrize("what", STRANGE)
def test_an_operator_that_a_runtime_does_not_know_is_named_with_its_layer(what, runtime, tmp_path):
    path = tmp_path / "strange.onnx"
    path.write_bytes(STRANGE[what].SerializeToString())
    node = STRANGE[what].graph.node[1]
    error = refusal(path, runtime, words_of(runtime, path))
    assert error.message.startswith(
        f"strange.onnx: {runtime} cannot take the operator {operator(node)} (layer {node.name}): "
    )
    assert "\n" not in error.message
    assert error.hint


def test_words_that_name_nothing_are_repeated(tmp_path):
    path = tmp_path / "tiny.onnx"
    path.write_bytes(embedder().SerializeToString())
    error = refusal(path, "OpenVINO", "out of\nmemory")
    assert error.message == "tiny.onnx: OpenVINO cannot load it: out of memory"


def repeated():
    nodes = [helper.make_node("Relu", [f"v{i}"], [f"v{i + 1}"], f"conv{i}") for i in range(12)]
    return graph(nodes, [("v0", 1, [1, 3])], [("v12", 1, [1, 3])], {})


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("node 'conv1' is bad", "conv1"),
        ("node conv11: bad", "conv11"),
        ("cannot convert the Relu at conv2", "conv2"),
        ("Relu is not supported", "conv0"),
    ],
)
def test_a_node_is_found_by_its_name_or_else_by_its_operator(words, name):
    assert blamed(repeated(), words).name == name


def test_no_node_is_blamed_where_none_is_named():
    assert blamed(repeated(), "conv is bad, and conv111 and Relux") is None


def test_operators_outside_of_a_set_are_listed():
    model = STRANGE["of another domain"]
    assert [node.name for node in unknown_operators(model, {"Relu"})] == ["layer.3/frob"]
    assert unknown_operators(model, {"Relu", "acme.Frob"}) == []


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_weights_that_are_no_numbers_are_named(value, kind, tmp_path):
    kernel = normal(3, 3).astype(kind)
    kernel[1, 2] = value
    numbers = {"layer1.weight": normal(3, 3).astype(kind), "layer2.weight": kernel, "mask": kind(-np.inf)}
    nodes = [
        helper.make_node("MatMul", ["x", "layer1.weight"], ["a"]),
        helper.make_node("MatMul", ["a", "layer2.weight"], ["b"]),
        helper.make_node("Max", ["b", "mask"], ["y"]),
    ]
    element = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    path = tmp_path / "broken.onnx"
    model = graph(nodes, [("x", element, [1, 3])], [("y", element, [1, 3])], numbers)
    path.write_bytes(model.SerializeToString())
    assert broken_weights(path) == ["layer2.weight"]


def test_a_mask_of_infinity_is_no_broken_weight(tmp_path):
    path = tmp_path / "tiny.onnx"
    path.write_bytes(embedder().SerializeToString())
    assert broken_weights(path) == []
