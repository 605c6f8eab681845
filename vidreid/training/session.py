"""One training from beginning to end in a folder: data, checkpoints, log, weights."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from vidreid import plugins
from vidreid.errors import StorageError, UsageError
from vidreid.networks.weights.safetensors import write_safetensors
from vidreid.training.datasets import Dataset
from vidreid.training.loop import Progress, Training
from vidreid.training.material import Material, gather
from vidreid.training.recipe import Recipe
from vidreid.training.teacher import open_teacher

CHECKPOINT = "checkpoint.pt"
LOG = "log.csv"
WEIGHTS = "weights.safetensors"


@dataclass(frozen=True)
class Place:
    """This process among those of a training: its device, and its number of so many (torchrun)."""

    device: str = "cpu"
    rank: int = 0
    ranks: int = 1


def open_data(wanted: str) -> Dataset:
    """A data set named ``LAYOUT=ROOT``, or a CSV by its path alone."""
    layout, found, root = wanted.partition("=")
    if not found:
        layout, root = "csv", wanted
        if not wanted.endswith((".csv", ".csv.gz")):
            known = ", ".join(plugins.names("training.datasets"))
            raise UsageError(f"{wanted}: of which layout?", f"give LAYOUT=ROOT; layouts: {known}")
    dataset = plugins.load("training.datasets", layout).open_dataset(Path(root).expanduser(), tracklets=True)
    assert isinstance(dataset, Dataset)
    return dataset


def train(
    recipe: Recipe,
    labelled: Sequence[Dataset],
    strangers: Sequence[Dataset],
    output: Path,
    *,
    place: Place,
    seed: int = 0,
    teacher: str = "",
    every: float = 300.0,
    say: Callable[[str], None] = print,
) -> Iterator[Progress]:
    """Train in ``output``, going on from its checkpoint where there is one; writes one every ``every`` seconds.

    At the end ``weights.safetensors`` holds the result in half precision, without the classifiers.
    """
    output.mkdir(parents=True, exist_ok=True)
    material = gather(
        labelled, strangers, recipe.data, device=place.device, seed=seed, rank=place.rank, ranks=place.ranks
    )
    _tell(material, say)
    training = Training(
        recipe,
        material,
        device=place.device,
        seed=seed,
        teacher=open_teacher(teacher) if teacher else None,
        parallel=torch.nn.parallel.DistributedDataParallel if place.ranks > 1 else None,
        rank=place.rank,
    )
    checkpoint = output / CHECKPOINT
    if checkpoint.is_file():
        training.resume(checkpoint)
        say(f"going on after step {training.step}")
    yield from _steps(training, output, every, writes=place.rank == 0)
    if place.rank == 0:
        training.save(checkpoint)
        write_safetensors(output / WEIGHTS, _half(training), {"vidreid": recipe.about})


def _steps(training: Training, output: Path, every: float, *, writes: bool) -> Iterator[Progress]:
    saved = time.monotonic()
    for progress in training.run():
        if writes:
            _log(output / LOG, progress)
            if time.monotonic() - saved > every:
                training.save(output / CHECKPOINT)
                saved = time.monotonic()
        yield progress


def _tell(material: Material, say: Callable[[str], None]) -> None:
    say(f"{len(material.pictures.boxes)} pictures, {material.people} people")
    for name in material.skipped[:10]:
        say(f"skipped, cannot be decoded: {name}")
    if len(material.skipped) > 10:
        say(f"skipped: {len(material.skipped) - 10} more")


def _log(path: Path, progress: Progress) -> None:
    """Add a line to the log; a resumed run may repeat steps, the last line of a step counts."""
    row = {"step": progress.step, "rate": progress.rate, "pictures_per_second": progress.pictures_per_second}
    row |= progress.losses
    try:
        new = not path.is_file()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(row)
            writer.writerow([f"{value:.6g}" for value in row.values()])
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}", "free some space: the same command goes on") from None


def _half(training: Training) -> dict[str, torch.Tensor]:
    state = training.result.state_dict()
    return {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
