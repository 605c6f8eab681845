"""The steps of a training: each a function of recipe, seed and its number, so a stopped run goes on exactly."""

from __future__ import annotations

import copy
import dataclasses
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from vidreid.errors import InputError, VidreidError
from vidreid.networks.weights.checkpoint import load_into
from vidreid.training.averaging import average
from vidreid.training.checkpoint import read_state, write_checkpoint
from vidreid.training.detector.recipe import DetectorRecipe
from vidreid.training.place import Place, Stopped
from vidreid.training.progress import Progress
from vidreid.training.recipe import Recipe, differences, kind_of
from vidreid.training.schedule import rate
from vidreid.training.sections import section

WATCH = 10  # steps between looks at the loss, each of which waits for the device

# What a checkpoint says of its training besides the recipe; all of it must be the same to go on.
ORIGIN = {
    "people": "on {then} people, this data has {now}",
    "data": "on other pictures or another split",
    "seed": "with seed {then}",
    "teacher": "with another teacher",
    "ranks": "by a number of processes of {then}, not {now}",
}

Batch = TypeVar("Batch")
AnyRecipe = TypeVar("AnyRecipe", Recipe, DetectorRecipe)


class DivergedError(VidreidError):
    """The loss is no number any more."""


class Loop(ABC, Generic[AnyRecipe, Batch]):
    """A network in training on one device, or one of several that average their gradients (torchrun).

    ``trained`` is a module of the ``network`` and, under the name `BESIDE`, of what is learnt with it and then left;
    ``groups`` are its parameters as an optimizer takes them. ``origin`` tells the data from others'.
    """

    BESIDE: ClassVar[str]

    def __init__(
        self,
        trained: nn.Module,
        groups: list[dict[str, Any]],
        recipe: AnyRecipe,
        *,
        place: Place,
        seed: int,
        origin: Mapping[str, Any],
        teacher_name: str,
    ) -> None:
        self.recipe: AnyRecipe = recipe
        self.device, self.seed, self.rank = torch.device(place.device), seed, place.rank
        self._origin = {**origin, "seed": seed, "teacher": teacher_name, "ranks": place.ranks}
        self.step = 0
        self.trained, self.network = trained, trained.network
        self.averaged: nn.Module | None = copy.deepcopy(self.network) if recipe.average else None
        kind = torch.optim.AdamW if recipe.optimizer.name == "adamw" else torch.optim.Adam
        self.optimizer = kind(groups, recipe.optimizer.rate, weight_decay=recipe.optimizer.decay)
        # Losses that a recipe leaves out leave parameters without gradient, the same ones in every step.
        parallel = torch.nn.parallel.DistributedDataParallel
        self._forward = parallel(trained, static_graph=True) if place.ranks > 1 else trained
        # Since the last word: how many steps, and the sums of their losses.
        self._count, self._sums = 0, dict[str, Tensor]()

    @property
    @abstractmethod
    def pictures(self) -> int:
        """Pictures a step, on this device."""

    @abstractmethod
    def _batches(self) -> Generator[Batch, None, None]:
        """The batches of this step, of the next one, and so on."""

    @abstractmethod
    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        """The losses of a batch by name, weighed; their sum is what is trained."""

    @property
    def result(self) -> nn.Module:
        """The network to use: the moving average of the weights where the recipe asks for one."""
        return self.averaged or self.network

    @property
    def done(self) -> bool:
        """Whether the schedule has ended."""
        return self.step >= self.recipe.schedule.steps

    def run(self, stopped: Stopped = lambda: False) -> Iterator[Progress]:
        """Steps until the schedule's end or until ``stopped``, which is asked before each; yields every `WATCH` steps
        and after the last one. `DivergedError` as soon as the mean loss is no number."""
        self.trained.train()
        began, first = time.perf_counter(), self.step
        with closing(self._batches()) as batches:
            while not self.done and not stopped():
                for name, value in self._one_step(next(batches)).items():
                    self._sums[name] = self._sums.get(name, 0) + value.detach()
                self.step += 1
                self._count += 1
                if self.step % WATCH == 0 or self.done:
                    losses = self._mean_losses()
                    yield self._progress(losses, (time.perf_counter() - began) / (self.step - first))
                    began, first = time.perf_counter(), self.step

    def _one_step(self, batch: Batch) -> dict[str, Tensor]:
        losses = self._losses(batch)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(self.step)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        if self.recipe.optimizer.clip:
            nn.utils.clip_grad_norm_(self.trained.parameters(), self.recipe.optimizer.clip)
        self.optimizer.step()
        if self.averaged is not None:
            # The first steps count less: the average of few weights would be mostly the random start.
            average(self.averaged, self.network, min(self.recipe.average, (self.step + 1) / (self.step + 10)))
        return losses

    def _mean_losses(self) -> dict[str, float]:
        losses = {name: float(value) / self._count for name, value in self._sums.items()}
        _check_numbers(self.step - self._count, losses)
        self._count, self._sums = 0, {}
        return losses

    def _progress(self, losses: dict[str, float], seconds: float) -> Progress:
        steps = self.recipe.schedule.steps
        speed = self.pictures / seconds
        return Progress(self.step, steps, losses, self._rate(self.step - 1), speed, (steps - self.step) * seconds)

    def _rate(self, step: int) -> float:
        return self.recipe.optimizer.rate * rate(step, self.recipe.schedule)

    def _precision(self) -> AbstractContextManager[Any]:
        if self.recipe.precision == "fp32":
            return nullcontext()
        scope: AbstractContextManager[Any] = torch.autocast(self.device.type, torch.bfloat16)
        return scope

    def save(self, path: Path) -> None:
        """Write a checkpoint from which `resume` goes on as if nothing had happened; `DivergedError` instead of one
        with weights that are no numbers."""
        _check_numbers(self.step, {"weights": sum(float(value.detach().sum()) for value in self.trained.parameters())})
        state = {
            "step": self.step,
            **self._origin,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict() if self.averaged is not None else {},
            self.BESIDE: getattr(self.trained, self.BESIDE).state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "since_word": {"count": self._count, "sums": self._sums},
            "recipe": json.dumps(dataclasses.asdict(self.recipe)),
        }
        write_checkpoint(path, state)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint; `InputError` where it is of another training: recipe (but for
        `recipe.CHANGEABLE`), data, seed, teacher or number of processes."""
        state = read_state(path)
        self._check_recipe(path.name, json.loads(state["recipe"]))
        _check_origin(path.name, state, self._origin)
        load_into(self.network, state["network"], path.name)
        if self.averaged is not None:
            load_into(self.averaged, state["averaged"], path.name)
        getattr(self.trained, self.BESIDE).load_state_dict(state[self.BESIDE])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        word = state["since_word"]
        self._count, self._sums = word["count"], {name: value.to(self.device) for name, value in word["sums"].items()}

    def _check_recipe(self, where: str, stated: dict[str, Any]) -> None:
        then, now = kind_of(stated), kind_of(dataclasses.asdict(self.recipe))
        if then != now:
            raise InputError(f"{where}: of another kind of network, {then} and not {now}")
        different = differences(section(type(self.recipe), stated, where), self.recipe)
        if different:
            raise InputError(f"{where}: trained by a recipe with another {', '.join(different)}")


def _check_numbers(step: int, values: Mapping[str, float]) -> None:
    """`DivergedError` where a loss, or a sum of weights, is no number."""
    if not all(np.isfinite(value) for value in values.values()):
        what = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
        hint = "lower optimizer.rate or raise schedule.warmup (--set)"
        raise DivergedError(f"after step {step} the training has come apart: {what}", hint)


def _check_origin(where: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """`InputError` where a checkpoint is of another training than this one."""
    for key, value in now.items():
        if then[key] != value:
            raise InputError(f"{where}: trained {ORIGIN[key].format(then=then[key], now=value)}")
