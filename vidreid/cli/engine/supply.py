"""Where the numbers of a recipe's network come from: a registered file, a training, or nowhere but a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidreid.errors import MissingError, UsageError

if TYPE_CHECKING:
    from vidreid.engines.recipe import EngineRecipe
    from vidreid.engines.source import Source

RANDOM = "random"


@dataclass(frozen=True)
class Supply:
    """``weights``: the SHA-256 of their file, or `RANDOM`; ``make`` writes the graph into a folder and asks torch."""

    weights: str
    make: Callable[[Path], Source]


def find_supply(name: str, recipe: EngineRecipe, chosen: str, calibrate_on: Path | None, *, offline: bool) -> Supply:
    """The weights of a recipe: ``chosen`` (a file, or `RANDOM`), else those that it names, else the registered ones.

    `MissingError` says how to get or train what is not here.
    """
    from vidreid.engines.registry import read_registry
    from vidreid.training.recipe import names

    weights = chosen or recipe.weights
    network = recipe.network
    trained = network in names() or network.endswith((".yaml", ".yml"))
    if weights and trained:
        return _trained(name, recipe, weights, calibrate_on)
    if weights == RANDOM:
        raise UsageError(f"{name}: only networks of a training recipe can have random weights", "leave --weights out")
    if weights or network in read_registry().models or not trained:
        return _registered(recipe, weights or network, calibrate_on, offline=offline)
    raise MissingError(f"{name}: no weights of {network}", _how_to_get(name, recipe))


def _trained(name: str, recipe: EngineRecipe, weights: str, calibrate_on: Path | None) -> Supply:
    from vidreid.digests import file_sha256
    from vidreid.training.sources import trained_source

    path = Path(weights).expanduser()
    if weights != RANDOM and not path.is_file():
        raise MissingError(f"{name}: no weights {weights}", _how_to_get(name, recipe))

    def make(folder: Path) -> Source:
        return trained_source(recipe, "random" if weights == RANDOM else path, folder, calibrate_on=calibrate_on)

    return Supply(RANDOM if weights == RANDOM else file_sha256(path), make)


def _registered(recipe: EngineRecipe, wanted: str, calibrate_on: Path | None, *, offline: bool) -> Supply:
    from vidreid.digests import file_sha256
    from vidreid.engines.registry import network_file, read_registry, weights_file
    from vidreid.engines.weights import find_model
    from vidreid.pipeline.sources import registered_source

    def announce(line: str) -> None:
        click.echo(line, err=True)

    def make(folder: Path) -> Source:
        return registered_source(wanted, recipe, folder, offline=offline, announce=announce, calibrate_on=calibrate_on)

    entry = read_registry().models.get(wanted)
    if entry is None:
        return Supply(file_sha256(weights_file(network_file(Path(wanted).expanduser()))), make)
    try:
        model = find_model(wanted, entry.kind, offline=offline, announce=announce)
    except MissingError as error:
        raise MissingError(error.message, recipe.get or error.hint) from None
    return Supply(model.spec.identity, make)


def _how_to_get(name: str, recipe: EngineRecipe) -> str:
    how = recipe.get or f"train them: vidreid train {recipe.network} --data ROOT --output DIR"
    return f"{how}; then --weights FILE (or, for measuring only: vidreid engine build {name} --weights {RANDOM})"
