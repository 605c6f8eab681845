"""A network as a folder that ``run --embedder FOLDER`` takes, and that the package ships."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vidreid.errors import UsageError
from vidreid.networks import MEAN, STD, VideoNetwork
from vidreid.networks.weights.onnx import Normalised, export_onnx
from vidreid.types import Array

if TYPE_CHECKING:
    from vidreid.engines.registry import ModelEntry

GOLDEN = "golden.npz"
SQUARE = 8  # pixels: large enough for a network to see, and nothing to a compressor


def pack(network: VideoNetwork, folder: Path, *, frames: int, size: tuple[int, int]) -> ModelEntry:
    """Write NAME.onnx, golden.npz and NAME.yaml, NAME being the folder's; what the YAML now states.

    Clips are of ``frames`` pictures of ``size`` (height, width); weights are stored in 16 bits. Terms, threshold and
    whatever else a YAML that is there already states stays as it is. The same weights give the same ONNX.
    """
    from vidreid.digests import file_sha256

    if frames % network.multiple:
        raise UsageError(f"clips of {frames} frames", f"this network takes a multiple of {network.multiple}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{folder.resolve().name}.onnx"
    export_onnx(network, path, frames, size, half=True)
    clips, embedding = golden(network, frames, size)
    np.savez_compressed(folder / GOLDEN, clips=clips, embedding=embedding)
    facts = {
        "kind": "embedder",
        "family": "reid",
        "folder": path.stem,
        "files": {path.name: file_sha256(path)},
        "input": {"size": list(size)},
        "frames": frames,
        "dim": network.width * network.branches,
        "branches": network.branches,
    }
    return state_model(path.with_suffix(".yaml"), facts)


def golden(network: VideoNetwork, frames: int, size: tuple[int, int]) -> tuple[Array, Array]:
    """``clips`` uint8 (1, T, H, W, 3) of coloured squares, and what torch says of them: ``embedding`` (1, dim)."""
    rows, columns = -(-size[0] // SQUARE), -(-size[1] // SQUARE)
    colours = np.random.default_rng(0).integers(0, 256, (1, frames, rows, columns, 3), np.uint8)
    clips = colours.repeat(SQUARE, 2).repeat(SQUARE, 3)[:, :, : size[0], : size[1]]
    training = network.training
    with torch.inference_mode():
        embedding = Normalised(network, MEAN, STD).eval()(torch.from_numpy(clips))
    network.train(training)
    return clips, embedding.numpy()


def state_model(card: Path, facts: dict[str, Any]) -> ModelEntry:
    """Write what is known of the network over what its YAML stated before."""
    import yaml

    from vidreid.engines.registry import ModelEntry
    from vidreid.settings import check_model, read_yaml

    stated = read_yaml(card) if card.is_file() else {}
    values = {**stated, **facts}
    entry = check_model(ModelEntry, values, str(card))
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=120)
    card.write_text(f"# Written by vidreid pack; licence, terms and threshold by hand.\n{text}", encoding="utf-8")
    return entry
