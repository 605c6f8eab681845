"""Tracklets of a data set to vectors, with a network in torch: what evaluation compares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from vidreid.embedding.network import parts
from vidreid.networks import VideoNetwork
from vidreid.training.counted import counted
from vidreid.training.datasets import Tracklet
from vidreid.training.loop import normalized
from vidreid.training.pictures import Read, readable
from vidreid.training.retrieval import spread
from vidreid.types import Array

AT_ONCE = 64  # tracklets whose pictures are in memory together
BATCH = 64  # pictures that the network sees at a time
Keys = Sequence[str]


def embed_tracklets(
    network: VideoNetwork,
    tracklets: Sequence[Tracklet],
    read: Read,
    size: tuple[int, int],
    *,
    clip: int,
    frames: int = 0,
    say: Callable[[str], None] = lambda line: None,
) -> Array:
    """Embeddings of tracklets, float32 (n, dim), branches not normalised; the mean over clips of ``clip`` frames.

    A last clip that is short is filled with its own frames again, as the TCLNet program does; framewise networks see
    every frame once. ``frames`` of each tracklet are taken (0: all). Pictures are brought to ``size`` (height, width).
    A picture that cannot be read is left out and said; a tracklet without any has a row of NaN.
    """
    found: list[Array | None] = []
    for start in counted(len(tracklets), AT_ONCE, say):
        groups = [spread(tracklet.pictures, frames) for tracklet in tracklets[start : start + AT_ONCE]]
        pixels = _pixels([key for group in groups for key in group], read, size, say)
        known = [[key for key in group if key in pixels] for group in groups]
        found.extend(_embed(network, known, pixels, 1 if network.framewise else clip))
    unknown = np.full(network.branches * network.width, np.nan, np.float32)
    return np.stack([unknown if vector is None else vector for vector in found])


def _pixels(keys: Keys, read: Read, size: tuple[int, int], say: Callable[[str], None]) -> dict[str, Array]:
    """Decoded pictures by key, those that can be read."""
    found: dict[str, Array] = {}
    for key, pixels in readable(read, list(dict.fromkeys(keys)), size):
        if pixels is None:
            say(f"{key}: cannot be read, left out")
        else:
            found[key] = pixels
    return found


def _embed(
    network: VideoNetwork, groups: Sequence[Keys], pixels: dict[str, Array], length: int
) -> Iterator[Array | None]:
    """One vector a group of pictures, None for an empty one."""
    clips = [parts(group, length) for group in groups]
    flat = [[pixels[key] for key in keys] for of_one in clips for keys in of_one]
    vectors = iter(_forward(network, np.array(flat)) if flat else ())
    for of_one in clips:
        some = [next(vectors) for _ in of_one]
        yield np.stack(some).mean(0) if some else None


def _forward(network: VideoNetwork, clips: Array) -> Array:
    """Embeddings of clips (n, T, 3, H, W) uint8, in batches."""
    network.eval()
    device = next(network.parameters()).device
    count = max(1, BATCH // clips.shape[1])
    found = []
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        for start in range(0, len(clips), count):
            views = torch.from_numpy(clips[start : start + count]).to(device).float() / 255
            found.append(network(normalized(views)).float().cpu().numpy())
    return np.concatenate(found)
