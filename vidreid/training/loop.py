"""The training of an embedder: clips of labelled people and of strangers, a teacher's vectors of the same views."""

from __future__ import annotations

import itertools
from collections.abc import Generator

import numpy as np
import torch
from torch import Tensor, nn

from vidreid.networks import MEAN, STD, VideoNetwork
from vidreid.training.augmentation import augment
from vidreid.training.material import Material
from vidreid.training.objective import Classifiers, objective
from vidreid.training.place import Place
from vidreid.training.recipe import Recipe
from vidreid.training.steps import Loop
from vidreid.training.teacher import Teacher


class Training(Loop[Recipe, tuple[Tensor, Tensor]]):
    """An embedder that learns from labels and from a teacher's vectors."""

    BESIDE = "classifiers"

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
        self.material, self.teacher = material, teacher
        network = network.to(place.device, memory_format=torch.channels_last)
        torch.manual_seed(seed)
        classifiers = Classifiers(network, material.people, bias=recipe.classifier_bias).to(place.device)
        trained = _Trained(network, classifiers, recipe)
        super().__init__(
            trained,
            [{"params": list(trained.parameters())}],
            recipe,
            place=place,
            seed=seed,
            origin={"people": material.people, "data": material.digest},
            teacher_name=teacher_name,
        )

    @property
    def pictures(self) -> int:
        """Pictures a step, on this device."""
        data = self.recipe.data
        return (data.people * data.clips + data.strangers) * data.frames

    def _batches(self) -> Generator[tuple[Tensor, Tensor], None, None]:
        yield from map(self.views, itertools.count(self.step))

    def _losses(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        views, labels = batch
        vectors = None
        if self.teacher is not None:
            vectors = self.teacher(views.flatten(0, 1)).unflatten(0, views.shape[:2])
        torch.manual_seed(_number(self.seed, self.step, self.rank, 0))  # what networks draw, e.g. AFA's delta
        with self._precision():
            losses: dict[str, Tensor] = self._forward(normalized(views), labels, vectors)
        return losses

    def views(self, step: int) -> tuple[Tensor, Tensor]:
        """The augmented clips of a step (B, T, 3, H, W) in 0..1 and the labels of its labelled clips."""
        batch = self.material.sampler.batch(step)
        generator = torch.Generator(self.device).manual_seed(_number(self.seed, step, self.rank, 1))
        clips, boxes = (taken.to(self.device) for taken in self.material.pictures.take(batch.pictures))
        return augment(clips, boxes, self.recipe.augmentation, generator), batch.labels.to(self.device)


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


def _number(*parts: int) -> int:
    """A seed made of several numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> 1)
