"""Checkpoints of a training: whole or not at all, never code, and the network in them by its recipe."""

import pickle
from pathlib import Path

import pytest
import torch

from vidreid.errors import InputError, StorageError
from vidreid.networks.weights.safetensors import read_metadata, read_safetensors, write_safetensors
from vidreid.training.checkpoint import read_state, read_weights, write_checkpoint
from vidreid.training.loop import Training
from vidreid.training.material import gather
from vidreid.training.place import Place
from vidreid.training.recipe import build_network
from vidreid.training.start import begin
from vidreid.training.trained import open_network, write_weights

STATE = {"step": 7, "network": {"weight": torch.arange(5000.0)}, "averaged": {}}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint.pt"
    write_checkpoint(path, STATE)
    return path


def test_what_is_written_is_read(checkpoint: Path) -> None:
    found = read_state(checkpoint)
    assert found["step"] == 7
    assert torch.equal(found["network"]["weight"], STATE["network"]["weight"])


def test_a_full_disk_leaves_the_previous_checkpoint(checkpoint: Path, full_disk) -> None:
    before = checkpoint.read_bytes()
    with full_disk(4096), pytest.raises(StorageError, match=r"checkpoint.pt: cannot be written") as caught:
        write_checkpoint(checkpoint, {**STATE, "step": 8})
    assert "free some space" in caught.value.hint
    assert checkpoint.read_bytes() == before
    assert list(checkpoint.parent.iterdir()) == [checkpoint]


def test_a_folder_that_is_gone_is_told_like_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        write_checkpoint(tmp_path / "gone" / "checkpoint.pt", STATE)


def test_a_truncated_checkpoint_is_named(checkpoint: Path) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"checkpoint.pt: .*truncated or damaged"):
        read_state(checkpoint)


def test_code_in_a_checkpoint_does_not_run(checkpoint: Path) -> None:
    class Bomb:
        def __reduce__(self):
            return Path.touch, (checkpoint.with_name("ran"),)

    torch.save({"step": 1, "bomb": Bomb()}, checkpoint, pickle_module=pickle)
    with pytest.raises(InputError, match="its pickle could run any code"):
        read_state(checkpoint)
    assert not checkpoint.with_name("ran").exists()


@pytest.mark.parametrize(
    ("state", "message"),
    [({"epoch": 3}, "not a checkpoint of vidreid train"), ({"step": 1, "format": 99}, "of another version of vidreid")],
)
def test_others_checkpoints_do_not_go_on(tmp_path: Path, state: dict, message: str) -> None:
    torch.save(state, tmp_path / "theirs.pt")
    with pytest.raises(InputError, match=message):
        read_state(tmp_path / "theirs.pt")


# The network in them


@pytest.fixture
def trained(tiny, people):
    """A training of a few steps."""
    recipe = tiny("schedule.steps=3")
    material = gather([people], [], recipe.data, place=Place(), seed=0)
    training = Training(begin(recipe), recipe, material, place=Place())
    list(training.run())
    return training


def same(one, other, *, atol: float = 0.0) -> None:
    for name, value in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value, rtol=0, atol=atol)


def test_weights_say_how_their_network_is_built(trained: Training, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    write_weights(path, trained.result, trained.recipe)
    network, recipe = open_network(path)
    assert recipe == trained.recipe
    assert not network.training
    same(trained.result, network, atol=1e-3)
    stored = read_safetensors(path)
    assert stored["backbone.stem.0.weight"].dtype == torch.float16
    assert stored["backbone.stem.1.running_var"].dtype == torch.float32
    assert not any("classifier" in name or "branches" in name for name in stored)


def test_a_checkpoint_gives_the_average(trained: Training, tmp_path: Path) -> None:
    trained.save(tmp_path / "checkpoint.pt")
    network, recipe = open_network(tmp_path / "checkpoint.pt")
    assert recipe == trained.recipe
    same(trained.averaged, network)


def test_others_weights_need_a_recipes_name(trained: Training, tiny_yaml: Path, tmp_path: Path) -> None:
    path = tmp_path / "plain.safetensors"
    write_safetensors(path, trained.network.state_dict())
    with pytest.raises(InputError, match=r"plain.safetensors: does not say how its network is built"):
        open_network(path)
    network, _ = open_network(path, str(tiny_yaml))
    same(trained.network, network)
    with pytest.raises(InputError, match="another network"):
        open_network(path, "light/qan")


@pytest.mark.parametrize("stated", ["{", "[]", '{"data": {"size": "large"}}'])
def test_a_recipe_that_makes_no_sense_is_told(trained: Training, tmp_path: Path, stated: str) -> None:
    path = tmp_path / "odd.safetensors"
    write_safetensors(path, trained.network.state_dict(), {"recipe": stated})
    with pytest.raises(InputError, match=r"odd.safetensors: "):
        open_network(path)


def test_metadata_hold_nothing_of_the_machine(trained: Training, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    write_weights(path, trained.result, trained.recipe)
    assert set(read_metadata(path)) == {"recipe"}
    assert str(tmp_path) not in read_metadata(path)["recipe"]


# Weights to begin from


def test_a_training_begins_from_a_checkpoint_of_its_network(trained: Training, tiny, tmp_path: Path) -> None:
    trained.save(tmp_path / "checkpoint.pt")
    same(trained.averaged, begin(tiny(f"start={tmp_path / 'checkpoint.pt'}")))


def test_classifiers_are_left_out(trained: Training, tiny, tmp_path: Path) -> None:
    state = {**trained.network.state_dict(), "classifiers.branches.0.weight": torch.zeros(99, 8)}
    torch.save(state, tmp_path / "theirs.pt")
    assert read_weights(tmp_path / "theirs.pt")[0].keys() == state.keys()
    same(trained.network, begin(tiny(f"start={tmp_path / 'theirs.pt'}")))


@pytest.mark.parametrize("change", ["network=qan", "network={name: tclnet, options: {tsb: [1]}}"])
def test_another_network_begins_with_the_backbone(trained: Training, tiny, tmp_path: Path, change: str) -> None:
    path = tmp_path / "weights.safetensors"
    write_weights(path, trained.result, trained.recipe)
    said: list[str] = []
    recipe = tiny(change, f"start={path}")
    begun, new = begin(recipe, say=said.append).state_dict(), build_network(recipe).state_dict()
    theirs = trained.result.state_dict()
    stem = next(name for name in begun if name.endswith("stem.0.weight"))
    torch.testing.assert_close(begun[stem], theirs["backbone.stem.0.weight"], rtol=0, atol=1e-3)
    assert not torch.equal(begun[stem], new[stem])
    assert said == [
        f"{path.name}: weights of the backbone; 5 other tensors left out, the rest of the network starts new"
    ]


def test_imagenet_is_of_resnet50_alone(tiny) -> None:
    with pytest.raises(InputError, match="no ImageNet weights are known of the backbone slim"):
        begin(tiny("start=imagenet"))
