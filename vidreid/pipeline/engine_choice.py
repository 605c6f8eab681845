"""The engine that a run takes of a network: the one that is named, or with `--engine auto` that for this machine."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

from vidreid import plugins
from vidreid.engines.build import Wanted, build_once, find_built
from vidreid.engines.card import CARD, Target
from vidreid.engines.folder import cache, engine_folders
from vidreid.engines.load import EngineModel, refuse_random
from vidreid.engines.recipe import EngineRecipe, Precision, read_recipe, recipe_names
from vidreid.engines.registry import Kind, read_registry
from vidreid.engines.source import Source
from vidreid.engines.weights import FileModel
from vidreid.errors import InputError
from vidreid.pipeline.engine_bundle import engine_folder
from vidreid.pipeline.engines import ROOM, builder, open_on_this_machine, target_of

GPU_RUNTIMES = ("tensorrt", "tensorrt-rtx")
Progress = Callable[[str, float], None]


def named_engine(wanted: str, kind: Kind, announce: Callable[[str], None]) -> EngineModel | None:
    """The engine of a folder, or of a name in the user's cache; None where ``wanted`` names no engine.

    What is wrong with it is an error with the command that mends it; ``announce`` is told what is doubtful.
    """
    if (folder := _folder(wanted)) is None:
        return None
    engine, _ = open_on_this_machine(folder)
    refuse_random(engine.card)
    if engine.spec.kind != kind:
        raise InputError(f"{engine.card.name}: is for --{engine.spec.kind}, not for --{kind}", "vidreid engine list")
    if engine.warning:
        announce(f"{engine.card.name}: {engine.warning}")
    return engine


def automatic_engine(
    model: FileModel, *, offline: bool, announce: Callable[[str], None], progress: Progress
) -> EngineModel | None:
    """The fastest engine for this machine of a network, built once into the user's cache.

    None where nothing is to be won: of a network that is in its runtime's own form already (an OpenVINO IR), and of
    embedders on CPUs, whose eight bits want pictures of the user's own to lose nothing.
    """
    fastest = _fastest(model.spec.kind)
    if fastest is None or model.path.suffix == ".xml":
        return None
    runtime, precision = fastest
    name = model.spec.name if model.spec.name in recipe_names() else ""
    known = read_registry().models.get(model.spec.name)
    wanted_network = model.spec.name if known and model.spec.identity in known.files.values() else str(model.path)
    stated = read_recipe(name)[1] if name else EngineRecipe(network=wanted_network)  # type: ignore[call-arg]
    recipe = stated.model_copy(update={"precision": precision})
    made = builder(runtime)
    words = ["vidreid", "engine", "build", name, "--runtime", runtime, "--precision", precision]
    wanted = Wanted(
        name or model.spec.name,
        recipe,
        model.spec.identity,
        runtime,
        made.version(),
        target_of(made, runtime, Target(), None),
        command=shlex.join(words) if name else "",
    )

    def make(folder: Path) -> Source:
        from vidreid.pipeline.sources import registered_source

        return registered_source(wanted_network, recipe, folder, offline=offline, announce=announce, calibrate_on=None)

    folder = find_built(wanted, cache())
    if folder is None:
        announce(f"building {wanted.name()}: once, for this machine")
        folder = build_once(wanted, cache(), make, made, progress=progress)
    return open_on_this_machine(folder)[0]


def _folder(wanted: str) -> Path | None:
    path = Path(wanted).expanduser()
    if path.suffix == ".zip" or (path / CARD).is_file():
        return engine_folder(wanted)
    if path.exists() or wanted in read_registry().models:
        return None
    known = any(folder.name.startswith(wanted) for folder in engine_folders(cache()))
    return engine_folder(wanted) if known else None


def _fastest(kind: Kind) -> tuple[str, Precision] | None:
    """Runtime and precision for this machine: TensorRT on a GPU; on a CPU eight bits for detectors alone."""
    for name in GPU_RUNTIMES:
        if plugins.load(ROOM, name).available() is None:
            return name, "fp16"
    return ("openvino", "int8") if kind == "detector" else None
