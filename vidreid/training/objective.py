"""The loss of a batch: what the recipe weighs, put together from `losses`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidreid.errors import InputError
from vidreid.networks import Features, VideoNetwork
from vidreid.training.losses.classification import log_probabilities, negative_log_likelihood
from vidreid.training.losses.coherence import residual_norm
from vidreid.training.losses.distillation import cosine_distance, relation_divergence
from vidreid.training.losses.triplet import batch_hard
from vidreid.training.recipe import Losses


class Classifiers(nn.Module):  # type: ignore[misc]
    """One linear classifier of ``people`` a branch; needed while training only."""

    def __init__(self, network: VideoNetwork, people: int, *, bias: bool) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Linear(network.width, people, bias=bias) for _ in range(network.branches))
        for branch in self.branches:
            nn.init.normal_(branch.weight, std=0.001)
            if bias:
                nn.init.zeros_(branch.bias)


@dataclass(frozen=True)
class _Seen:
    """``necked``: what a classifier sees, (B, d) or (B, T, d) a branch; ``clips`` the same as one (B, d) a branch."""

    necked: tuple[Tensor, ...]
    clips: tuple[Tensor, ...]


def objective(
    network: VideoNetwork,
    classifiers: Classifiers,
    features: Features,
    labels: Tensor,
    teacher: Tensor | None,
    losses: Losses,
) -> dict[str, Tensor]:
    """The weighted losses of a batch by name; their sum is what is trained.

    ``labels`` (L,) are those of the first L clips; the others are strangers, whom only the losses of the teacher's
    vectors (B, T, e) see. Losses of several branches are added, as in TCLNet.
    """
    labelled = len(labels)
    seen = _seen(network, features)
    parts: dict[str, Tensor] = {}
    if losses.classification:
        parts["classification"] = losses.classification * sum(
            negative_log_likelihood(log_probabilities(classifier(necked[:labelled])), labels, losses.smoothing)
            for classifier, necked in zip(classifiers.branches, seen.necked, strict=True)
        )
    if losses.triplet:
        compared = seen.clips if losses.triplet_on == "neck" else features.vectors
        parts["triplet"] = losses.triplet * sum(
            batch_hard(vectors[:labelled], labels, margin=losses.margin, distance=losses.distance)
            for vectors in compared
        )
    if losses.coherence:
        if not features.frames:
            raise InputError("this network has no vectors of frames to be coherent", "losses: coherence: 0")
        parts["coherence"] = losses.coherence * sum(
            residual_norm((frames - vectors[:, None])[:labelled], losses.coherence_kind)
            for frames, vectors in zip(features.frames, features.vectors, strict=True)
        )
    if teacher is not None:
        student, target = _pairs(network, features, seen, teacher)
        if losses.teacher:
            if student.shape != target.shape:
                raise InputError(
                    f"vectors of {student.shape[1]} numbers, the teacher's have {target.shape[1]}",
                    "--set losses.teacher=0 and learn its relations alone, or take another teacher",
                )
            parts["teacher"] = losses.teacher * cosine_distance(student, target)
        if losses.relations:
            parts["relations"] = losses.relations * relation_divergence(student, target, losses.temperature)
    return parts


def _seen(network: VideoNetwork, features: Features) -> _Seen:
    """Vectors after the necks: frame by frame where the network varies them (AFA), else of whole clips."""
    if features.varied:
        necked = tuple(
            neck(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])
            for neck, frames in zip(network.necks, features.varied, strict=True)
        )
        return _Seen(necked, tuple(frames.mean(1) for frames in necked))
    clips = tuple(neck(vectors) for neck, vectors in zip(network.necks, features.vectors, strict=True))
    return _Seen(clips, clips)


def _pairs(network: VideoNetwork, features: Features, seen: _Seen, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors and the teacher's (n, d): of frames where a single branch saw them all, else of clips."""
    if len(features.frames) != 1:
        vectors = seen.clips if network.after_neck else features.vectors
        return torch.cat(vectors, 1), teacher.mean(1)
    return _frames(network, features, seen).flatten(0, 1), teacher.flatten(0, 1)


def _frames(network: VideoNetwork, features: Features, seen: _Seen) -> Tensor:
    """Vectors of frames (B, T, d) where the embedding is taken: before the neck or after it."""
    (frames,), (neck,) = features.frames, network.necks
    if not network.after_neck or not isinstance(neck, nn.BatchNorm1d):
        return frames
    if features.varied:
        return seen.necked[0]
    # Only the pass whose vectors are classified moves the neck's statistics.
    necked = functional.batch_norm(frames.flatten(0, 1), None, None, neck.weight, neck.bias, training=True)
    return necked.unflatten(0, frames.shape[:2])
