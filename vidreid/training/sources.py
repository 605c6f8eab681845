"""What engines of trained networks are built from; and of untrained ones, which are for measuring."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import torch
from torch import Tensor, nn

from vidreid.errors import InputError
from vidreid.networks import MEAN, STD, VideoNetwork
from vidreid.networks.weights.onnx import export_onnx, normalised
from vidreid.networks.weights.ultralytics import Finished, look, most_boxes, write_detector
from vidreid.training.recipe import Recipe
from vidreid.training.trained import build_untrained, open_trained
from vidreid.types import InputSpec, ModelSpec

if TYPE_CHECKING:
    from vidreid.engines.card import WeightsCard
    from vidreid.engines.recipe import EngineRecipe
    from vidreid.engines.source import Source

SEED = 0
DETECTOR = InputSpec((480, 640), scale=255.0)


def trained_source(
    recipe: EngineRecipe, weights: Path | Literal["random"], folder: Path, *, calibrate_on: Path | None
) -> Source:
    """The source of a network of configs/training (``recipe.network``); the graph is written into ``folder``.

    ``weights``: their file, or ``random`` ones, always the same. ``calibrate_on``: see
    `vidreid.pipeline.samples.calibration_images`. `InputError` where weights do not fit the network, or the network
    the recipe's frames or sizes.
    """
    from vidreid.engines.source import BOXES, EMBEDDING, ROWS
    from vidreid.pipeline.sources import as_stated, by_torch, finish

    network, spec, card = _opened(recipe, weights)
    exported = folder / "exported.onnx"
    if isinstance(network, VideoNetwork):
        export_onnx(network, exported, spec.frames, spec.input.size, rows=True)
        names = [EMBEDDING, ROWS] if network.erases else [EMBEDDING]
        answer = by_torch(normalised(network, rows=True), _as_clips, *names)
    else:
        write_detector(network, exported, spec.sizes)
        answer = by_torch(Finished(network, most_boxes(spec.sizes)), as_stated(spec.input), BOXES)
    return finish(spec, exported, folder, answer, card, recipe, calibrate_on)


def _opened(recipe: EngineRecipe, weights: Path | Literal["random"]) -> tuple[nn.Module, ModelSpec, WeightsCard]:
    """The network, what it takes, and where its numbers are from."""
    from vidreid.digests import file_sha256
    from vidreid.engines.card import WeightsCard

    if weights != "random":
        network, stated = open_trained(weights, recipe.network)
        card = WeightsCard(kind="file", sha256=file_sha256(weights))
        return network, _spec(network, stated, recipe, card.sha256), card
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network, stated = build_untrained(recipe.network)
        digest = hashlib.sha256(json.dumps([SEED, dataclasses.asdict(stated)]).encode()).hexdigest()
        spec = _spec(network, stated, recipe, digest)
        _settle(network, spec)
    return network.eval(), spec, WeightsCard(kind="random", sha256=digest)


def _spec(network: nn.Module, stated: object, recipe: EngineRecipe, identity: str) -> ModelSpec:
    """A network's spec, at the recipe's sizes and frames."""
    from vidreid.pipeline.sources import as_ordered

    name = Path(recipe.network).stem if recipe.network.endswith((".yaml", ".yml")) else recipe.network
    name = name.replace("/", "-")
    if not isinstance(network, VideoNetwork):
        return as_ordered(ModelSpec(name, "detector", "yolo", identity, DETECTOR), recipe)
    trained = cast(Recipe, stated).data
    taken = InputSpec(trained.size, "rgb", 255.0, MEAN, STD)
    dim = network.width * network.branches
    spec = ModelSpec(name, "embedder", "reid", identity, taken, trained.frames, dim, network.branches)
    spec = as_ordered(spec, recipe)
    if spec.frames % network.multiple:
        raise InputError(f"{name}: clips of {spec.frames} frames", f"give a multiple of {network.multiple}")
    if len(spec.sizes) > 1:
        raise InputError(f"{name}: pictures of {len(spec.sizes)} sizes", "an embedder's are of one: give one size")
    return spec


def _settle(network: nn.Module, spec: ModelSpec) -> None:
    """Give an untrained network the statistics of pictures, without which its values would grow from layer to layer
    past what 16 bits hold; and scales other than zero to the blocks that begin with it, or nobody would see them."""
    from vidreid.pipeline.samples import golden_images
    from vidreid.pipeline.sources import as_stated, one_thread

    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = None  # the mean of all that is seen
        norm.reset_running_stats()
        nn.init.uniform_(norm.weight, 0.5, 1.0)
    network.train()
    images = torch.from_numpy(golden_images(spec, spec.input.size))
    with one_thread(), torch.no_grad():
        if isinstance(network, VideoNetwork):
            normalised(network)(_as_clips(images))
        else:
            look(network, as_stated(spec.input)(images))


def _as_clips(images: Tensor) -> Tensor:
    """Single pictures as clips of one."""
    return images if images.ndim == 5 else images[:, None]
