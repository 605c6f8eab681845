"""The networks that ship, and TCLNet as it is exported, through standard form and 16 bits."""

import warnings

import numpy as np
import onnx
import pytest
from tiny_graphs import run

from vidreid.engines.graph.operators import broken_weights
from vidreid.engines.graph.precision import lower
from vidreid.engines.graph.standard import to_standard
from vidreid.engines.registry import read_registry
from vidreid.resources import shipped_weights
from vidreid.types import InputSpec, ModelSpec

SHIPPED = ("slim-afa", "detector-yolo26n")


@pytest.fixture(scope="module", params=SHIPPED)
def shipped(request, tmp_path_factory):
    """Standard form of a network that ships, its golden pictures and answers."""
    source = shipped_weights() / request.param / f"{request.param}.onnx"
    target = tmp_path_factory.mktemp("shipped") / "standard.onnx"
    to_standard(source, read_registry().models[request.param].spec(request.param, ""), target)
    with np.load(source.with_name("golden.npz")) as golden:
        images = next(golden[name] for name in ("clips", "images") if name in golden)
        return target, images, next(golden[name] for name in ("embedding", "boxes") if name in golden)


def cosines(one, other):
    return (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


def sure(boxes):
    return boxes[0][boxes[0, :, 4] > 0.3, :5]


def test_standard_form_answers_what_torch_did(shipped):
    path, images, answers = shipped
    found = run(onnx.load(path), images=images)[0]
    np.testing.assert_allclose(found, answers, rtol=1e-3, atol=1e-3 * np.abs(answers).max())


def test_in_16_bits_it_sees_the_same(shipped):
    path, images, answers = shipped
    lowered, _ = lower(onnx.load(path), "fp16", ["Softmax", "ReduceL2", "InstanceNormalization"])
    found = run(lowered, images=images)[0]
    if answers.ndim == 2:
        assert cosines(found, answers).min() > 0.999
    else:
        assert len(sure(answers)) > 0
        np.testing.assert_allclose(sure(found)[:, :4], sure(answers)[:, :4], atol=1.0)
        np.testing.assert_allclose(sure(found)[:, 4], sure(answers)[:, 4], atol=0.01)


def test_its_weights_are_numbers(shipped):
    assert broken_weights(shipped[0]) == []


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """TCLNet on a light backbone, random weights, as torch exports it; and its spec."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch

        from vidreid.networks.weights.onnx import export_onnx
        from vidreid.training.recipe import build_network, read_recipe

        torch.manual_seed(0)
        network = build_network(read_recipe("light/tclnet"))
        path = tmp_path_factory.mktemp("tclnet") / "tclnet.onnx"
        export_onnx(network, path, 4, (64, 32))
    dim = network.width * network.branches
    return path, ModelSpec("tclnet", "embedder", "reid", "", InputSpec((64, 32)), 4, dim, network.branches)


@pytest.mark.slow
def test_tclnet_keeps_its_answers(exported, tmp_path):
    path, spec = exported
    to_standard(path, spec, tmp_path / "standard.onnx")
    model = onnx.load(tmp_path / "standard.onnx")
    clips = np.random.default_rng(0).integers(0, 256, (3, 4, 64, 32, 3), dtype=np.uint8)
    expected = run(path, clips=clips)[0]
    np.testing.assert_allclose(run(model, images=clips)[0], expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    lowered, islands = lower(model, "fp16", ["Softmax", "ReduceL2", "MatMul"])
    # Its first learner, which erases nothing: the other's choice of a block may jump.
    half = spec.dim // spec.branches
    assert cosines(run(lowered, images=clips)[0][:, :half], expected[:, :half]).min() > 0.999
    assert {node.name for node in model.graph.node if node.op_type == "Softmax"} <= set(islands)
