"""The training loop: a step is a function of recipe, seed and its number, so a stopped run goes on exactly."""

from __future__ import annotations

import copy
import dataclasses
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vidreid.errors import InputError, VidreidError
from vidreid.networks import MEAN, STD, VideoNetwork
from vidreid.networks.weights.checkpoint import load_into
from vidreid.training.augmentation import augment
from vidreid.training.averaging import average
from vidreid.training.checkpoint import read_state, write_checkpoint
from vidreid.training.material import Material
from vidreid.training.objective import Classifiers, objective
from vidreid.training.place import Place, Stopped
from vidreid.training.progress import Progress
from vidreid.training.recipe import Recipe, differences
from vidreid.training.schedule import rate
from vidreid.training.sections import section
from vidreid.training.teacher import Teacher

WATCH = 10  # steps between looks at the loss, each of which waits for the device


# What a checkpoint says of its training besides the recipe; all of it must be the same to go on.
ORIGIN = {
    "people": "on {then} people, this data has {now}",
    "data": "on other pictures or another split",
    "seed": "with seed {then}",
    "teacher": "with another teacher",
    "ranks": "by a number of processes of {then}, not {now}",
}


class DivergedError(VidreidError):
    """The loss is no number any more."""


class Training:
    """A network in training on one device, or one of several that average their gradients (torchrun)."""

    def __init__(
        self,
        network: VideoNetwork,
        recipe: Recipe,
        material: Material,
        *,
        place: Place,
        seed: int = 0,
        teacher: Teacher | None = None,
        teacher_name: str = "",
    ) -> None:
        self.recipe, self.material, self.teacher = recipe, material, teacher
        self.device, self.seed, self.rank = torch.device(place.device), seed, place.rank
        self._origin = {
            "people": material.people,
            "data": material.digest,
            "seed": seed,
            "teacher": teacher_name,
            "ranks": place.ranks,
        }
        self.step = 0
        self.network: VideoNetwork = network.to(self.device, memory_format=torch.channels_last)
        torch.manual_seed(seed)
        self.classifiers = Classifiers(network, material.people, bias=recipe.classifier_bias).to(self.device)
        self.trained = _Trained(self.network, self.classifiers, recipe)
        self.averaged: VideoNetwork | None = copy.deepcopy(self.network) if recipe.average else None
        kind = torch.optim.AdamW if recipe.optimizer.name == "adamw" else torch.optim.Adam
        self.optimizer = kind(self.trained.parameters(), recipe.optimizer.rate, weight_decay=recipe.optimizer.decay)
        # Losses that a recipe leaves out leave parameters without gradient, the same ones in every step.
        parallel = torch.nn.parallel.DistributedDataParallel
        self._forward = parallel(self.trained, static_graph=True) if place.ranks > 1 else self.trained
        # Since the last word: how many steps, and the sums of their losses.
        self._count, self._sums = 0, dict[str, Tensor]()

    @property
    def result(self) -> VideoNetwork:
        """The network to use: the moving average of the weights where the recipe asks for one."""
        return self.averaged or self.network

    @property
    def done(self) -> bool:
        """Whether the schedule has ended."""
        return self.step >= self.recipe.schedule.steps

    @property
    def pictures(self) -> int:
        """Pictures a step, on this device."""
        data = self.recipe.data
        return (data.people * data.clips + data.strangers) * data.frames

    def run(self, stopped: Stopped = lambda: False) -> Iterator[Progress]:
        """Steps until the schedule's end or until ``stopped``, which is asked before each; yields every `WATCH` steps
        and after the last one. `DivergedError` as soon as the mean loss is no number."""
        self.trained.train()
        began, first = time.perf_counter(), self.step
        while not self.done and not stopped():
            for name, value in self._one_step().items():
                self._sums[name] = self._sums.get(name, 0) + value.detach()
            self.step += 1
            self._count += 1
            if self.step % WATCH == 0 or self.done:
                losses = self._mean_losses()
                yield self._progress(losses, (time.perf_counter() - began) / (self.step - first))
                began, first = time.perf_counter(), self.step

    def _mean_losses(self) -> dict[str, float]:
        losses = {name: float(value) / self._count for name, value in self._sums.items()}
        check_numbers(self.step - self._count, losses)
        self._count, self._sums = 0, {}
        return losses

    def _progress(self, losses: dict[str, float], seconds: float) -> Progress:
        steps = self.recipe.schedule.steps
        speed = self.pictures / seconds
        return Progress(self.step, steps, losses, self._rate(self.step - 1), speed, (steps - self.step) * seconds)

    def _one_step(self) -> dict[str, Tensor]:
        views, labels = self.views(self.step)
        vectors = None
        if self.teacher is not None:
            vectors = self.teacher(views.flatten(0, 1)).unflatten(0, views.shape[:2])
        torch.manual_seed(_number(self.seed, self.step, self.rank, 0))  # what networks draw, e.g. AFA's delta
        with self._precision():
            parts: dict[str, Tensor] = self._forward(normalized(views), labels, vectors)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(self.step)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(parts.values())).sum().backward()
        if self.recipe.optimizer.clip:
            nn.utils.clip_grad_norm_(self.trained.parameters(), self.recipe.optimizer.clip)
        self.optimizer.step()
        if self.averaged is not None:
            # The first steps count less: the average of few weights would be mostly the random start.
            average(self.averaged, self.network, min(self.recipe.average, (self.step + 1) / (self.step + 10)))
        return parts

    def _rate(self, step: int) -> float:
        return self.recipe.optimizer.rate * rate(step, self.recipe.schedule)

    def views(self, step: int) -> tuple[Tensor, Tensor]:
        """The augmented clips of a step (B, T, 3, H, W) in 0..1 and the labels of its labelled clips."""
        batch = self.material.sampler.batch(step)
        generator = torch.Generator(self.device).manual_seed(_number(self.seed, step, self.rank, 1))
        clips, boxes = (taken.to(self.device) for taken in self.material.pictures.take(batch.pictures))
        return augment(clips, boxes, self.recipe.augmentation, generator), batch.labels.to(self.device)

    def _precision(self) -> AbstractContextManager[Any]:
        if self.recipe.precision == "fp32":
            return nullcontext()
        scope: AbstractContextManager[Any] = torch.autocast(self.device.type, torch.bfloat16)
        return scope

    def save(self, path: Path) -> None:
        """Write a checkpoint from which `resume` goes on as if nothing had happened; `DivergedError` instead of one
        with weights that are no numbers."""
        check_numbers(self.step, {"weights": sum(float(value.detach().sum()) for value in self.trained.parameters())})
        state = {
            "step": self.step,
            **self._origin,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict() if self.averaged is not None else {},
            "classifiers": self.classifiers.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "since_word": {"count": self._count, "sums": self._sums},
            "recipe": json.dumps(dataclasses.asdict(self.recipe)),
        }
        write_checkpoint(path, state)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint; `InputError` where it is of another training: recipe (but for
        `recipe.CHANGEABLE`), data, seed, teacher or number of processes."""
        state = read_state(path)
        different = differences(section(Recipe, json.loads(state["recipe"]), path.name), self.recipe)
        if different:
            raise InputError(f"{path.name}: trained by a recipe with another {', '.join(different)}")
        check_origin(path.name, state, self._origin)
        load_into(self.network, state["network"], path.name)
        if self.averaged is not None:
            load_into(self.averaged, state["averaged"], path.name)
        self.classifiers.load_state_dict(state["classifiers"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        word = state["since_word"]
        self._count, self._sums = word["count"], {name: value.to(self.device) for name, value in word["sums"].items()}


class _Trained(nn.Module):  # type: ignore[misc]
    """Network and classifiers as one module whose forward is the loss, as parallel training wants it."""

    def __init__(self, network: VideoNetwork, classifiers: Classifiers, recipe: Recipe) -> None:
        super().__init__()
        self.network, self.classifiers, self.losses = network, classifiers, recipe.losses

    def forward(self, clips: Tensor, labels: Tensor, teacher: Tensor | None) -> dict[str, Tensor]:
        features = self.network.features(clips)
        return objective(self.network, self.classifiers, features, labels, teacher, self.losses)


def normalized(views: Tensor) -> Tensor:
    """Views (..., 3, H, W) in 0..1 as networks want them: ImageNet's mean and standard deviation."""
    mean = torch.tensor(MEAN, device=views.device).view(3, 1, 1)
    return (views - mean) / torch.tensor(STD, device=views.device).view(3, 1, 1)


def check_numbers(step: int, values: Mapping[str, float]) -> None:
    """`DivergedError` where a loss, or a sum of weights, is no number."""
    if not all(np.isfinite(value) for value in values.values()):
        what = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
        hint = "lower optimizer.rate or raise schedule.warmup (--set)"
        raise DivergedError(f"after step {step} the training has come apart: {what}", hint)


def check_origin(where: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """`InputError` where a checkpoint is of another training than this one."""
    for key, value in now.items():
        if then[key] != value:
            raise InputError(f"{where}: trained {ORIGIN[key].format(then=then[key], now=value)}")


def _number(*parts: int) -> int:
    """A seed made of several numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> 1)
