"""What engines of registered networks and of strangers' files are built from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidreid.engines.card import WeightsCard
from vidreid.engines.graph.operators import refusal
from vidreid.engines.recipe import EngineRecipe
from vidreid.engines.registry import describe, is_registered, network_file, read_registry, terms_of
from vidreid.engines.source import BOXES, EMBEDDING, INPUT, Golden, Source
from vidreid.engines.weights import FileModel, find_model
from vidreid.errors import InputError
from vidreid.pipeline.samples import calibration_images, golden_images
from vidreid.types import Array, InputSpec, ModelSpec

if TYPE_CHECKING:
    from torch import nn

Answer = Callable[[Array], Mapping[str, Array]]

GRAPH = "network.onnx"
PACKAGES = ("vidreid", "torch", "onnx", "onnxscript", "onnxruntime", "numpy")


def registered_source(
    wanted: str,
    recipe: EngineRecipe,
    folder: Path,
    *,
    offline: bool,
    announce: Callable[[str], None],
    calibrate_on: Path | None,
) -> Source:
    """The source of a network by its registered name or its path; the graph is written into ``folder``.

    An .onnx of anybody, whose answers ONNX Runtime gives in float32; a YOLO26 of ultralytics (.pt), at any sizes that
    are multiples of 32; OpenVINO's .xml, as far as torch can open it. ``calibrate_on``: see `calibration_images`.
    `InputError` where the network cannot be had at the recipe's sizes, `MissingError` where it is not here.
    """
    model = _found(wanted, offline, announce)
    spec = as_ordered(model.spec, recipe)
    exported, answer = folder / f"exported-{GRAPH}", None
    if model.path.suffix == ".onnx":
        exported = model.path
    elif model.path.suffix == ".pt":
        answer = _export_checkpoint(model, spec, exported)
    else:
        answer = _export_ir(model, spec, exported)
    weights = WeightsCard(
        kind="registered" if is_registered(model.path, read_registry()) else "file",
        sha256=spec.identity,
        licence=spec.licence,
        terms=terms_of(spec.name),
    )
    return finish(spec, exported, folder, answer, weights, recipe, calibrate_on)


def as_ordered(spec: ModelSpec, recipe: EngineRecipe) -> ModelSpec:
    """A network's spec at the recipe's sizes, the first of which is the usual one, and with its frames."""
    sizes = tuple(recipe.sizes) or spec.sizes or (spec.input.size,)
    return replace(spec, input=replace(spec.input, size=sizes[0]), sizes=sizes, frames=recipe.frames or spec.frames)


def finish(
    spec: ModelSpec,
    exported: Path,
    folder: Path,
    answer: Answer | None,
    weights: WeightsCard,
    recipe: EngineRecipe,
    calibrate_on: Path | None,
) -> Source:
    """The source of a graph that takes pictures as ``spec`` states them; ``answer``: what torch says of golden inputs,
    uint8 (n, [T,] H, W, 3), or None where ONNX Runtime has to say it."""
    from vidreid.engines.graph.standard import to_standard

    graph = folder / GRAPH
    to_standard(exported, spec, graph)
    said = "torch" if answer else "onnxruntime"
    answer = answer or _by_onnxruntime(graph)
    golden = tuple(_golden(spec, size, answer) for size in spec.sizes)
    calibration, words = calibration_images(spec, calibrate_on) if recipe.precision == "int8" else (None, "")
    made_with = {**_versions(), "golden": f"{said} {version(said)}, float32"}
    return Source(spec, graph, golden, weights, calibration, words, made_with)


def _golden(spec: ModelSpec, size: tuple[int, int], answer: Answer) -> Golden:
    images = golden_images(spec, size)
    # One by one, so that no answer depends on its neighbours.
    said = [answer(images[place : place + 1]) for place in range(len(images))]
    return Golden(images, {name: np.concatenate([one[name] for one in said]) for name in said[0]})


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _found(wanted: str, offline: bool, announce: Callable[[str], None]) -> FileModel:
    registry = read_registry()
    if wanted in registry.models:
        kind = registry.models[wanted].kind
    else:
        kind = describe(network_file(Path(wanted).expanduser()), registry).kind
    return find_model(wanted, kind, offline=offline, announce=announce)


# What answers


def _by_onnxruntime(graph: Path) -> Answer:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1  # the same sums on any machine
    try:
        session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # it has a dozen classes of them, none of which is public
        raise refusal(graph, "ONNX Runtime", str(error)) from None
    names = [output.name for output in session.get_outputs()]
    return lambda images: dict(zip(names, session.run(names, {INPUT: images}), strict=True))


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Torch's sums in the same order, and so the same numbers, however many cores there are."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def by_torch(module: nn.Module, prepare: Callable[[Any], Any], *names: str) -> Answer:
    """A module's outputs by name, of images that ``prepare`` turns from uint8 into what it takes."""
    import torch

    module = module.eval()

    def answer(images: Array) -> Mapping[str, Array]:
        with one_thread(), torch.inference_mode():
            found = module(prepare(torch.from_numpy(images)))
        outputs = found if isinstance(found, tuple) else (found,)
        return {name: output.numpy() for name, output in zip(names, outputs, strict=True)}

    return answer


def as_stated(spec: InputSpec) -> Callable[[Any], Any]:
    """From images (n, H, W, 3), uint8 RGB, to what a network wants: float32 (n, 3, H, W)."""
    import torch

    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (spec.mean, spec.std))

    def prepare(images: Any) -> Any:
        pictures = images.permute(0, 3, 1, 2).float()
        return ((pictures.flip(1) if spec.color == "bgr" else pictures) / spec.scale - mean) / std

    return prepare


def _export_checkpoint(model: FileModel, spec: ModelSpec, path: Path) -> Answer:
    from vidreid.engines.runtimes.torch import read_module
    from vidreid.networks.weights.ultralytics import Finished, most_boxes, persons_alone, write_detector

    if any(edge % 32 for size in spec.sizes for edge in size):
        raise InputError(f"{model.path.name}: pictures of {spec.sizes}", "give sizes that are multiples of 32")
    network = persons_alone(read_module(model.path, trusted=model.trusted), model.path.name)
    write_detector(network, path, spec.sizes)
    return by_torch(Finished(network, most_boxes(spec.sizes)), as_stated(spec.input), BOXES)


def _export_ir(model: FileModel, spec: ModelSpec, path: Path) -> Answer:
    from vidreid.networks.weights.openvino_ir import Vectors, read_ir, write_vectors

    if spec.kind == "detector":
        raise InputError(f"{model.path.name}: torch cannot open OpenVINO's detectors", "build the .pt or .onnx of it")
    network = read_ir(model.path)
    write_vectors(network, path, spec.input.size)
    return by_torch(Vectors(network), as_stated(spec.input), EMBEDDING)
