"""``start: PATH``: the weights of a packed network, its neck included, or its backbone for another network."""

from pathlib import Path

import pytest
import torch

from vidreid.training.packing import pack
from vidreid.training.recipe import Part, Recipe
from vidreid.training.recipe import build_network as build
from vidreid.training.start import begin

BACKBONE = Part("slim", {"widths": [4, 6, 8, 10], "blocks": [1, 1, 1, 2]})


@pytest.fixture
def packed(tmp_path: Path):
    """A network with a neck that is not as new, and the ONNX that it became."""
    torch.manual_seed(1)
    network = build(Recipe(backbone=BACKBONE, network=Part("average"))).eval()
    network.necks[0].running_mean.fill_(0.25)
    pack(network, tmp_path / "own", frames=2, size=(32, 16))
    return network, str(tmp_path / "own" / "own.onnx")


def test_a_packed_network_is_gone_on_with_neck_and_all(packed) -> None:
    network, path = packed
    said: list[str] = []
    begun = begin(Recipe(backbone=BACKBONE, network=Part("average"), start=path), seed=5, say=said.append)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(begun.state_dict()[name], value, rtol=1e-3, atol=1e-4)
    assert said == []


def test_another_network_takes_its_backbone_and_says_what_was_left(packed) -> None:
    network, path = packed
    said: list[str] = []
    recipe = Recipe(backbone=BACKBONE, network=Part("tclnet", {"tsb": []}), start=path)
    begun = begin(recipe, say=said.append)
    torch.testing.assert_close(begun.stem[0].weight, network.backbone.stem[0].weight, rtol=1e-3, atol=1e-4)
    assert said == ["own.onnx: weights of the backbone; 4 other tensors left out, the rest of the network starts new"]
