"""The training loop of a detector: a step is a function of recipe, seed and its number, so it goes on exactly."""

from __future__ import annotations

import copy
import dataclasses
import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vidreid.errors import InputError
from vidreid.networks.weights.checkpoint import load_into
from vidreid.posix import cores
from vidreid.training.averaging import average
from vidreid.training.checkpoint import read_state, write_checkpoint
from vidreid.training.detector.losses import box_loss, feature_loss, score_loss
from vidreid.training.detector.material import Batch, Material
from vidreid.training.detector.network import Dense, look
from vidreid.training.detector.recipe import DetectorRecipe
from vidreid.training.detector.targets import Truth, targets
from vidreid.training.loop import WATCH, check_numbers, check_origin
from vidreid.training.place import Place, Stopped
from vidreid.training.progress import Progress
from vidreid.training.recipe import differences
from vidreid.training.schedule import rate
from vidreid.training.sections import section


class DetectorTraining:
    """A detector that learns from labels and from a teacher of the same view."""

    def __init__(
        self,
        network: nn.Module,
        recipe: DetectorRecipe,
        material: Material,
        *,
        place: Place,
        seed: int = 0,
        teacher: nn.Module | None = None,
        teacher_name: str = "",
    ) -> None:
        self.recipe, self.material, self.teacher = recipe, material, teacher
        self.device, self.seed, self.rank = torch.device(place.device), seed, place.rank
        self._origin = {"data": material.digest, "seed": seed, "teacher": teacher_name, "ranks": place.ranks}
        self.step = 0
        self.network: nn.Module = network.to(self.device, memory_format=torch.channels_last)
        torch.manual_seed(seed)
        self.trained = _Trained(self.network, teacher, self.device)
        self.averaged: nn.Module | None = copy.deepcopy(self.network) if recipe.average else None
        kind = torch.optim.AdamW if recipe.optimizer.name == "adamw" else torch.optim.Adam
        self.optimizer = kind(_groups(self.trained, recipe.optimizer.decay), recipe.optimizer.rate)
        parallel = torch.nn.parallel.DistributedDataParallel
        self._forward = parallel(self.trained) if place.ranks > 1 else self.trained
        self._count, self._sums = 0, dict[str, Tensor]()

    @property
    def result(self) -> nn.Module:
        """The detector to use: the moving average of the weights where the recipe asks for one."""
        return self.averaged or self.network

    @property
    def done(self) -> bool:
        """Whether the schedule has ended."""
        return self.step >= self.recipe.schedule.steps

    @property
    def pictures(self) -> int:
        """Views a step, on this device."""
        return self.recipe.data.pictures

    def run(self, stopped: Stopped = lambda: False) -> Iterator[Progress]:
        """Steps until the schedule's end or until ``stopped``, which is asked before each; yields every `WATCH` steps
        and after the last one. `DivergedError` as soon as the mean loss is no number."""
        self.trained.train()
        began, first = time.perf_counter(), self.step
        with _Drawn(self) as drawn:
            while not self.done and not stopped():
                for name, value in self._one_step(drawn.batch(self.step)).items():
                    self._sums[name] = self._sums.get(name, 0) + value.detach()
                self.step += 1
                self._count += 1
                if self.step % WATCH == 0 or self.done:
                    found = {name: float(value) / self._count for name, value in self._sums.items()}
                    check_numbers(self.step - self._count, found)
                    self._count, self._sums = 0, {}
                    yield self._progress(found, (time.perf_counter() - began) / (self.step - first))
                    began, first = time.perf_counter(), self.step

    def _progress(self, found: dict[str, float], seconds: float) -> Progress:
        steps = self.recipe.schedule.steps
        speed = self.pictures / seconds
        return Progress(self.step, steps, found, self._rate(self.step - 1), speed, (steps - self.step) * seconds)

    def _one_step(self, batch: Batch) -> dict[str, Tensor]:
        taught, truths = None, [truth and truth.to(self.device) for truth in batch.truths]
        with self._precision():
            if self.teacher is not None:
                with torch.no_grad():
                    taught = look(self.teacher, self._shown(batch.clean))
            parts: dict[str, Tensor] = self._forward(self._shown(batch.degraded), taught, truths)
        weights = dataclasses.asdict(self.recipe.losses)
        weights["features"] *= 1 - self.step / self.recipe.schedule.steps
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(self.step)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack([weights[name] * value for name, value in parts.items()]).sum().backward()
        if self.recipe.optimizer.clip:
            nn.utils.clip_grad_norm_(self.trained.parameters(), self.recipe.optimizer.clip)
        self.optimizer.step()
        if self.averaged is not None:
            # The first steps count less: the average of few weights would be mostly the random start.
            average(self.averaged, self.network, min(self.recipe.average, (self.step + 1) / (self.step + 10)))
        return parts

    def _shown(self, images: Tensor) -> Tensor:
        return images.to(self.device).to(memory_format=torch.channels_last).float() / 255

    def _rate(self, step: int) -> float:
        return self.recipe.optimizer.rate * rate(step, self.recipe.schedule)

    def batch(self, step: int) -> Batch:
        """The views of a step."""
        return self.material.batch(self.recipe.data, self.recipe.augmentation, (self.seed, step, self.rank))

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
            "adapters": self.trained.adapters.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "since_word": {"count": self._count, "sums": self._sums},
            "recipe": json.dumps(dataclasses.asdict(self.recipe)),
        }
        write_checkpoint(path, state)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint; `InputError` where it is of another training."""
        state = read_state(path)
        if "adapters" not in state:
            raise InputError(f"{path.name}: not of a detector")
        different = differences(section(DetectorRecipe, json.loads(state["recipe"]), path.name), self.recipe)
        if different:
            raise InputError(f"{path.name}: trained by a recipe with another {', '.join(different)}")
        check_origin(path.name, state, self._origin)
        load_into(self.network, state["network"], path.name)
        if self.averaged is not None:
            load_into(self.averaged, state["averaged"], path.name)
        self.trained.adapters.load_state_dict(state["adapters"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        word = state["since_word"]
        self._count, self._sums = word["count"], {name: value.to(self.device) for name, value in word["sums"].items()}


class _Trained(nn.Module):  # type: ignore[misc]
    """The detector, and for each feature a projection to the teacher's channels; its forward is the losses."""

    def __init__(self, network: nn.Module, teacher: nn.Module | None, device: torch.device) -> None:
        super().__init__()
        self.network = network
        blank = torch.zeros(1, 3, 64, 64, device=device)
        with torch.no_grad():
            mine = look(network.eval(), blank).features
            teachers = look(teacher, blank).features if teacher is not None else ()
        self.adapters = nn.ModuleList(
            nn.Conv2d(one.shape[1], other.shape[1], 1) for one, other in zip(mine, teachers, strict=False)
        ).to(device)

    def forward(self, images: Tensor, taught: Dense | None, truths: list[Truth | None]) -> dict[str, Tensor]:
        found = look(self.network, images)
        wanted = targets(found.detach() if taught is None else taught, truths, own=taught is None)
        parts = {
            "scores": score_loss(found.logits, wanted.scores),
            "boxes": box_loss(found.boxes, wanted.boxes, wanted.scores),
        }
        if taught is not None:
            mapped = [adapter(one) for adapter, one in zip(self.adapters, found.features, strict=True)]
            parts["features"] = feature_loss(mapped, taught.features)
        return parts


def _groups(trained: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Kernels decay; biases and normalisation do not."""
    kernels = [value for value in trained.parameters() if value.requires_grad and value.ndim > 1]
    others = [value for value in trained.parameters() if value.requires_grad and value.ndim <= 1]
    return [{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


class _Drawn:
    """The batches of the next steps, drawn by a thread each while the device is at work on the one before."""

    def __init__(self, training: DetectorTraining) -> None:
        self._training = training
        self._ahead = max(2, cores())
        self._threads = ThreadPoolExecutor(self._ahead)
        self._coming: dict[int, Future[Batch]] = {}

    def __enter__(self) -> _Drawn:
        return self

    def __exit__(self, *error: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    def batch(self, step: int) -> Batch:
        for number in range(step, step + self._ahead):
            if number not in self._coming:
                self._coming[number] = self._threads.submit(self._training.batch, number)
        return self._coming.pop(step).result()
