"""Engines and the runtimes that they are for: which of them run on this machine, and what builds them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidreid import plugins
from vidreid.engines.card import Card, NewerError, Target, read_card
from vidreid.engines.folder import engine_folders
from vidreid.engines.load import EngineModel, check_files, open_engine
from vidreid.errors import InputError, MissingError, UsageError

if TYPE_CHECKING:
    from vidreid.engines.build import Builder

ROOM = "engines.runtimes"
FASTEST = ("tensorrt", "tensorrt-rtx", "openvino", "onnxruntime")


@dataclass(frozen=True)
class Found:
    """An engine of a folder of engines. ``problem``: why it cannot be used here, empty where it can.

    ``useless``: it never can again, for it is damaged or of a runtime's version that this machine has no more.
    """

    folder: Path
    bytes: int
    card: Card | None = None
    problem: str = ""
    useless: bool = False


def engines_in(where: Path) -> list[Found]:
    """Every engine of a folder of engines, by name, with what this machine says to it."""
    return [_judged(folder) for folder in engine_folders(where)]


def size_of(folder: Path) -> int:
    """Bytes on disk."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def open_on_this_machine(folder: Path) -> tuple[EngineModel, Any]:
    """An engine, checked, and the runtime that its card names; errors as `open_engine` has them."""
    card = read_card(folder)
    runtime = runtime_of(card)
    return open_engine(folder, runtime), runtime


def runtime_of(card: Card) -> Any:
    """The runtime that a card names; `MissingError` where it is not here."""
    if card.runtime not in plugins.names(ROOM):
        raise MissingError(
            f"{card.name}: made for the runtime {card.runtime!r}, which is unknown here", "vidreid doctor"
        )
    return plugins.load(ROOM, card.runtime)


def fastest_runtime() -> str:
    """The first of `FASTEST` that can run an engine on this machine; `MissingError` where none can."""
    for name in FASTEST:
        if plugins.load(ROOM, name).available() is None:
            return name
    raise MissingError("no runtime on this machine", "pip install openvino, or --runtime NAME to build for elsewhere")


def builder(name: str) -> Builder:
    """A runtime that builds engines; `UsageError` where it does not, `MissingError` where it is not installed."""
    runtime: Any = plugins.load(ROOM, name)
    if not hasattr(runtime, "build"):
        raise UsageError(f"runtime {name} builds no engines", "vidreid engine build --help")
    try:
        runtime.version()
    except ImportError:
        raise MissingError(f"runtime {name}: {runtime.available()}", "vidreid doctor says what can be had") from None
    found: Builder = runtime
    return found


def target_of(runtime: Any, name: str, wanted: Target, device: int | None) -> Target:
    """The GPUs that a runtime is to build for: those ``wanted``, else the one here; none for runtimes of CPUs.

    ``device`` becomes the only GPU that this process, and the builder that it starts, can see.
    """
    if not hasattr(runtime, "target"):
        if wanted != Target() or device is not None:
            raise UsageError(f"{name} builds for no GPU", "--runtime tensorrt or tensorrt-rtx, or leave the GPU out")
        return wanted
    if device is not None:
        seen = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
        os.environ["CUDA_VISIBLE_DEVICES"] = seen[device] if device < len(seen) and seen[device] else str(device)
    found: Target = runtime.target(wanted)
    return found


def _judged(folder: Path) -> Found:
    size = size_of(folder)
    try:
        card = read_card(folder)
        check_files(folder, card)
    except InputError as error:
        return Found(folder, size, problem=error.message, useless=not isinstance(error, NewerError))
    if card.runtime not in plugins.names(ROOM):
        return Found(folder, size, card, f"runtime {card.runtime} is unknown here")
    runtime: Any = plugins.load(ROOM, card.runtime)
    try:
        here = runtime.version()
    except ImportError as error:
        return Found(folder, size, card, f"runtime {card.runtime} is not installed ({error})")
    problem = runtime.refuses(card) or ""
    return Found(folder, size, card, problem, useless=bool(problem) and here != card.runtime_version)
