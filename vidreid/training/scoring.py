"""Tracklets of a data set to vectors, with an embedder or with a network in torch: what evaluation compares."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, islice
from operator import itemgetter
from typing import TypeVar

import cv2
import numpy as np
import torch

from vidreid.embedding.network import parts, person
from vidreid.embedding.pooling import normalize
from vidreid.evaluation.distances import Vectors
from vidreid.networks import VideoNetwork
from vidreid.training.counted import counted
from vidreid.training.datasets import WHOLE, Dataset, Tracklet
from vidreid.training.loop import normalized
from vidreid.training.pictures import opened
from vidreid.training.retrieval import spread
from vidreid.types import Array, Crop, Embedder

AHEAD = 128  # pictures decoded ahead of the one that is asked for
STEP = 32  # tracklets after which progress may be told
BATCH = 64  # pictures that a network sees at a time
Item = TypeVar("Item")
Say = Callable[[str], None]
Embed = Callable[[Sequence[Sequence[Crop]]], Vectors]


def embed(embedder: Embedder, dataset: Dataset, tracklets: Sequence[Tracklet], frames: int, say: Say) -> Vectors:
    """Vectors (n, dim): the mean of the unit vectors of each tracklet's clips, scaled to length 1.

    Clips are of as many pictures as the embedder sees together. ``frames`` and what cannot be read as in
    `embed_tracklets`.
    """
    spec = embedder.spec
    means = _means(embedder.embed, dataset, tracklets, clip=spec.frames, dim=spec.dim, frames=frames, say=say)
    return normalize(means, spec.branches)


def embed_tracklets(
    network: VideoNetwork,
    dataset: Dataset,
    tracklets: Sequence[Tracklet],
    size: tuple[int, int],
    *,
    clip: int,
    frames: int = 0,
    say: Say = lambda line: None,
) -> Vectors:
    """Embeddings of tracklets, float32 (n, dim), branches not normalised; the mean over clips of ``clip`` frames.

    A last clip that is short is filled with its own frames again, as the TCLNet program does; framewise networks see
    every frame once. ``frames`` of each tracklet are taken (0: all). Persons are brought to ``size`` (height, width).
    A picture that cannot be read is left out and said; a tracklet without any has a row of NaN.
    """
    network.eval()
    clip, dim = 1 if network.framewise else clip, network.branches * network.width

    def seen(clips: Sequence[Sequence[Crop]]) -> Vectors:
        return _forward(network, np.stack([np.stack([person(crop, size) for crop in one]) for one in clips]))

    return _means(seen, dataset, tracklets, clip=clip, dim=dim, frames=frames, say=say)


def _means(
    embed: Embed, dataset: Dataset, tracklets: Sequence[Tracklet], *, clip: int, dim: int, frames: int, say: Say
) -> Vectors:
    """The mean of each tracklet's vectors, one a clip. Tracklets of any length take the same memory."""
    found = np.full((len(tracklets), dim), np.nan, np.float32)
    clips = _clips(_crops(dataset, tracklets, frames, say), clip)
    vectors = (
        pair
        for some in _batches(clips, max(1, BATCH // clip))
        for pair in zip(map(itemgetter(0), some), embed([crops for _, crops in some]), strict=True)
    )
    for number, pairs in groupby(vectors, itemgetter(0)):
        found[number] = np.stack([vector for _, vector in pairs]).mean(0)
    return found


def _clips(crops: Iterable[tuple[int, Crop]], length: int) -> Iterator[tuple[int, list[Crop]]]:
    """Clips of ``length``, each with its tracklet's number."""
    for number, pairs in groupby(crops, itemgetter(0)):
        for some in _batches(pairs, length):
            yield number, parts([crop for _, crop in some], length)[0]


def _crops(dataset: Dataset, tracklets: Sequence[Tracklet], frames: int, say: Say) -> Iterator[tuple[int, Crop]]:
    """The pictures that can be read, each with its tracklet's number; decoded side by side."""
    wanted = (
        (number, key)
        for start in counted(len(tracklets), STEP, say)
        for number, tracklet in enumerate(tracklets[start : start + STEP], start)
        for key in spread(tracklet.pictures, frames)
    )
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for some in _batches(wanted, AHEAD):
            read = threads.map(lambda pair: _crop(dataset, pair[1]), some)
            for (number, key), crop in zip(some, read, strict=True):
                if crop is None:
                    say(f"{key}: cannot be read, left out")
                else:
                    yield number, crop


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    left = iter(items)
    while some := list(islice(left, size)):
        yield some


def picture(dataset: Dataset, key: str) -> Array | None:
    """A picture, uint8 H x W x 3, RGB; None where its file is missing or broken."""
    try:
        return opened(dataset.read(key))
    except (OSError, cv2.error):
        return None


def _crop(dataset: Dataset, key: str) -> Crop | None:
    image = picture(dataset, key)
    if image is None:
        return None
    height, width = image.shape[:2]
    box = np.array(dataset.boxes.get(key, WHOLE)) * [width, height, width, height]
    return Crop(image, box.astype(np.float32), 1.0)


def _forward(network: VideoNetwork, clips: Array) -> Vectors:
    """Embeddings of clips (n, T, H, W, 3), uint8."""
    device = next(network.parameters()).device
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        views = torch.from_numpy(clips).to(device).movedim(-1, 2).float() / 255
        found: Vectors = network(normalized(views)).float().cpu().numpy()
    return found
