"""One training from beginning to end in a folder: data, checkpoints, log, weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

from vidreid.errors import InputError, StoppedError
from vidreid.posix import peak_memory
from vidreid.training import detector, reid
from vidreid.training.curves import write_curves
from vidreid.training.place import Place, Stopped, interrupts
from vidreid.training.progress import Log, Progress
from vidreid.training.recipe import Schedule, kind_of, read_values
from vidreid.training.steps import DivergedError

CHECKPOINT = "checkpoint.pt"
LOG = "log.csv"
WEIGHTS = "weights.safetensors"
CURVES = "curves.svg"
TRIAL = (5, 20)  # steps of a dry run: those that warm up, and all

Say = Callable[[str], None]


class Training(Protocol):
    """A network in training; ``pictures`` are those of a step on this device."""

    @property
    def step(self) -> int: ...
    @property
    def done(self) -> bool: ...
    @property
    def pictures(self) -> int: ...
    def run(self, stopped: Stopped) -> Iterator[Progress]: ...
    def save(self, path: Path) -> None: ...
    def resume(self, path: Path) -> None: ...


Trained = TypeVar("Trained", bound=Training)


class Setup(Protocol[Trained]):
    """What a training is made of."""

    @property
    def schedule(self) -> Schedule: ...
    def prepare(self, place: Place, say: Say, *, fresh: bool) -> Trained: ...
    def write(self, training: Trained, path: Path) -> None: ...
    def after(self, weights: Path) -> str: ...


@dataclass(frozen=True)
class Trial:
    """What a dry run found: speed, the most memory taken in bytes (None: unknown), and hours for the whole
    schedule."""

    device: str
    pictures_per_second: float
    memory: int | None
    hours: float

    def __str__(self) -> str:
        memory = "unknown amount" if self.memory is None else f"{self.memory / 2**30:.1f} GiB"
        return (
            f"{self.pictures_per_second:.0f} pictures/s on {self.device}\n"
            f"{memory} of memory at most\n"
            f"{self.hours:.1f} h for the whole schedule"
        )


def set_up(
    config: str, data: Sequence[str], strangers: Sequence[str] = (), changes: Sequence[str] = (), **given: Any
) -> Setup[Any]:
    """What the words of a command line mean, of an embedder (`reid.set_up`) or of a detector (`detector.set_up`)."""
    detects = kind_of(read_values(config, changes)) == "detector"
    return (detector.set_up if detects else reid.set_up)(config, data, strangers, changes, **given)


def train(
    setup: Setup[Trained], output: Path, *, place: Place, every: float = 300.0, say: Say = print
) -> Iterator[Progress]:
    """Train in ``output``, going on from its checkpoint where there is one; writes one every ``every`` seconds.

    At the end ``weights.safetensors`` holds the result, ``curves.svg`` what the log says.
    Ctrl-C ends the step, writes a checkpoint and raises `StoppedError`.
    """
    checkpoint = output / CHECKPOINT
    _make(output)
    training = setup.prepare(place, say if place.first else _silent, fresh=not checkpoint.is_file())
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
        setup.write(training, output / WEIGHTS)
        write_curves(Log(output / LOG), output / CURVES, say)


def dry_run(setup: Setup[Trained], *, place: Place, say: Say = print) -> Trial:
    """Train for some steps, keep nothing, and say what the whole would take."""
    training = setup.prepare(place, say if place.first else _silent, fresh=True)
    warm, steps = TRIAL
    for _ in training.run(lambda: training.step >= warm):
        pass
    _settle(place)
    began = time.perf_counter()
    for _ in training.run(lambda: training.step >= steps):
        pass
    _settle(place)
    seconds = (time.perf_counter() - began) / max(1, training.step - warm)
    hours = setup.schedule.steps * seconds / 3600
    return Trial(place.device, training.pictures * place.ranks / seconds, _peak_memory(place), hours)


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


def _silent(line: str) -> None: ...


def _settle(place: Place) -> None:
    """Wait for the device to finish what it was told."""
    if place.device.startswith("cuda"):
        torch.cuda.synchronize()


def _peak_memory(place: Place) -> int | None:
    """The most bytes that were taken: on the GPU, or by this process where the system tells."""
    if place.device.startswith("cuda"):
        return int(torch.cuda.max_memory_allocated())
    return peak_memory()
