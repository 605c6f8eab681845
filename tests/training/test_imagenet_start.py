"""``start: imagenet``: torchvision's ResNet-50, the last stage of which may be missing."""

from pathlib import Path

import pytest
import torch

from vidreid.errors import MissingError
from vidreid.networks.backbones import resnet50
from vidreid.networks.weights.safetensors import write_safetensors
from vidreid.training.recipe import Recipe, read_recipe
from vidreid.training.start import begin

CHANGES = ["data.size=[64,32]"]


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """TCLNet on ResNet-50 of a sixteenth of its width."""
    monkeypatch.setattr(resnet50, "WIDTHS", (16, 32, 64, 128))
    return read_recipe("tclnet/tclnet", CHANGES)


def write_imagenet(path: Path, *, last_stage: bool = True) -> dict[str, torch.Tensor]:
    """A backbone's weights under torchvision's names."""
    torch.manual_seed(9)
    state = {}
    for name, value in resnet50.build(resnet50.Settings()).state_dict().items():
        part, number, rest = name.split(".", 2)
        first = ("conv1", "bn1")[int(number)] if part == "stem" else f"layer{int(number) + 1}"
        if last_stage or first != "layer4":
            state[f"{first}.{rest}"] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    write_safetensors(path, state)
    return state


def test_the_file_that_is_given_is_taken(recipe: Recipe, tmp_path: Path) -> None:
    state = write_imagenet(tmp_path / "weights.safetensors")
    said: list[str] = []
    network = begin(recipe, backbone_weights=tmp_path / "weights.safetensors", say=said.append).state_dict()
    assert said == ["weights.safetensors: ImageNet weights of resnet50"]
    assert torch.equal(network["stem.0.weight"], state["conv1.weight"])
    for learner in (0, 1):
        assert torch.equal(network[f"tse.learners.{learner}.conv1.weight"], state["layer4.2.conv1.weight"])


def test_without_layer4_the_last_stage_starts_new_and_a_line_says_so(recipe: Recipe, own_home: Path) -> None:
    state = write_imagenet(own_home / "models" / "resnet50_stages.safetensors", last_stage=False)
    said: list[str] = []
    network = begin(recipe, say=said.append).state_dict()
    assert said == ["resnet50_stages.safetensors: ImageNet weights of resnet50; it has no layer4, which starts new"]
    assert torch.equal(network["stages.2.5.conv3.weight"], state["layer3.5.conv3.weight"])


def test_where_there_are_none_the_error_says_where_to_put_them(recipe: Recipe) -> None:
    with pytest.raises(MissingError, match="no ImageNet weights of resnet50") as caught:
        begin(recipe)
    assert "--backbone-weights" in caught.value.hint
    assert "VIDREID_HOME/models" in caught.value.hint


def test_the_weights_at_hand_fit(shared: Path) -> None:
    path = shared / "weights" / "backbone" / "resnet50_imagenet_stem_layer1-3_fp16.safetensors"
    said: list[str] = []
    begin(read_recipe("tclnet/base"), backbone_weights=path, say=said.append)
    assert said == [f"{path.name}: ImageNet weights of resnet50; it has no layer4, which starts new"]
