"""The graph that an engine was built from, made again where its weights are at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidreid.errors import MissingError

if TYPE_CHECKING:
    from vidreid.engines.card import Card
    from vidreid.engines.source import Source


def source_again(card: Card, weights: str, folder: Path) -> Source:
    """The float32 graph of an engine's network in ``folder``, and torch's answers.

    ``weights``: their file, where it lies elsewhere now. `MissingError` where they are not to be had, or not the
    engine's, or its recipe is not here.
    """
    from vidreid.cli.engine.supply import find_supply
    from vidreid.pipeline.engine_origin import origin_of

    origin = origin_of(card, weights)
    source = find_supply(origin.name, origin.recipe, origin.weights, None, offline=True).make(folder)
    if source.weights.sha256 != card.weights.sha256:
        raise MissingError(f"{card.name}: was built of other weights than these", "give its own: --weights FILE")
    return source
