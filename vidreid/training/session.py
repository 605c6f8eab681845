"""One training from beginning to end in a folder: data, checkpoints, log, weights."""

from __future__ import annotations

import hashlib
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from vidreid import plugins
from vidreid.errors import InputError, StoppedError, UsageError
from vidreid.training.curves import write_curves
from vidreid.training.datasets import Dataset
from vidreid.training.loop import DivergedError, Training
from vidreid.training.material import Material, gather
from vidreid.training.place import Place, interrupts
from vidreid.training.progress import Log, Progress
from vidreid.training.recipe import Recipe, build_network, read_recipe
from vidreid.training.start import begin
from vidreid.training.teacher import open_teacher
from vidreid.training.trained import write_weights

CHECKPOINT = "checkpoint.pt"
LOG = "log.csv"
WEIGHTS = "weights.safetensors"
CURVES = "curves.svg"
TRIAL = (5, 20)  # steps of a dry run: those that warm up, and all

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


@dataclass(frozen=True)
class Trial:
    """What a dry run found: speed, the most memory taken in bytes, and hours for the whole schedule."""

    device: str
    pictures_per_second: float
    memory: int
    hours: float

    def __str__(self) -> str:
        return (
            f"{self.pictures_per_second:.0f} pictures/s on {self.device}\n"
            f"{self.memory / 2**30:.1f} GiB of memory at most\n"
            f"{self.hours:.1f} h for the whole schedule"
        )


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


def train(setup: Setup, output: Path, *, place: Place, every: float = 300.0, say: Say = print) -> Iterator[Progress]:
    """Train in ``output``, going on from its checkpoint where there is one; writes one every ``every`` seconds.

    At the end ``weights.safetensors`` holds the result without the classifiers, ``curves.svg`` what the log says.
    Ctrl-C ends the step, writes a checkpoint and raises `StoppedError`.
    """
    checkpoint = output / CHECKPOINT
    _make(output)
    training = _prepare(setup, place, say, fresh=not checkpoint.is_file())
    if checkpoint.is_file():
        _resume(training, checkpoint)
        say(f"going on after step {training.step}")
    if place.first:
        Log(output / LOG).cut(training.step)
    try:
        yield from _steps(training, output, place, every)
        if place.first:
            training.save(checkpoint)
    except DivergedError as error:
        kept = f"; {checkpoint} of before is kept" if checkpoint.is_file() else ""
        raise DivergedError(error.message, error.hint + kept) from None
    if not training.done:
        raise StoppedError(f"stopped after step {training.step}; {checkpoint} is written", "the same command goes on")
    if place.first:
        write_weights(output / WEIGHTS, training.result, setup.recipe)
        write_curves(Log(output / LOG), output / CURVES, say)


def dry_run(setup: Setup, *, place: Place, say: Say = print) -> Trial:
    """Train for some steps, keep nothing, and say what the whole would take."""
    training = _prepare(setup, place, say, fresh=True)
    warm, steps = TRIAL
    for _ in training.run(lambda: training.step >= warm):
        pass
    _settle(place)
    began = time.perf_counter()
    for _ in training.run(lambda: training.step >= steps):
        pass
    _settle(place)
    seconds = (time.perf_counter() - began) / max(1, training.step - warm)
    hours = setup.recipe.schedule.steps * seconds / 3600
    return Trial(place.device, training.pictures * place.ranks / seconds, _peak_memory(place), hours)


def _prepare(setup: Setup, place: Place, say: Say, *, fresh: bool) -> Training:
    losses = setup.recipe.losses
    if bool(losses.teacher or losses.relations) != bool(setup.teacher):
        has, hint = ("no teacher", "--set losses.teacher=1") if setup.teacher else ("a teacher", "--teacher NAME|PATH")
        raise UsageError(f"the recipe learns from {has}", hint)
    # What may be missing before what takes minutes.
    speak = say if place.first else _silent
    if fresh:
        network = begin(setup.recipe, seed=setup.seed, backbone_weights=setup.backbone_weights, say=speak)
    else:
        network = build_network(setup.recipe)
    teacher = open_teacher(setup.teacher, place.device) if setup.teacher else None
    data, seed, split = setup.recipe.data, setup.seed, setup.split
    material = gather(setup.labelled, setup.strangers, data, place=place, seed=seed, split=split)
    _tell(setup, material, speak)
    name = _identity(setup.teacher)
    return Training(network, setup.recipe, material, place=place, seed=seed, teacher=teacher, teacher_name=name)


def _identity(teacher: str) -> str:
    """What tells a teacher from another one: the SHA-256 of its weights where they are in a file, else its name."""
    path = Path(teacher).expanduser()
    weights = path.with_suffix(".bin") if path.suffix == ".xml" else path
    return hashlib.sha256(weights.read_bytes()).hexdigest() if weights.is_file() else teacher


def _resume(training: Training, checkpoint: Path) -> None:
    try:
        training.resume(checkpoint)
    except InputError as error:
        hint = "go on with the recipe, data and seed of then, or begin anew: another --output, --set start=WEIGHTS"
        raise InputError(f"{checkpoint.parent}: {error.message}", hint) from None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: {(error.strerror or str(error)).lower()}", "give another --output") from None


def _steps(training: Training, output: Path, place: Place, every: float) -> Iterator[Progress]:
    saved = time.monotonic()
    with interrupts() as asked:
        for progress in training.run(lambda: place.agreed(asked())):
            if place.first:
                Log(output / LOG).add(progress)
                if time.monotonic() - saved > every:
                    training.save(output / CHECKPOINT)
                    saved = time.monotonic()
            yield progress


def _tell(setup: Setup, material: Material, say: Say) -> None:
    for dataset in (*setup.labelled, *setup.strangers):
        for line in (dataset.terms, *dataset.notes):
            if line:
                say(f"{dataset.name}: {line}")
    say(f"{len(material.pictures)} pictures, {material.people} people")
    for name in material.skipped[:10]:
        say(f"skipped, cannot be decoded: {name}")
    if len(material.skipped) > 10:
        say(f"skipped: {len(material.skipped) - 10} more")


def _silent(line: str) -> None: ...


def _settle(place: Place) -> None:
    """Wait for the device to finish what it was told."""
    if place.device.startswith("cuda"):
        torch.cuda.synchronize()


def _peak_memory(place: Place) -> int:
    """The most bytes that were taken: on the GPU, or by this process."""
    if place.device.startswith("cuda"):
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
