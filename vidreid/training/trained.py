"""A trained network as one file that says how it is built."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from vidreid.errors import InputError
from vidreid.networks import VideoNetwork
from vidreid.networks.weights.checkpoint import load_into
from vidreid.networks.weights.safetensors import read_metadata, write_safetensors
from vidreid.training.checkpoint import read_weights, replaced
from vidreid.training.detector.network import build_detector
from vidreid.training.detector.recipe import DetectorRecipe, detector_recipe
from vidreid.training.recipe import Recipe, build_network, kind_of, read_values
from vidreid.training.sections import section

KEY = "recipe"


def write_weights(path: Path, network: nn.Module, recipe: Recipe | DetectorRecipe) -> None:
    """A safetensors file: matrices and kernels in half precision, and the recipe as JSON in its metadata."""
    state = {name: _half(value) for name, value in network.state_dict().items()}
    with replaced(path) as temporary:
        write_safetensors(temporary, state, {KEY: json.dumps(dataclasses.asdict(recipe))})


def open_trained(weights: Path, name: str | None = None) -> tuple[nn.Module, Recipe | DetectorRecipe]:
    """A trained embedder or detector in evaluation mode, and its recipe.

    ``weights`` is what `train` wrote (weights.safetensors or checkpoint.pt), which says how it is built; of anybody
    else's file ``name`` says it, a recipe's name or YAML. `InputError` where the two do not fit.
    """
    state, stated = _stated(weights)
    if name is None and not stated:
        raise InputError(f"{weights.name}: does not say how its network is built", "name its recipe: --network RECIPE")
    network, recipe = _built(_values(stated, weights.name), weights.name) if name is None else build_untrained(name)
    load_into(network, state, weights.name)
    return network.eval(), recipe


def build_untrained(name: str) -> tuple[nn.Module, Recipe | DetectorRecipe]:
    """The network of a recipe, a name or a YAML, with weights of its own initialisation; and the recipe."""
    return _built(read_values(name), Path(name).name)


def _built(values: Mapping[str, Any], where: str) -> tuple[nn.Module, Recipe | DetectorRecipe]:
    if kind_of(values) == "detector":
        detector = detector_recipe(values, where)
        return build_detector(detector.architecture), detector
    recipe = section(Recipe, {key: it for key, it in values.items() if (key, it) != ("kind", "embedder")}, where)
    return build_network(recipe), recipe


def open_network(weights: Path, name: str | None = None) -> tuple[VideoNetwork, Recipe]:
    """A trained embedder; as `open_trained`."""
    network, recipe = open_trained(weights, name)
    if not isinstance(recipe, Recipe):
        raise InputError(f"{weights.name}: of a detector", "give the weights of an embedder")
    assert isinstance(network, VideoNetwork)
    return network, recipe


def open_detector(weights: Path, name: str | None = None) -> tuple[nn.Module, DetectorRecipe]:
    """A trained detector; as `open_trained`."""
    network, recipe = open_trained(weights, name)
    if not isinstance(recipe, DetectorRecipe):
        raise InputError(f"{weights.name}: of an embedder", "give the weights of a detector")
    return network, recipe


def _stated(weights: Path) -> tuple[dict[str, Tensor], str]:
    """Tensors, and the recipe as JSON where the file holds it."""
    state, stated = read_weights(weights)
    return state, read_metadata(weights).get(KEY, "") if weights.suffix == ".safetensors" else stated


def _values(stated: str, where: str) -> dict[str, Any]:
    try:
        values: Any = json.loads(stated)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InputError(f"{where}: its recipe cannot be read", "name the recipe")
    return values


def _half(value: Tensor) -> Tensor:
    # Vectors stay: the variance of a quiet channel would be none.
    return value.half() if value.is_floating_point() and value.ndim > 1 else value
