"""A detector as a folder that ``run --detector FOLDER`` takes, and that the package ships."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from vidreid.detection.letterbox import Letterbox
from vidreid.errors import UsageError
from vidreid.networks.weights.ultralytics import Finished, boxes_of, write_detector
from vidreid.training.packing import GOLDEN, state_model
from vidreid.types import Array, Image

if TYPE_CHECKING:
    from vidreid.engines.registry import ModelEntry


def pack_detector(network: nn.Module, folder: Path, size: tuple[int, int]) -> ModelEntry:
    """Write NAME.onnx, golden.npz and NAME.yaml, NAME being the folder's; what the YAML now states.

    Pictures are of ``size`` (height, width), multiples of 32. The ONNX takes any number of them, and of other such
    sizes, down to those with fewer places than it says boxes; weights are stored in 16 bits. Terms, score and whatever
    else a YAML that is there already states stays as it is. The same weights give the same ONNX.
    """
    from vidreid.digests import file_sha256

    if min(size) < 32 or size[0] % 32 or size[1] % 32:
        raise UsageError(f"pictures of {size[0]} x {size[1]}", "give multiples of 32")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{folder.resolve().name}.onnx"
    write_detector(network, path, [size], half=True)
    images, boxes = golden(network, size)
    np.savez_compressed(folder / GOLDEN, images=images, boxes=boxes)
    facts = {
        "kind": "detector",
        "family": "yolo",
        "folder": path.stem,
        "files": {path.name: file_sha256(path)},
        "input": {"size": list(size), "color": "rgb", "scale": 255},
    }
    return state_model(path.with_suffix(".yaml"), facts)


def golden(network: nn.Module, size: tuple[int, int]) -> tuple[Array, Array]:
    """``images`` uint8 (1, H, W, 3) of some synthetic people, and what torch says of them: ``boxes`` (1, n, 6)."""
    images = _scene(size)[None]
    training = network.training
    with torch.inference_mode():
        pixels = torch.from_numpy(images.copy()).permute(0, 3, 1, 2).float() / 255
        boxes = Finished(network, boxes_of(size)).eval()(pixels)
    network.train(training)
    return images, boxes.numpy()


def _scene(size: tuple[int, int]) -> Image:
    """The last of some frames of the synthetic world, scaled to fit as a run scales."""
    from vidreid.training.detector.sources.footage import open_source
    from vidreid.world.film import write_world

    with tempfile.TemporaryDirectory() as folder:
        write_world(Path(folder), seed=5, seconds=6.0, cameras=1, people=12, fps=(1.0,))
        source = open_source(Path(folder), "train")
        image = source.read(source.pictures[-1].key)
    return Letterbox((image.shape[0], image.shape[1]), size).apply(image)
