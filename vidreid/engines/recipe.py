"""Recipes of engines (``engines/*.yaml``): which network, for what inputs, how exactly it is to be computed."""

from __future__ import annotations

import difflib
import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveInt, field_validator, model_validator

from vidreid.errors import InputError
from vidreid.resources import carried
from vidreid.settings import Section, read_model

Precision = Literal["fp32", "bf16", "fp16", "int8"]
Size = tuple[PositiveInt, PositiveInt]


class Bound(Section):
    """How far an engine may be from torch's float32 on the golden inputs; one that is farther is refused.

    Of clips where a network chose another block to erase than torch did, only the branches that saw the same count.
    """

    cosine: float = Field(0.999, ge=-1, le=1, description="least cosine of a branch's vectors (embedders)")
    rows: float = Field(0.9, ge=0, le=1, description="least share of equal erased rows (networks that erase)")
    found: float = Field(0.9, ge=0, le=1, description="least share of sure boxes found again at IoU 0.7 (detectors)")
    score: float = Field(0.1, ge=0, le=1, description="largest mean difference of their scores (detectors)")


BOUNDS: dict[Precision, Bound] = {"int8": Bound(cosine=0.98, rows=0.8)}  # type: ignore[call-arg]
"""Where a recipe states none, and eight bits cannot keep the usual one."""


class EngineRecipe(Section):
    """What an engine is made of. Runtimes say how it is built; what it has become stands on its card."""

    network: str = Field(description="a registered network, or a recipe of configs/training")
    weights: str = Field("", description="file of the weights of a training recipe; a registered network has its own")
    get: str = Field("", description="what a person does to get weights that are not here")
    frames: int | None = Field(None, ge=1, description="crops of a clip (embedders) [default: as the network states]")
    sizes: list[Size] = Field(default_factory=list, description="height, width of pictures; cameras choose among them")
    batch: tuple[PositiveInt, PositiveInt, PositiveInt] = Field((1, 8, 32), description="least, usual, most of a batch")
    precision: Precision = Field("bf16", description="of everything but the islands")
    islands: list[str] = Field(
        default_factory=list, description="operators (Softmax) or names of nodes (*tse*) that stay in float32"
    )
    bounds: dict[Precision, Bound] = Field(default_factory=dict, description="by precision; others have the defaults")

    @field_validator("batch")
    @classmethod
    def _rising(cls, batch: tuple[int, int, int]) -> tuple[int, int, int]:
        if not batch[0] <= batch[1] <= batch[2]:
            raise ValueError("least, usual and most of a batch must not fall")
        return batch

    @model_validator(mode="after")
    def _different_sizes(self) -> EngineRecipe:
        if len(set(self.sizes)) != len(self.sizes):
            raise ValueError("a size is given twice")
        return self

    @property
    def bound(self) -> Bound:
        """The bound of this recipe's precision."""
        return self.bounds.get(self.precision) or BOUNDS.get(self.precision) or Bound()  # type: ignore[call-arg]

    @property
    def digest(self) -> str:
        """SHA-256 of what it says."""
        return hashlib.sha256(json.dumps(self.model_dump(), sort_keys=True).encode()).hexdigest()


def recipe_names() -> list[str]:
    """Names of the recipes that the package carries, sorted."""
    return sorted(file.stem for file in carried("engines").glob("*.yaml"))


def read_recipe(wanted: str) -> tuple[str, EngineRecipe]:
    """Name and content of a recipe by its name or file; an unknown one is an `InputError` that names the nearest."""
    if wanted.endswith((".yaml", ".yml")):
        return Path(wanted).stem, read_model(EngineRecipe, Path(wanted).expanduser())
    if wanted not in recipe_names():
        near = difflib.get_close_matches(wanted, recipe_names(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(recipe_names())}; or give a YAML"
        raise InputError(f"no engine recipe {wanted!r}", hint)
    return wanted, read_model(EngineRecipe, carried("engines") / f"{wanted}.yaml")
