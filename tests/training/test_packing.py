"""A network as a folder that runs take."""

import numpy as np
import pytest
import torch
import yaml

from vidreid.digests import file_sha256
from vidreid.embedding.pooling import normalize
from vidreid.engines.registry import Registry, describe, network_file
from vidreid.engines.runtimes import openvino
from vidreid.engines.weights import FileModel
from vidreid.errors import InputError, UsageError
from vidreid.networks import average, tclnet
from vidreid.networks.backbones import slim
from vidreid.networks.weights.checkpoint import read_checkpoint
from vidreid.training.packing import GOLDEN, pack
from vidreid.types import InputSpec

SIZE = (36, 20)


def network(seed=0):
    torch.manual_seed(seed)
    return average.build(slim.build(slim.Settings((4, 6, 8, 10), (1, 1, 1, 2))), average.Settings())


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packed") / "tiny"
    pack(network(), folder, frames=4, size=SIZE)
    return folder


def test_the_yaml_beside_the_file_states_all_that_a_run_needs(packed):
    spec = describe(network_file(packed), Registry())
    assert (spec.name, spec.kind, spec.family, spec.identity) == (
        "tiny",
        "embedder",
        "reid",
        file_sha256(packed / "tiny.onnx"),
    )
    assert (spec.input, spec.frames, spec.dim, spec.branches) == (InputSpec(SIZE), 4, 10, 1)
    assert spec.threshold is None  # somebody has to measure it


def test_the_yaml_can_stand_in_a_registry(packed):
    stated = yaml.safe_load((packed / "tiny.yaml").read_text())
    registry = Registry.model_validate({"models": {"known": stated}})
    assert describe(packed / "tiny.onnx", registry).name == "known"


def test_an_engine_of_it_says_what_the_golden_file_says(packed):
    path = packed / "tiny.onnx"
    engine = openvino.load(FileModel(describe(path, Registry()), path), streams=1)
    with np.load(packed / GOLDEN) as stored:
        (found,) = engine.run({"images": stored["clips"]}).values()
        # Weights have 11 bits in the file, and some processors compute with 8.
        np.testing.assert_allclose(normalize(found), normalize(stored["embedding"]), atol=0.02)
    engine.close()


def test_weights_are_stored_in_half_precision(packed):
    stored = read_checkpoint(packed / "tiny.onnx")
    wanted = network().state_dict()
    name = "backbone.stem.0.weight"
    assert stored[name].dtype == torch.float16
    torch.testing.assert_close(stored[name], wanted[name].half(), rtol=0, atol=0)


def test_the_same_weights_give_the_same_file(packed, tmp_path):
    pack(network(), tmp_path / "tiny", frames=4, size=SIZE)
    for name in ("tiny.onnx", GOLDEN):
        assert (tmp_path / "tiny" / name).read_bytes() == (packed / name).read_bytes()


def test_the_network_is_left_as_it_was(tmp_path):
    training = network().train()
    pack(training, tmp_path / "tiny", frames=2, size=SIZE)
    assert training.training


def test_terms_and_threshold_stay_when_it_is_packed_anew(tmp_path):
    pack(network(), tmp_path / "tiny", frames=4, size=SIZE)
    card = tmp_path / "tiny" / "tiny.yaml"
    before = yaml.safe_load(card.read_text())
    card.write_text(yaml.safe_dump(before | {"threshold": 0.6, "licence": "mine", "terms": "ask me"}))
    entry = pack(network(seed=1), tmp_path / "tiny", frames=2, size=SIZE)
    assert (entry.threshold, entry.licence, entry.terms, entry.frames) == (0.6, "mine", "ask me", 2)
    assert entry.files["tiny.onnx"] == file_sha256(tmp_path / "tiny" / "tiny.onnx") != before["files"]["tiny.onnx"]


def test_a_network_of_segments_has_no_clips_of_other_lengths(tmp_path):
    made = tclnet.build(slim.build(slim.Settings((4, 6, 8, 10))), tclnet.Settings())
    with pytest.raises(UsageError, match="clips of 5 frames") as error:
        pack(made, tmp_path / "tiny", frames=5, size=SIZE)
    assert str(made.multiple) in error.value.hint


def test_a_yaml_with_a_mistake_is_named_and_kept(tmp_path):
    (tmp_path / "tiny").mkdir()
    card = tmp_path / "tiny" / "tiny.yaml"
    card.write_text("licens: mine\n")
    with pytest.raises(InputError, match="licens"):
        pack(network(), tmp_path / "tiny", frames=2, size=SIZE)
    assert card.read_text() == "licens: mine\n"
