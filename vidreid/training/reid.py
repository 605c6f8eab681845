"""What a training of an embedder is made of, and how it begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidreid import plugins
from vidreid.errors import UsageError
from vidreid.training.datasets import Dataset
from vidreid.training.loop import Training
from vidreid.training.material import Material, gather
from vidreid.training.place import Place
from vidreid.training.recipe import Recipe, Schedule, build_network, read_recipe
from vidreid.training.skipped import tell_skipped
from vidreid.training.start import begin
from vidreid.training.teacher import identity_of, open_teacher
from vidreid.training.trained import write_weights

Say = Callable[[str], None]


@dataclass(frozen=True)
class Setup:
    """What a training is made of: ``teacher`` is a registered embedder or the path of one, ``backbone_weights`` the
    file that a recipe's ``start: imagenet`` stands for. Sets of several splits are trained on ``split``, from 1."""

    recipe: Recipe
    labelled: Sequence[Dataset]
    strangers: Sequence[Dataset] = ()
    seed: int = 0
    teacher: str = ""
    backbone_weights: Path | None = None
    split: int = 1

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UsageError(f"seed {self.seed}", "give 0 or more")

    @property
    def schedule(self) -> Schedule:
        """How long it takes."""
        return self.recipe.schedule

    def prepare(self, place: Place, say: Say, *, fresh: bool) -> Training:
        """A training at its first step; one that is not ``fresh`` takes its weights from a checkpoint."""
        losses = self.recipe.losses
        if bool(losses.teacher or losses.relations) != bool(self.teacher):
            wants = ("a teacher", "--teacher NAME|PATH"), ("no teacher", "--set losses.teacher=1")
            has, hint = wants[bool(self.teacher)]
            raise UsageError(f"the recipe learns from {has}", hint)
        # What may be missing before what takes minutes.
        if fresh:
            network = begin(self.recipe, seed=self.seed, backbone_weights=self.backbone_weights, say=say)
        else:
            network = build_network(self.recipe)
        teacher = open_teacher(self.teacher, place.device) if self.teacher else None
        data, seed, split = self.recipe.data, self.seed, self.split
        material = gather(self.labelled, self.strangers, data, place=place, seed=seed, split=split)
        _tell(self, material, say)
        name = identity_of(self.teacher)
        return Training(network, self.recipe, material, place=place, seed=seed, teacher=teacher, teacher_name=name)

    def write(self, training: Training, path: Path) -> None:
        """The result of a training as one file."""
        write_weights(path, training.result, self.recipe)

    def after(self, weights: Path) -> str:
        """What one does next with the result."""
        return f"next: vidreid evaluate retrieval --dataset LAYOUT --data ROOT --weights {weights}"


def open_data(wanted: str, layout: str = "") -> Dataset:
    """A data set named ``LAYOUT=ROOT``, by ROOT alone where ``layout`` is what the recipe trains on, or a CSV by its
    path."""
    named, found, root = wanted.partition("=")
    if not found:
        root, named = wanted, "csv" if wanted.endswith((".csv", ".csv.gz")) else layout
        if not named:
            known = ", ".join(plugins.names("training.datasets"))
            raise UsageError(f"{wanted}: of which layout?", f"give LAYOUT=ROOT; layouts: {known}")
    dataset = plugins.load("training.datasets", named).open_dataset(Path(root).expanduser(), tracklets=True)
    assert isinstance(dataset, Dataset)
    return dataset


def set_up(
    config: str,
    data: Sequence[str],
    strangers: Sequence[str] = (),
    changes: Sequence[str] = (),
    *,
    seed: int = 0,
    teacher: str = "",
    backbone_weights: Path | None = None,
    split: int = 1,
) -> Setup:
    """A `Setup` from the words of a command line: `read_recipe` says what ``config`` and ``changes`` are, `open_data`
    what ``data`` and ``strangers``."""
    recipe = read_recipe(config, changes)
    labelled, unlabelled = [open_data(one, recipe.source.train) for one in data], [open_data(one) for one in strangers]
    return Setup(recipe, labelled, unlabelled, seed, teacher, backbone_weights, split)


def _tell(setup: Setup, material: Material, say: Say) -> None:
    for dataset in (*setup.labelled, *setup.strangers):
        for line in (dataset.terms, *dataset.notes):
            if line:
                say(f"{dataset.name}: {line}")
    say(f"{len(material.pictures)} pictures, {material.people} people")
    tell_skipped(material.skipped, say)
