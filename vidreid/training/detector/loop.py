"""The training of a detector: views of labelled and unlabelled pictures, a teacher's word on the same views."""

from __future__ import annotations

import dataclasses
import itertools
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor, nn

from vidreid.errors import InputError
from vidreid.networks.weights.ultralytics import Dense, look
from vidreid.posix import cores
from vidreid.training.detector.losses import box_loss, feature_loss, score_loss
from vidreid.training.detector.material import Batch, Material
from vidreid.training.detector.recipe import DetectorRecipe
from vidreid.training.detector.targets import Truth, targets
from vidreid.training.place import Place
from vidreid.training.steps import Loop


class DetectorTraining(Loop[DetectorRecipe, Batch]):
    """A detector that learns from labels and from a teacher of the same view."""

    BESIDE = "adapters"

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
        self.material, self.teacher = material, teacher
        network = network.to(place.device, memory_format=torch.channels_last)
        torch.manual_seed(seed)
        trained = _Trained(network, teacher, place.device)
        super().__init__(
            trained,
            _groups(trained),
            recipe,
            place=place,
            seed=seed,
            origin={"data": material.digest},
            teacher_name=teacher_name,
        )

    @property
    def pictures(self) -> int:
        """Views a step, on this device."""
        return self.recipe.data.pictures

    def _batches(self) -> Generator[Batch, None, None]:
        """Drawn by a thread each while the device is at work on the one before."""
        ahead = max(2, cores())
        coming: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(ahead) as threads:
            for step in itertools.count(self.step):
                coming.append(threads.submit(self.batch, step))
                if len(coming) == ahead:
                    yield coming.popleft().result()

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        taught = None
        with self._precision():
            if self.teacher is not None:
                with torch.no_grad():
                    taught = look(self.teacher, self._shown(batch.clean))
            parts: dict[str, Tensor] = self._forward(self._shown(batch.degraded), taught, batch.truths)
        weights = dataclasses.asdict(self.recipe.losses)
        weights["features"] *= 1 - self.step / self.recipe.schedule.steps
        return {name: weights[name] * value for name, value in parts.items()}

    def _shown(self, images: Tensor) -> Tensor:
        return images.to(self.device).to(memory_format=torch.channels_last).float() / 255

    def batch(self, step: int) -> Batch:
        """The views of a step."""
        return self.material.batch(self.recipe.data, self.recipe.augmentation, (self.seed, step, self.rank))


class _Trained(nn.Module):  # type: ignore[misc]
    """The detector, and for each feature a projection to the teacher's channels; its forward is the losses."""

    def __init__(self, network: nn.Module, teacher: nn.Module | None, device: str) -> None:
        super().__init__()
        self.network = network
        self.adapters = nn.ModuleList()
        if teacher is not None:
            blank = torch.zeros(1, 3, 64, 64, device=device)
            with torch.no_grad():
                mine, teachers = look(network.eval(), blank), look(teacher, blank)
            if _maps(mine) != _maps(teachers):
                raise InputError("the teacher's layers or places are others than the detector's", "take a YOLO26")
            pairs = zip(mine.features, teachers.features, strict=True)
            self.adapters.extend(nn.Conv2d(one.shape[1], other.shape[1], 1) for one, other in pairs)
        self.adapters.to(device)

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


def _maps(said: Dense) -> list[object]:
    """Of how many places a detector speaks, and how large the maps of its features are."""
    return [len(said.centres), *(one.shape[2:] for one in said.features)]


def _groups(trained: nn.Module) -> list[dict[str, Any]]:
    """Kernels decay; biases and normalisation do not."""
    learnt = [value for value in trained.parameters() if value.requires_grad]
    kernels, others = [value for value in learnt if value.ndim > 1], [value for value in learnt if value.ndim <= 1]
    return [{"params": kernels}, {"params": others, "weight_decay": 0.0}]
