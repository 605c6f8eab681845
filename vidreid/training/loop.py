"""The training loop: one step is a function of the recipe, the seed and its number, so a stopped run goes on exactly."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vidreid.errors import InputError, VidreidError
from vidreid.networks import VideoNetwork
from vidreid.networks.weights.checkpoint import load_into
from vidreid.training.augmentation import augment
from vidreid.training.checkpoint import read_state, write_checkpoint
from vidreid.training.material import Material
from vidreid.training.objective import Classifiers, objective
from vidreid.training.recipe import Recipe, build_network
from vidreid.training.schedule import rate
from vidreid.training.teacher import Teacher

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
WATCH = 10  # steps between looks at the loss, each of which waits for the device


class DivergedError(VidreidError):
    """The loss is no number any more; the last checkpoint is of before that."""


@dataclass(frozen=True)
class Progress:
    """What is told every few steps: the step that ended, mean losses since the last word, rates."""

    step: int
    losses: dict[str, float]
    rate: float
    pictures_per_second: float


class Training:
    """A network in training on one device, or one of several that average their gradients (torchrun)."""

    def __init__(
        self,
        recipe: Recipe,
        material: Material,
        *,
        device: str,
        seed: int = 0,
        teacher: Teacher | None = None,
        parallel: Callable[[nn.Module], nn.Module] | None = None,
        rank: int = 0,
    ) -> None:
        self.recipe, self.material, self.teacher = recipe, material, teacher
        self.device, self.seed, self.rank = torch.device(device), seed, rank
        self.step = 0
        torch.manual_seed(seed)
        self.network = build_network(recipe).to(self.device, memory_format=torch.channels_last)
        self.classifiers = Classifiers(self.network, material.people, bias=recipe.classifier_bias).to(self.device)
        self.trained = _Trained(self.network, self.classifiers, recipe)
        self._forward = parallel(self.trained) if parallel else self.trained
        self.averaged = copy.deepcopy(self.network) if recipe.average else None
        kind = torch.optim.AdamW if recipe.optimizer.name == "adamw" else torch.optim.Adam
        self.optimizer = kind(self.trained.parameters(), recipe.optimizer.rate, weight_decay=recipe.optimizer.decay)

    @property
    def result(self) -> VideoNetwork:
        """The network to use: the moving average of the weights where the recipe asks for one."""
        return self.averaged or self.network

    def run(self, watch: int = WATCH) -> Iterator[Progress]:
        """Steps until the schedule's end; yields every ``watch`` steps and after the last one."""
        self.trained.train()
        sums: dict[str, Tensor] = {}
        began, since = time.perf_counter(), self.step
        while self.step < self.recipe.schedule.steps:
            for name, value in self._one_step().items():
                sums[name] = sums.get(name, 0) + value.detach()
            self.step += 1
            if self.step % watch == 0 or self.step == self.recipe.schedule.steps:
                count = self.step - since
                losses = {name: float(value) / count for name, value in sums.items()}
                if not all(abs(value) < float("inf") for value in losses.values()):
                    raise DivergedError(
                        f"the loss is no number any more after step {since}: {_worst(losses)}",
                        "lower optimizer: rate, or raise schedule: warmup; the last checkpoint is kept",
                    )
                seconds = time.perf_counter() - began
                share = rate(self.step - 1, self.recipe.schedule)
                yield Progress(self.step, losses, share * self.recipe.optimizer.rate, count * self.pictures / seconds)
                sums, began, since = {}, time.perf_counter(), self.step

    @property
    def pictures(self) -> int:
        """Pictures a step, on this device."""
        data = self.recipe.data
        return (data.people * data.clips + data.strangers) * data.frames

    def _one_step(self) -> dict[str, Tensor]:
        views, labels = self.views(self.step)
        vectors = None
        if self.teacher is not None:
            vectors = self.teacher(views.flatten(0, 1)).unflatten(0, views.shape[:2])
        torch.manual_seed(_number(self.seed, self.step, self.rank, 0))  # what networks draw, e.g. AFA's delta
        with self._precision():
            parts = self._forward(normalized(views), labels, vectors)
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.optimizer.rate * rate(self.step, self.recipe.schedule)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(parts.values())).sum().backward()
        if self.recipe.optimizer.clip:
            nn.utils.clip_grad_norm_(self.trained.parameters(), self.recipe.optimizer.clip)
        self.optimizer.step()
        if self.averaged is not None:
            _average(self.averaged, self.network, min(self.recipe.average, (self.step + 1) / (self.step + 10)))
        return parts

    def views(self, step: int) -> tuple[Tensor, Tensor]:
        """The augmented clips of a step (B, T, 3, H, W) in 0..1 and the labels of its labelled clips."""
        batch = self.material.sampler.batch(step)
        generator = torch.Generator(self.device).manual_seed(_number(self.seed, step, self.rank, 1))
        numbers = batch.pictures
        clips = self.material.pictures.take(numbers).to(self.device)
        boxes = self.material.pictures.boxes[numbers.to(self.material.pictures.boxes.device)].to(self.device)
        views = augment(clips, boxes, self.recipe.augmentation, generator)
        return views, batch.labels.to(self.device)

    def _precision(self) -> AbstractContextManager[Any]:
        if self.recipe.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def save(self, path: Path) -> None:
        """Write a checkpoint from which `resume` goes on as if nothing had happened."""
        state = {
            "step": self.step,
            "seed": self.seed,
            "people": self.material.people,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict() if self.averaged is not None else {},
            "classifiers": self.classifiers.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        write_checkpoint(path, state)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint; `InputError` where it is of another network or of other data."""
        state = read_state(path)
        if state["people"] != self.material.people:
            raise InputError(
                f"{path.name}: trained on {state['people']} people, this data has {self.material.people}",
                "give the data of then; to begin from its weights: start: in the recipe",
            )
        load_into(self.network, state["network"], path.name)
        if self.averaged is not None:
            load_into(self.averaged, state["averaged"], path.name)
        self.classifiers.load_state_dict(state["classifiers"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seed = state["step"], state["seed"]


class _Trained(nn.Module):
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


@torch.no_grad()
def _average(averaged: nn.Module, network: nn.Module, keep: float) -> None:
    """Move the averaged weights towards the network's; counters are copied."""
    for mean, value in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - keep)
        else:
            mean.copy_(value)


def _number(*parts: int) -> int:
    """A seed made of several numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> 1)


def _worst(losses: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in losses.items())
