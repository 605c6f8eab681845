"""Recipes of detectors: everything that makes a trained detector what it is, but the pictures and the seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Literal

from vidreid.errors import InputError
from vidreid.training.detector.augmentation import Augmentation
from vidreid.training.recipe import Optimizer, Schedule, kind_of, read_values
from vidreid.training.sections import section, within


@dataclass(frozen=True)
class Set:
    """How often a picture of a set is drawn, and how sure we are that what has no label is no person (0: ask the
    teacher)."""

    weight: float = 1.0
    complete: float = 1.0

    def __post_init__(self) -> None:
        within(self, 0, inf, "weight")
        within(self, 0, 1, "complete")


@dataclass(frozen=True)
class Data:
    """A batch is ``pictures`` square views, of one of ``sizes`` pixels a step.

    ``natural``: the longest side in pixels at which pictures will be searched; views are cut from there, zoomed.
    ``sets`` by name; one that is not named counts as a `Set` of defaults, with ``complete`` 0 where its labels are
    partial.
    """

    pictures: int = 16
    sizes: tuple[int, ...] = (320,)
    natural: int = 640
    sets: Mapping[str, Set] = field(default_factory=dict)

    def __post_init__(self) -> None:
        within(self, 1, inf, "pictures", "natural")
        if not self.sizes or any(size % 32 or size < 64 for size in self.sizes):
            raise InputError(f"sizes: {list(self.sizes)}", "give multiples of 32 from 64 on")


@dataclass(frozen=True)
class Losses:
    """Weights of the losses: of ``scores``, of ``boxes``, and of the teacher's ``features``, which fades with the
    schedule: at first they teach the most, in the end a detector of persons needs others than one of 80 things."""

    scores: float = 1.0
    boxes: float = 1.0
    features: float = 0.0

    def __post_init__(self) -> None:
        within(self, 0, inf, "scores", "boxes", "features")


@dataclass(frozen=True)
class DetectorRecipe:
    """A training of a detector, as a YAML of configs/training says it (``kind: detector``).

    ``architecture`` is one of ultralytics' that need no suppression of double boxes. ``start``: weights of the same
    architecture to begin with. ``average``: share of the moving average of the weights that a step keeps.
    """

    about: str = ""
    kind: Literal["detector"] = "detector"
    architecture: str = "yolo26n"
    start: str = ""
    data: Data = field(default_factory=Data)
    augmentation: Augmentation = field(default_factory=Augmentation)
    losses: Losses = field(default_factory=Losses)
    optimizer: Optimizer = field(default_factory=lambda: Optimizer("adamw", 2e-3, 0.02, 10.0))
    schedule: Schedule = field(default_factory=Schedule)
    average: float = 0.999
    precision: Literal["bf16", "fp32"] = "bf16"

    def __post_init__(self) -> None:
        within(self, 0, 1, "average")


def read_detector_recipe(wanted: str, changes: Sequence[str] = ()) -> DetectorRecipe:
    """The recipe of a detector by name or YAML; ``changes`` as `vidreid.training.recipe.read_values` has them."""
    return detector_recipe(read_values(wanted, changes), Path(wanted).name)


def detector_recipe(values: Mapping[str, Any], where: str) -> DetectorRecipe:
    """The recipe of a detector from its keys; `InputError` where they are not one's."""
    if kind_of(values) != "detector":
        raise InputError(f"{where}: the recipe of an {kind_of(values)}", "vidreid train --list")
    return section(DetectorRecipe, values, where)
