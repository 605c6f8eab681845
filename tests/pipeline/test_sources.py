"""What engines of registered networks and of strangers' files are built from."""

import shutil

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import yaml
from tiny_irs import DIM
from tiny_irs import SIZE as SHAPE
from tiny_irs import embedder as tiny_embedder
from tiny_irs import save as save_ir
from tiny_networks import conv

from vidreid.digests import file_sha256
from vidreid.engines.recipe import EngineRecipe
from vidreid.engines.registry import TEMPLATE
from vidreid.engines.runtimes.torch import read_module
from vidreid.errors import InputError, MissingError
from vidreid.pipeline.sources import registered_source
from vidreid.resources import shipped_weights
from vidreid.types import InputSpec


def source(wanted, folder, **recipe):
    asked = EngineRecipe(network="any", **recipe)
    return registered_source(str(wanted), asked, folder, offline=True, announce=print, calibrate_on=None)


def computed(made, images):
    session = onnxruntime.InferenceSession(str(made.onnx), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"images": images}), strict=True))


def taken(made):
    """Its one input: type and shape, names where it is free."""
    [images] = onnx.load(made.onnx).graph.input
    tensor = images.type.tensor_type
    assert images.name == "images"
    assert tensor.elem_type == onnx.TensorProto.UINT8
    return [dim.dim_value or "free" for dim in tensor.shape.dim]


def state(path, **values):
    stated = yaml.safe_load(TEMPLATE) | {"input": {"size": list(SHAPE), "color": "bgr", "scale": 2.0}} | values
    path.with_suffix(".yaml").write_text(yaml.safe_dump(stated))


@pytest.fixture
def stranger(tmp_path):
    """An ONNX that a YAML beside it states."""
    (tmp_path / "theirs").mkdir()
    network = conv(tmp_path / "theirs/mine.onnx", InputSpec(SHAPE, "bgr", 2.0), dim=6)
    state(network.path, dim=6, licence="theirs")
    return network


def test_a_stranger_s_onnx_gets_normalisation_inside_and_answers_by_onnx_runtime(stranger, tmp_path):
    made = source(stranger.path, tmp_path)
    assert taken(made) == ["free", *SHAPE, 3]
    (golden,) = made.golden
    assert golden.images.shape == (16, *SHAPE, 3)
    pictures = torch.from_numpy(golden.images.copy()).permute(0, 3, 1, 2).flip(1).float() / 2
    with torch.inference_mode():
        np.testing.assert_allclose(golden.outputs["embedding"], stranger.network(pictures).numpy(), rtol=1e-4)
    np.testing.assert_allclose(computed(made, golden.images)["embedding"], golden.outputs["embedding"], rtol=1e-4)
    assert made.made_with["golden"].startswith("onnxruntime ")
    assert (made.weights.kind, made.weights.licence) == ("file", "theirs")
    assert made.weights.sha256 == made.spec.identity == file_sha256(stranger.path)
    assert (made.calibration, made.calibrated_on) == (None, "")


def test_the_same_file_gives_the_same_graph_and_answers(stranger, tmp_path):
    made = [source(stranger.path, tmp_path / name) for name in ("a", "b") if (tmp_path / name).mkdir() is None]
    assert made[0].onnx.read_bytes() == made[1].onnx.read_bytes()
    one, other = (one.golden[0].outputs["embedding"] for one in made)
    np.testing.assert_array_equal(one, other)


def test_calibration_comes_with_int8_alone(stranger, tmp_path):
    made = source(stranger.path, tmp_path, precision="int8")
    assert made.calibration.shape[1:] == (*SHAPE, 3)
    assert made.calibrated_on.endswith("of the synthetic world")


def test_a_size_that_a_stranger_s_file_does_not_take_is_refused(stranger, tmp_path):
    with pytest.raises(InputError, match=r"mine\.onnx"):
        source(stranger.path, tmp_path, sizes=[(64, 32)])


def test_a_network_that_nothing_states_is_refused_with_a_template(stranger, tmp_path):
    alone = tmp_path / "alone.onnx"
    shutil.copy(stranger.path, alone)
    with pytest.raises(InputError, match="nothing states") as refused:
        source(alone, tmp_path)
    assert TEMPLATE in refused.value.hint


def test_a_network_that_is_not_here_is_said_to_be_missing(tmp_path):
    with pytest.raises(MissingError, match="yolo26n is not on this machine"):
        source("yolo26n", tmp_path)


