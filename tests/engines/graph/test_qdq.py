"""INT8 with explicit quantisation: 8 bits where the graph says so, close to float32 on inputs like those seen."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from tiny_graphs import embedder, pictures, run, spec

from vidreid.engines.graph.precision import lower
from vidreid.engines.graph.quantise import quantised
from vidreid.engines.graph.standard import to_standard
from vidreid.errors import InputError

SEEN = pictures(10, seed=3)


@pytest.fixture(scope="module")
def standard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("qdq")
    (folder / "tiny.onnx").write_bytes(embedder().SerializeToString())
    to_standard(folder / "tiny.onnx", spec(scale=255.0), folder / "standard.onnx")
    return folder / "standard.onnx"


@pytest.fixture(scope="module", params=[False, True], ids=["asymmetric", "symmetric"])
def made(request, standard, tmp_path_factory):
    target = tmp_path_factory.mktemp("made") / "int8.onnx"
    quantised(standard, SEEN, target, symmetric=request.param)
    return onnx.load(target), request.param


def numbers(model):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def cosines(one, other):
    return (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


def test_it_answers_nearly_as_before(made, standard):
    unseen = pictures(6, seed=4)
    found, exact = run(made[0], images=unseen)[0], run(standard, images=unseen)[0]
    assert cosines(found, exact).min() > 0.999
    assert not np.array_equal(found, exact)


def test_inputs_of_every_product_are_dequantised(made):
    model, _ = made
    makers = {name: node.op_type for node in model.graph.node for name in node.output}
    products = [node for node in model.graph.node if node.op_type in {"Conv", "Gemm"}]
    assert len(products) == 2
    for node in products:
        assert [makers[name] for name in node.input[:2]] == ["DequantizeLinear"] * 2


def test_kernels_have_a_scale_for_each_channel_and_no_zero_point(made):
    values = numbers(made[0])
    (node,) = [
        it
        for it in made[0].graph.node
        if it.op_type == "DequantizeLinear" and values.get(it.input[0], SEEN).ndim == 4 and it.input[0] in values
    ]
    kernel, scales, zeros = (values[name] for name in node.input)
    assert kernel.dtype == np.int8
    assert scales.shape == (4,)
    assert not zeros.any()


def test_tensorrt_gets_int8_without_zero_points_and_biases_in_float(made):
    model, symmetric = made
    values = numbers(model)
    points = [values[node.input[2]] for node in model.graph.node if node.op_type == "QuantizeLinear"]
    assert {point.dtype for point in points} == {np.dtype(np.int8 if symmetric else np.uint8)}
    if symmetric:
        assert not any(point.any() for point in points)
        assert np.int32 not in {value.dtype for value in values.values()}


def test_what_is_excluded_stays_float(standard, tmp_path):
    quantised(standard, SEEN, tmp_path / "half.onnx", exclude=["Gemm"])
    model = onnx.load(tmp_path / "half.onnx")
    makers = {name: node.op_type for node in model.graph.node for name in node.output}
    (node,) = [node for node in model.graph.node if node.op_type == "Gemm"]
    assert "DequantizeLinear" not in {makers.get(name) for name in node.input}


def test_ranges_do_not_depend_on_how_many_are_computed_at_once(standard, tmp_path):
    """Nor is it more than a step of them that is kept in memory."""
    quantised(standard, np.concatenate([SEEN] * 3), tmp_path / "more.onnx")
    quantised(standard, SEEN[np.arange(30) % 10], tmp_path / "again.onnx")
    assert (tmp_path / "more.onnx").read_bytes() == (tmp_path / "again.onnx").read_bytes()


def test_the_rest_can_be_lowered_to_16_bits(made, standard):
    """8 and 16 bits in one graph, for TensorRT; onnxruntime's optimiser gets such graphs wrong (1.31)."""
    lowered, _ = lower(made[0], "fp16", [])
    unseen = pictures(6, seed=4)
    found = ReferenceEvaluator(lowered).run(None, {"images": unseen})[0]
    assert cosines(found, run(standard, images=unseen)[0]).min() > 0.999


@pytest.mark.parametrize(
    "wrong", [SEEN[:0], SEEN[:, :8], SEEN.astype(np.float32), SEEN[:, None]], ids=["none", "small", "float", "clips"]
)
def test_inputs_that_do_not_fit_are_named(wrong, standard, tmp_path):
    with pytest.raises(InputError, match="the graph takes uint8 n x 16 x 8 x 3"):
        quantised(standard, wrong, tmp_path / "int8.onnx")


def test_it_says_nothing_on_the_terminal(standard, tmp_path, capfd):
    quantised(standard, SEEN, tmp_path / "int8.onnx")
    assert capfd.readouterr() == ("", "")
