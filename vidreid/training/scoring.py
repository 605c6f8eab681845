"""Tracklets of a data set to vectors, with a network in torch: what evaluation compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from vidreid.errors import InputError
from vidreid.networks import VideoNetwork
from vidreid.training.datasets import Tracklet
from vidreid.training.loop import normalized
from vidreid.training.pictures import Read, readable
from vidreid.types import Array

BATCH = 64  # pictures at a time


def embed_tracklets(
    network: VideoNetwork,
    tracklets: Sequence[Tracklet],
    read: Read,
    size: tuple[int, int],
    *,
    clip: int,
    frames: int = 0,
) -> Array:
    """Embeddings of tracklets, float32 (n, dim), branches not normalised; the mean over clips of ``clip`` frames.

    A last clip that is short is filled with its own frames again, as the TCLNet program does; framewise networks see
    every frame once. ``frames`` of each tracklet are taken (0: all), the first of as many equal parts. Pictures are
    ``size`` (height, width). Broken pictures are an `InputError`.
    """
    chosen = [_some(tracklet.pictures, frames) for tracklet in tracklets]
    length = 1 if network.framewise else clip
    clips = [[_cycled(part, length) for part in _parts(pictures, length)] for pictures in chosen]
    flat = [keys for of_one in clips for keys in of_one]
    vectors = np.concatenate(list(_forward(network, flat, read, size)))
    edges = np.cumsum([0, *map(len, clips)])[:-1]
    return np.asarray(np.add.reduceat(vectors, edges) / np.array([[len(of_one)] for of_one in clips]), np.float32)


def _some(pictures: tuple[str, ...], frames: int) -> tuple[str, ...]:
    """The first picture of each of ``frames`` equal parts; all of them where there are no more."""
    if not frames or len(pictures) <= frames:
        return pictures
    return tuple(pictures[place * len(pictures) // frames] for place in range(frames))


def _parts(pictures: tuple[str, ...], length: int) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(pictures), length):
        yield pictures[start : start + length]


def _cycled(pictures: tuple[str, ...], length: int) -> tuple[str, ...]:
    return tuple(pictures[place % len(pictures)] for place in range(length))


def _forward(
    network: VideoNetwork, clips: Sequence[tuple[str, ...]], read: Read, size: tuple[int, int]
) -> Iterator[Array]:
    """Embeddings of clips of equal length, in batches."""
    network.eval()
    device = next(network.parameters()).device
    count = max(1, BATCH // len(clips[0]))
    with torch.inference_mode():
        for start in range(0, len(clips), count):
            some = clips[start : start + count]
            views = _views([key for keys in some for key in keys], read, size).to(device)
            batch = normalized(views.float() / 255).unflatten(0, (len(some), -1))
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                found = network(batch)
            yield found.float().cpu().numpy()


def _views(keys: Sequence[str], read: Read, size: tuple[int, int]) -> Tensor:
    found: Mapping[str, Array | None] = dict(readable(read, list(dict.fromkeys(keys)), size))
    for key, pixels in found.items():
        if pixels is None:
            raise InputError(f"{key}: a broken picture", "restore it, or take it out of the data set")
    return torch.from_numpy(np.stack([found[key] for key in keys]))
