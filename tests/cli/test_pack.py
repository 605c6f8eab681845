"""`pack`: what a training wrote becomes a network that runs take."""

import pytest
import torch

from vidreid.digests import file_sha256
from vidreid.engines.registry import Registry, describe, network_file
from vidreid.training.checkpoint import read_weights
from vidreid.training.recipe import Data as RecipeData
from vidreid.training.recipe import Part, Recipe, build_network
from vidreid.training.trained import write_weights

TINY = Recipe(
    backbone=Part("slim", {"widths": [4, 6, 8, 10], "blocks": [1, 1, 1, 2]}),
    network=Part("average"),
    data=RecipeData(size=(32, 16), frames=2),
)


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    write_weights(tmp_path / "weights.safetensors", build_network(TINY), TINY)
    return tmp_path / "weights.safetensors"


def test_it_writes_what_a_run_takes_and_says_what_is_missing(say, weights, tmp_path):
    answer = say("pack", weights, "--output", tmp_path / "mine")
    assert answer.status == 0, answer.err
    path = network_file(tmp_path / "mine")
    assert f"{path}: 0.0" in answer.out
    assert file_sha256(path) in answer.out
    assert "clips of 2 pictures of 32 x 16 to 10 numbers" in answer.out
    assert "no card: " in answer.out
    assert answer.out.rstrip().endswith(f"--embedder {tmp_path / 'mine'}")
    assert describe(path, Registry()).frames == 2


def test_clips_may_be_longer_than_in_training(say, weights, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/mine.yaml").write_text("threshold: 0.6\n")
    answer = say("pack", weights, "--output", tmp_path / "mine", "--frames", 4)
    assert "clips of 4 pictures" in answer.out
    assert describe(tmp_path / "mine/mine.onnx", Registry()).threshold == 0.6


def test_what_is_no_training_is_one_line(say, tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"no weights")
    answer = say("pack", tmp_path / "weights.safetensors", "--output", tmp_path / "mine")
    assert answer.status == 3
    assert answer.err.startswith("error: weights.safetensors:")
    assert not (tmp_path / "mine").exists()


def test_the_size_of_an_embedders_pictures_is_that_of_its_training(say, weights, tmp_path):
    answer = say("pack", weights, "--output", tmp_path / "mine", "--size", "64x32")
    error, hint = answer.err.splitlines()
    assert (answer.status, error) == (2, "error: an embedder's pictures are of the size that it was trained with")
    assert hint == "hint: leave --size out"


def test_weights_are_read_once(say, weights, tmp_path, monkeypatch):
    """Those of a large network take a while."""
    read = []
    monkeypatch.setattr("vidreid.training.trained.read_weights", lambda path: read.append(path) or read_weights(path))
    assert say("pack", weights, "--output", tmp_path / "mine").status == 0
    assert read == [weights]