def test_the_shipped_embedder_says_what_torch_said(tmp_path):
    made = source("slim-afa", tmp_path)
    assert taken(made) == ["free", 4, 128, 64, 3]
    assert (made.weights.kind, made.spec.dim, made.spec.frames) == ("registered", 256, 4)
    assert "research only" in made.weights.terms
    with np.load(shipped_weights() / "slim-afa/golden.npz") as stored:
        found = computed(made, stored["clips"])["embedding"]
        np.testing.assert_allclose(found, stored["embedding"], atol=1e-4)


def test_the_shipped_detector_takes_pictures_of_its_sizes_and_says_what_torch_said(tmp_path):
    made = source("detector-yolo26n", tmp_path)
    assert taken(made) == ["free", "free", "free", 3]
    assert made.spec.sizes == ((480, 640), (384, 640))
    assert made.spec.input.size == (480, 640)
    assert [golden.size for golden in made.golden] == [(480, 640), (384, 640)]
    assert all((golden.outputs["boxes"][..., 4] > 0.5).any(1).all() for golden in made.golden)
    with np.load(shipped_weights() / "detector-yolo26n/golden.npz") as stored:
        found, wanted = computed(made, stored["images"])["boxes"], stored["boxes"]
        np.testing.assert_allclose(found[..., 4], wanted[..., 4], atol=1e-4)
        sure = wanted[..., 4] > 0.05
        np.testing.assert_allclose(found[sure], wanted[sure], atol=1e-2)


def test_the_recipe_s_sizes_win(tmp_path):
    made = source("detector-yolo26n", tmp_path, sizes=[(128, 160)])
    assert taken(made) == ["free", 128, 160, 3]
    assert (made.spec.input.size, made.spec.sizes) == ((128, 160), ((128, 160),))


def test_an_openvino_network_is_computed_by_torch(tmp_path):
    path = save_ir(tmp_path / "theirs.xml", tiny_embedder)
    state(path, input={"size": list(SHAPE)}, dim=DIM)
    made = source(path, tmp_path)
    assert taken(made) == ["free", *SHAPE, 3]
    assert made.made_with["golden"].startswith("torch ")
    (golden,) = made.golden
    found = computed(made, golden.images)["embedding"]
    np.testing.assert_allclose(found, golden.outputs["embedding"], atol=1e-4)


def test_an_openvino_detector_is_refused_with_what_helps(shared, tmp_path):
    path = shared / "weights/detector/yolo26n_int8_openvino_model/yolo26n.xml"
    with pytest.raises(InputError, match="torch cannot open OpenVINO's detectors") as refused:
        source(path, tmp_path)
    assert ".pt" in refused.value.hint


# YOLO26 of ultralytics


@pytest.fixture(scope="module")
def yolo(shared):
    return shared / "weights/detector/yolo26n_dequant.pt"


def test_an_ultralytics_checkpoint_finds_the_persons_that_it_found_before_at_any_size(yolo, tmp_path):
    made = source(yolo, tmp_path, sizes=[(128, 160), (96, 224)])
    assert taken(made) == ["free", "free", "free", 3]
    assert made.weights.kind == "registered"
    network = read_module(yolo, trusted=True).float().eval()
    for golden in made.golden:
        with torch.inference_mode():
            pixels = torch.from_numpy(golden.images.copy()).permute(0, 3, 1, 2).float() / 255
            theirs = network(pixels)[0].numpy()
        ours, wanted = computed(made, golden.images)["boxes"], golden.outputs["boxes"]
        np.testing.assert_allclose(ours[..., 4], wanted[..., 4], atol=1e-3)
        for boxes, others in zip(wanted, theirs, strict=True):
            persons = others[(others[:, 5] == 0) & (others[:, 4] > 0.01)]
            assert len(persons)
            for box in persons:
                assert np.abs(boxes - box).max(1).min() < 1e-2


@pytest.mark.parametrize("size", [(100, 128), (96, 110)])
def test_a_checkpoint_takes_multiples_of_32(yolo, tmp_path, size):
    with pytest.raises(InputError, match="pictures of") as refused:
        source(yolo, tmp_path, sizes=[size])
    assert refused.value.hint == "give sizes that are multiples of 32"


def test_a_checkpoint_that_nobody_vouches_for_is_not_opened(tmp_path):
    path = tmp_path / "theirs.pt"
    torch.save({"model": torch.nn.Identity()}, path)
    state(path, kind="detector", family="yolo", input={"size": [64, 64]}, dim=0)
    with pytest.raises(InputError, match="pickled checkpoint can run any code"):
        source(path, tmp_path)
