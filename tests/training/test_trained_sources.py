"""What engines of trained and of untrained networks are built from."""

import numpy as np
import onnxruntime
import pytest
import torch
import yaml

from vidreid.digests import file_sha256
from vidreid.engines.recipe import EngineRecipe
from vidreid.errors import InputError
from vidreid.networks.weights.safetensors import write_safetensors
from vidreid.training.sources import trained_source
from vidreid.training.trained import build_untrained

BACKBONE = {"name": "slim", "options": {"widths": [4, 6, 8, 10], "blocks": [1, 1, 1, 2]}}
NETWORKS = {
    "tclnet": {"name": "tclnet", "options": {"block_height": 1}},
    "average": "average",
}


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """The YAML of a tiny training; call it with the network's name."""

    def write(name, frames=4):
        values = {"backbone": BACKBONE, "network": NETWORKS[name], "data": {"size": [64, 32], "frames": frames}}
        path = tmp_path_factory.mktemp("recipe") / f"{name}.yaml"
        path.write_text(yaml.safe_dump(values))
        return str(path)

    return write


def source(network, folder, weights="random", **values):
    folder.mkdir(exist_ok=True)
    return trained_source(EngineRecipe(network=network, **values), weights, folder, calibrate_on=None)


@pytest.fixture(scope="module")
def tclnet(recipe, tmp_path_factory):
    """The source of a TCLNet of random weights."""
    return source(recipe("tclnet"), tmp_path_factory.mktemp("tclnet"))


def computed(made, images):
    session = onnxruntime.InferenceSession(str(made.onnx), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"images": images}), strict=True))


def test_the_graph_says_what_torch_says(tclnet):
    assert (tclnet.spec.name, tclnet.spec.kind, tclnet.spec.branches) == ("tclnet", "embedder", 2)
    assert (tclnet.spec.frames, tclnet.spec.input.size, tclnet.spec.dim) == (4, (64, 32), 20)
    assert tclnet.made_with["golden"].startswith("torch ")
    (golden,) = tclnet.golden
    assert golden.images.shape == (16, 4, 64, 32, 3)
    found = computed(tclnet, golden.images)
    assert found.keys() == golden.outputs.keys() == {"embedding", "rows"}
    scale = np.abs(golden.outputs["embedding"]).max()
    np.testing.assert_allclose(found["embedding"], golden.outputs["embedding"], atol=1e-4 * scale)


def test_tclnet_tells_which_rows_it_erased(tclnet):
    (golden,) = tclnet.golden
    rows = golden.outputs["rows"]
    assert (rows.shape, rows.dtype) == ((16, 2, 1), np.int64)
    assert {0} < set(rows.flatten().tolist()) <= set(range(8))  # of maps of 8 x 4
    np.testing.assert_array_equal(computed(tclnet, golden.images)["rows"], rows)


def test_random_weights_are_always_the_same_and_say_so(recipe, tclnet, tmp_path):
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    again = source(recipe("tclnet"), tmp_path / "again")
    assert torch.equal(torch.random.get_rng_state(), before)
    assert again.onnx.read_bytes() == tclnet.onnx.read_bytes()
    for name, values in again.golden[0].outputs.items():
        np.testing.assert_array_equal(values, tclnet.golden[0].outputs[name])
    assert again.weights == tclnet.weights
    assert (again.weights.kind, again.weights.sha256) == ("random", again.spec.identity)


def test_random_networks_tell_people_apart_in_numbers_that_16_bits_hold(tclnet):
    """So that what a precision costs can be measured: as a new network has it, values grow from layer to layer, and
    blocks that begin with a scale of zero do nothing."""
    vectors = tclnet.golden[0].outputs["embedding"]
    assert np.abs(vectors).max() < 100
    halves = vectors.reshape(16, 2, -1)
    halves = halves / np.linalg.norm(halves, axis=2, keepdims=True)
    assert np.einsum("abd,cbd->acb", halves, halves).min() < 0.5


def test_trained_weights_are_those_of_the_file(recipe, tmp_path):
    wanted = recipe("average")
    network, _ = build_untrained(wanted)
    write_safetensors(tmp_path / "mine.safetensors", network.state_dict(), {})
    made = source(wanted, tmp_path / "out", tmp_path / "mine.safetensors")
    assert (made.weights.kind, made.weights.sha256) == ("file", file_sha256(tmp_path / "mine.safetensors"))
    clips = torch.from_numpy(made.golden[0].images.copy()).permute(0, 1, 4, 2, 3).float() / 255
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (made.spec.input.mean, made.spec.input.std))
    with torch.inference_mode():
        expected = network.eval()((clips - mean) / std).numpy()
    np.testing.assert_allclose(made.golden[0].outputs["embedding"], expected, atol=1e-5)
    assert made.golden[0].outputs.keys() == {"embedding"}


def test_weights_of_another_network_are_refused(recipe, tmp_path):
    network, _ = build_untrained(recipe("average"))
    write_safetensors(tmp_path / "mine.safetensors", network.state_dict(), {})
    with pytest.raises(InputError, match=r"mine\.safetensors: weights of another network"):
        source(recipe("tclnet"), tmp_path / "out", tmp_path / "mine.safetensors")


def test_an_image_network_takes_single_pictures(recipe, tmp_path):
    made = source(recipe("average", frames=1), tmp_path / "out")
    (golden,) = made.golden
    assert golden.images.shape == (16, 64, 32, 3)
    np.testing.assert_allclose(
        computed(made, golden.images)["embedding"], golden.outputs["embedding"], rtol=1e-3, atol=1e-3
    )


def test_the_engine_s_recipe_may_want_other_frames_and_another_size(recipe, tmp_path):
    made = source(recipe("tclnet"), tmp_path / "out", frames=2, sizes=[(96, 48)])
    assert made.golden[0].images.shape == (16, 2, 96, 48, 3)


@pytest.mark.parametrize(
    ("values", "reason"),
    [({"frames": 3}, "clips of 3 frames"), ({"sizes": [(64, 32), (96, 48)]}, "pictures of 2 sizes")],
)
def test_what_the_network_cannot_take_is_refused(recipe, tmp_path, values, reason):
    with pytest.raises(InputError, match=reason):
        source(recipe("tclnet"), tmp_path / "out", **values)


def test_a_detector_of_random_weights_takes_several_sizes(tmp_path):
    made = source("detector-yolo26n", tmp_path / "out", sizes=[(96, 128), (64, 160)])
    assert (made.spec.kind, made.spec.sizes) == ("detector", ((96, 128), (64, 160)))
    assert [golden.outputs["boxes"].shape for golden in made.golden] == [(4, 210, 6)] * 2
    for golden in made.golden:
        found = computed(made, golden.images)["boxes"]
        np.testing.assert_allclose(found[..., 4], golden.outputs["boxes"][..., 4], atol=1e-3)
