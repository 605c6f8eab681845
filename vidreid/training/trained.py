"""A trained network as one file that says how it is built."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from vidreid.errors import InputError
from vidreid.networks import VideoNetwork
from vidreid.networks.weights.checkpoint import CLASSIFIERS, load_into
from vidreid.networks.weights.safetensors import read_metadata, write_safetensors
from vidreid.training.checkpoint import read_weights, replaced
from vidreid.training.detector.network import build_detector
from vidreid.training.detector.recipe import DetectorRecipe, detector_recipe
from vidreid.training.recipe import Recipe, build_network, kind_of, read_recipe, read_values
from vidreid.training.sections import section

KEY = "recipe"


def write_weights(path: Path, network: nn.Module, recipe: Recipe | DetectorRecipe) -> None:
    """A safetensors file: matrices and kernels in half precision, and the recipe as JSON in its metadata."""
    state = {name: _half(value) for name, value in network.state_dict().items()}
    with replaced(path) as temporary:
        write_safetensors(temporary, state, {KEY: json.dumps(dataclasses.asdict(recipe))})


def open_network(weights: Path, name: str | None = None) -> tuple[VideoNetwork, Recipe]:
    """A trained network in evaluation mode, and its recipe.

    ``weights`` is what `train` wrote (weights.safetensors or checkpoint.pt), which says how it is built; of anybody
    else's file ``name`` says it, a recipe's name or YAML. `InputError` where the two do not fit.
    """
    state, stated = _stated(weights)
    if name is None and not stated:
        raise InputError(f"{weights.name}: does not say how its network is built", "name its recipe")
    recipe = read_recipe(name) if name is not None else _recipe(stated, weights.name)
    network = build_network(recipe)
    load_into(network, {key: value for key, value in state.items() if not key.startswith(CLASSIFIERS)}, weights.name)
    return network.eval(), recipe


def open_detector(weights: Path, name: str | None = None) -> tuple[nn.Module, DetectorRecipe]:
    """A trained detector in evaluation mode, and its recipe; ``weights`` and ``name`` as in `open_network`."""
    state, stated = _stated(weights)
    values = read_values(name) if name is not None else _values(stated, weights.name)
    found = detector_recipe(values, name or weights.name)
    network = build_detector(found.architecture)
    load_into(network, state, weights.name)
    return network.eval(), found


def trained_kind(weights: Path, name: str | None = None) -> str:
    """``embedder`` or ``detector``: what the recipe of weights, or the one of that ``name``, trains."""
    if name is not None:
        return kind_of(read_values(name))
    stated = _stated(weights)[1]
    return kind_of(_values(stated, weights.name)) if stated else "embedder"


def _stated(weights: Path) -> tuple[dict[str, Tensor], str]:
    """Tensors, and the recipe as JSON where the file holds it."""
    state, stated = read_weights(weights)
    return state, read_metadata(weights).get(KEY, "") if weights.suffix == ".safetensors" else stated


def _recipe(stated: str, where: str) -> Recipe:
    return section(Recipe, _values(stated, where), where)


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
