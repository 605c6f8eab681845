"""The weights that a training begins with: ImageNet's, those of the same network, or those of its backbone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from vidreid import plugins
from vidreid.errors import InputError, MissingError
from vidreid.networks import VideoNetwork
from vidreid.networks.weights.checkpoint import CLASSIFIERS, load_into, read_checkpoint
from vidreid.training.checkpoint import read_weights
from vidreid.training.recipe import Recipe, build_backbone, build_network

IMAGENET = "imagenet"
BACKBONE = "backbone."
LAST_STAGE = "layer4."
SUFFIXES = (".pth", ".pt", ".safetensors")


def begin(
    recipe: Recipe, *, seed: int = 0, backbone_weights: Path | None = None, say: Callable[[str], None] = print
) -> VideoNetwork:
    """The recipe's network with the weights that its ``start`` names, the rest drawn by ``seed``.

    ``backbone_weights`` is the file that ``imagenet`` stands for. Classifiers are left out. `InputError` where weights
    are of another network, `MissingError` where there are none.
    """
    torch.manual_seed(seed)
    if not recipe.start:
        return build_network(recipe)
    if recipe.start == IMAGENET:
        return _from_imagenet(recipe, backbone_weights, say)
    path = Path(recipe.start).expanduser()
    state, _ = read_weights(path)
    state = {name: value for name, value in state.items() if not name.startswith(CLASSIFIERS)}
    network = build_network(recipe)
    if _names(state) != _names(network.state_dict()) and any(name.startswith(BACKBONE) for name in state):
        return _from_backbone(recipe, state, path.name, say)
    load_into(network, state, path.name)
    return network


def _names(state: Mapping[str, Tensor]) -> set[str]:
    """Names but for the counters of batch normalisation, which an ONNX file lacks."""
    return {name for name in state if not name.endswith("num_batches_tracked")}


def _from_backbone(recipe: Recipe, state: Mapping[str, Tensor], name: str, say: Callable[[str], None]) -> VideoNetwork:
    """Another network's backbone, before this one puts blocks into it or copies of it."""
    backbone = build_backbone(recipe)
    wanted = backbone.state_dict()
    found = {key.removeprefix(BACKBONE): value for key, value in state.items() if key.startswith(BACKBONE)}
    load_into(backbone, {key: value for key, value in found.items() if key in wanted}, name)
    left = len(state.keys() - {BACKBONE + key for key in wanted})
    say(f"{name}: weights of the backbone; {left} other tensors left out, the rest of the network starts new")
    return build_network(recipe, backbone)


def _from_imagenet(recipe: Recipe, given: Path | None, say: Callable[[str], None]) -> VideoNetwork:
    name = recipe.backbone.name
    file = plugins.load("networks.backbones", name)
    if not hasattr(file, "load_torchvision"):
        raise InputError(f"no ImageNet weights are known of the backbone {name}", "--set start= begins at random")
    path = given or _at_hand(name)
    state = read_checkpoint(path)
    backbone = build_backbone(recipe)
    file.load_torchvision(backbone, state)
    new = "" if any(key.startswith(LAST_STAGE) for key in state) else "; it has no layer4, which starts new"
    say(f"{path.name}: ImageNet weights of {name}{new}")
    return build_network(recipe, backbone)


def _at_hand(name: str) -> Path:
    """The first file in the cache's models whose name begins with the backbone's."""
    with contextlib.suppress(ImportError):  # a bare machine has no cache of ours
        from vidreid.resources import home

        for path in sorted((home() / "models").glob(f"{name}*")):
            if path.suffix in SUFFIXES:
                return path
    raise MissingError(
        f"no ImageNet weights of {name}",
        f"--backbone-weights PATH, or put torchvision's {name}-*.pth into VIDREID_HOME/models; "
        "--set start= begins at random",
    )
