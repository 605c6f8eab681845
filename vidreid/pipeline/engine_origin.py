"""What an engine was built of: its recipe and the file of its weights, as its card's command says."""

from __future__ import annotations

import itertools
import shlex
from dataclasses import dataclass
from pathlib import Path

from vidreid.engines.card import Card
from vidreid.engines.recipe import EngineRecipe, read_recipe, recipe_names
from vidreid.errors import MissingError


@dataclass(frozen=True)
class Origin:
    """A recipe by name, of the engine's sizes and frames; ``weights``: a file, ``random``, or empty (the recipe's)."""

    name: str
    recipe: EngineRecipe
    weights: str


def origin_of(card: Card, weights: str = "") -> Origin:
    """Where an engine is from; ``weights``: where they lie now. `MissingError` where its recipe is not here."""
    words = shlex.split(card.command)
    given = dict(itertools.pairwise(words))
    wanted = given.get("build", card.recipe)
    if wanted not in recipe_names() and not (wanted.endswith((".yaml", ".yml")) and Path(wanted).is_file()):
        raise MissingError(f"{card.name}: its recipe {wanted!r} is not here", "put the recipe's YAML there again")
    name, recipe = read_recipe(wanted)
    frames = card.spec.frames if card.spec.kind == "embedder" else None
    stated = recipe.model_copy(update={"sizes": list(card.sizes), "frames": frames})
    return Origin(name, stated, weights or given.get("--weights", ""))
