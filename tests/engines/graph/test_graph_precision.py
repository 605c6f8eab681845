"""Lowering: a graph in 16 bits whose every type is written down, with the float32 islands that exactness needs."""

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from tiny_graphs import embedder, graph, normal, pictures, run, spec

from vidreid.engines.graph.precision import lower
from vidreid.engines.graph.standard import to_standard
from vidreid.errors import InputError

HALVES = {"fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
ROUNDING = {"fp16": 2**-11, "bf16": 2**-8}


@pytest.fixture(scope="module")
def standard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("standard")
    (folder / "tiny.onnx").write_bytes(embedder().SerializeToString())
    to_standard(
        folder / "tiny.onnx", spec(scale=255.0, mean=(0.5, 0.5, 0.5), std=(0.3, 0.3, 0.3)), folder / "standard.onnx"
    )
    return onnx.load(folder / "standard.onnx")


def types(model):
    """The element type of every value."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    values = {
        it.name: it.type.tensor_type.elem_type for it in (*inferred.value_info, *inferred.input, *inferred.output)
    }
    return values | {it.name: it.data_type for it in model.graph.initializer}


def between(*middle, numbers=None, opset=20, shape=("n", 4)):
    """A product, the nodes of ``middle`` from ``a`` to ``b``, another product: what is in the middle is no border."""
    nodes = [helper.make_node("MatMul", ["x", "in"], ["a"], "first"), *middle]
    nodes.append(helper.make_node("MatMul", ["b", "out"], ["y"], "last"))
    matrices = {"in": normal(4, 4), "out": normal(4, 4, seed=1)}
    return graph(nodes, [("x", 1, list(shape))], [("y", 1, list(shape))], matrices | (numbers or {}), opset)


@pytest.mark.parametrize("precision", HALVES)
def test_every_value_is_of_16_bits_but_in_islands(standard, precision):
    lowered, islands = lower(standard, precision, [])
    found = types(lowered)
    for node in lowered.graph.node:
        floats = {found[name] for name in (*node.input, *node.output) if found.get(name) in {1, HALVES[precision]}}
        if node.op_type != "Cast":
            assert floats <= {TensorProto.FLOAT if node.name in islands else HALVES[precision]}
    assert HALVES[precision] in found.values()


@pytest.mark.parametrize("precision", HALVES)
def test_inputs_and_outputs_stay_as_they_are(standard, precision):
    lowered, _ = lower(standard, precision, [])
    assert [str(value.type) for value in lowered.graph.input] == [str(value.type) for value in standard.graph.input]
    assert [str(value.type) for value in lowered.graph.output] == [str(value.type) for value in standard.graph.output]


@pytest.mark.parametrize("precision", HALVES)
def test_it_computes_the_same_within_the_rounding(standard, precision):
    images = pictures(3)
    exact = run(standard, images=images)[0]
    lowered, _ = lower(standard, precision, [])
    # onnxruntime has no bfloat16 on CPUs; the reference computes what the graph says.
    found = ReferenceEvaluator(lowered).run(None, {"images": images})[0]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, exact, atol=8 * ROUNDING[precision] * np.abs(exact).max())
    assert not np.array_equal(found, exact)


def test_onnxruntime_loads_it_and_agrees(standard):
    images = pictures(3)
    lowered, _ = lower(standard, "fp16", ["Relu"])
    exact = run(standard, images=images)[0]
    np.testing.assert_allclose(run(lowered, images=images)[0], exact, atol=8 * 2**-11 * np.abs(exact).max())


def test_weights_are_stored_in_16_bits(standard):
    lowered, _ = lower(standard, "fp16", [])
    floats = {tensor.name: tensor for tensor in lowered.graph.initializer if len(tensor.dims) == 4}
    assert {tensor.data_type for tensor in floats.values()} == {TensorProto.FLOAT16}


def test_all_as_islands_is_the_graph_itself(standard):
    lowered, islands = lower(standard, "fp16", ["*"])
    images = pictures(2)
    np.testing.assert_array_equal(run(lowered, images=images)[0], run(standard, images=images)[0])
    assert TensorProto.FLOAT16 not in types(lowered).values()
    assert set(islands) == {node.name for node in standard.graph.node}


@pytest.mark.parametrize("pattern", ["Softmax", "mid*"])
def test_an_island_is_named_by_operator_or_by_node(pattern):
    model = between(helper.make_node("Softmax", ["a"], ["b"], "middle", axis=1))
    lowered, islands = lower(model, "fp16", [pattern])
    assert islands == ["middle"]
    assert [node.op_type for node in lowered.graph.node] == [
        *("Cast", "MatMul", "Cast", "Softmax", "Cast", "MatMul", "Cast"),
    ]


def test_pixels_and_answers_are_never_lowered(standard):
    """16 bits cannot hold a coordinate of a picture to a pixel, nor a small difference of two large numbers."""
    operators = {node.name: node.op_type for node in standard.graph.node}
    kept = [operators[name] for name in lower(standard, "bf16", [])[1]]
    assert kept[:4] == ["Cast", "Transpose", "Sub", "Div"]
    assert {"Conv", "Relu", "Gemm"}.isdisjoint(kept)
    assert kept[-1] == "ReduceMean"


def test_what_onnx_has_not_in_this_type_is_an_island():
    top = helper.make_node("TopK", ["a", "k"], ["b", "places"], "top")
    model = between(top, numbers={"k": np.array([4])}, opset=22)
    assert lower(model, "bf16", [])[1] == ["top"]
    assert lower(model, "fp16", [])[1] == []


def test_a_mask_of_1e8_becomes_the_largest_number_and_masks_as_before():
    where = helper.make_node("Where", ["keep", "a", "mask"], ["masked"])
    softmax = helper.make_node("Softmax", ["masked"], ["b"], axis=1)
    model = between(where, softmax, numbers={"keep": np.array([True, False, True, True]), "mask": np.float32(-1e8)})
    lowered, islands = lower(model, "fp16", [])
    assert islands == []
    x = normal(2, 4)
    np.testing.assert_allclose(run(lowered, x=x)[0], run(model, x=x)[0], atol=0.01)
    (mask,) = [onnx.numpy_helper.to_array(it) for it in lowered.graph.initializer if it.name.startswith("mask")]
    assert mask == np.float16(-65504)


@pytest.mark.parametrize(("precision", "islands"), [("fp16", ["huge"]), ("bf16", [])])
def test_computing_with_a_number_beyond_the_range_is_an_island(precision, islands):
    """Here the largest number would give another result."""
    nodes = helper.make_node("Mul", ["a", "big"], ["c"], "huge"), helper.make_node("Tanh", ["c"], ["b"], "tanh")
    model = between(*nodes, numbers={"big": np.float32(1e6)})
    assert lower(model, precision, [])[1] == islands


def test_infinity_stays_infinite():
    where = helper.make_node("Where", ["keep", "a", "mask"], ["masked"])
    softmax = helper.make_node("Softmax", ["masked"], ["b"], axis=1)
    model = between(where, softmax, numbers={"keep": np.array([True, False, True, True]), "mask": np.float32(-np.inf)})
    lowered, islands = lower(model, "fp16", [])
    assert islands == []
    assert np.isfinite(run(lowered, x=normal(2, 4))[0]).all()


def test_an_epsilon_still_keeps_a_division_by_zero_away():
    nodes = [
        helper.make_node("ReduceL2", ["a", "axis"], ["norm"], keepdims=1),
        helper.make_node("Clip", ["norm", "epsilon"], ["above"]),
        helper.make_node("Div", ["a", "above"], ["b"]),
    ]
    model = between(*nodes, numbers={"axis": np.array([1]), "epsilon": np.float32(1e-12)})
    lowered, _ = lower(model, "fp16", [])
    np.testing.assert_array_equal(run(lowered, x=np.zeros((2, 4), np.float32))[0], 0)


def test_types_in_attributes_follow():
    nodes = [
        helper.make_node("ConstantOfShape", ["length"], ["ones"], value=onnx.numpy_helper.from_array(np.float32([1]))),
        helper.make_node("Greater", ["a", "ones"], ["more"]),
        helper.make_node("Cast", ["more"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["real", "a"], ["b"]),
    ]
    model = between(*nodes, numbers={"length": np.array([4])})
    x = normal(3, 4).astype(np.float16).astype(np.float32)
    lowered, islands = lower(model, "fp16", [])
    assert islands == []
    np.testing.assert_allclose(run(lowered, x=x)[0], run(model, x=x)[0], atol=0.02)


def test_scales_of_a_resize_stay_float32():
    """ONNX fixes their type."""
    kernel = {"k": normal(2, 2, 1, 1), "scales": np.float32([1, 1, 2, 2])}
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["a"]),
        helper.make_node("Resize", ["a", "", "scales"], ["b"], "larger", mode="nearest"),
        helper.make_node("Conv", ["b", "k"], ["y"]),
    ]
    model = graph(nodes, [("x", 1, ["n", 2, 3, 3])], [("y", 1, ["n", 2, 6, 6])], kernel)
    lowered, islands = lower(model, "fp16", [])
    assert islands == []
    x = normal(1, 2, 3, 3)
    np.testing.assert_allclose(run(lowered, x=x)[0], run(model, x=x)[0], atol=0.02)


def test_the_given_graph_is_not_changed(standard):
    before = standard.SerializeToString()
    lower(standard, "bf16", [])
    assert standard.SerializeToString() == before


def test_largest_numbers_of_bfloat16_are_those_of_its_definition():
    limits = ml_dtypes.finfo(ml_dtypes.bfloat16)
    from vidreid.engines.graph.precision import LARGEST, SMALLEST

    assert (LARGEST["bf16"], SMALLEST["bf16"]) == (float(limits.max), float(limits.tiny))


def test_a_graph_with_branches_is_refused():
    branch = helper.make_graph(
        [helper.make_node("Identity", ["a"], ["inner"])],
        "branch",
        [],
        [helper.make_tensor_value_info("inner", 1, None)],
    )
    node = helper.make_node("If", ["yes"], ["b"], "choice", then_branch=branch, else_branch=branch)
    with pytest.raises(InputError, match=r"If \(node choice\)"):
        lower(between(node, numbers={"yes": np.array(True)}), "fp16", [])
