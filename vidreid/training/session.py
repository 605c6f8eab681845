"""One training from beginning to end in a folder: data, checkpoints, log, weights."""

from __future__ import annotations

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
from vidreid.training.loop import Training
from vidreid.training.material import Material, gather
from vidreid.training.place import Place, interrupts
from vidreid.training.progress import Log, Progress
from vidreid.training.recipe import Recipe, build_network
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
    yield from _steps(training, output, place, every)
    if place.first:
        training.save(checkpoint)
    if not training.done:
        raise StoppedError(f"stopped after step {training.step}; {checkpoint} is written", "the same command goes on")
    if place.first:
        write_weights(output / WEIGHTS, training.result, setup.recipe)
        write_curves(Log(output / LOG), output / CURVES, say)


def dry_run(setup: Setup, *, place: Place, say: Say = print) -> Trial:
    """Train for some steps, keep nothing, and say what the whole would take."""
    training = _prepare(setup, place, say, fresh=True)
    warm, steps = TRIAL
    began = time.perf_counter()
    for _ in training.run(lambda: training.step >= warm):
        pass
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
    data, seed, split = setup.recipe.data, setup.seed, setup.split
    material = gather(setup.labelled, setup.strangers, data, place=place, seed=seed, split=split)
    speak = say if place.first else _silent
    _tell(setup, material, speak)
    if fresh:
        network = begin(setup.recipe, seed=setup.seed, backbone_weights=setup.backbone_weights, say=speak)
    else:
        network = build_network(setup.recipe)
    teacher = open_teacher(setup.teacher, place.device) if setup.teacher else None
    return Training(network, setup.recipe, material, place=place, seed=setup.seed, teacher=teacher)


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
