"""Opens engines: nothing of one is loaded before its card, its files and this machine have been compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from vidreid.digests import file_sha256
from vidreid.engines.card import GOLDEN, Card, read_card
from vidreid.errors import InputError, MissingError
from vidreid.types import Engine, ModelSpec, Runtime


class Refusing(Runtime, Protocol):
    """A runtime that can tell by its card whether an engine runs here."""

    def refuses(self, card: Card) -> str | None:
        """Why this machine must not load it, in a line; None where it may."""

    def warns(self, card: Card) -> str | None:
        """What may make it slower or less exact here, in a line."""


@dataclass(frozen=True)
class EngineModel:
    """An engine that this machine can load. ``path``: its main file; ``warning``: what its user should know.

    ``trusted`` by the user: code in it may run, though it was not built here.
    """

    spec: ModelSpec
    path: Path
    precision: str
    card: Card
    warning: str = ""
    trusted: bool = False

    def module(self) -> Any:
        """An engine holds no torch network."""
        raise MissingError(f"{self.card.name}: no torch network", f"--runtime {self.card.runtime} loads it")


def open_engine(folder: Path, runtime: Refusing) -> EngineModel:
    """An engine's card and main file, checked. ``runtime`` is the one that its card names.

    `InputError` where the card or a file is not what was built, `MissingError` where this machine cannot run it;
    both with the command that mends it.
    """
    card = read_card(folder)
    check_files(folder, card)
    if reason := runtime.refuses(card):
        raise MissingError(f"{card.name}: {reason}", card.instead if runtime.available() else card.again)
    return EngineModel(card.spec, folder / next(iter(card.files)), card.precision, card, runtime.warns(card) or "")


def check_files(folder: Path, card: Card) -> None:
    """`InputError` where a file of an engine is missing or is not what was built."""
    for name, digest in card.files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            raise InputError(f"{card.name}: names a file outside of it: {name!r}", "get the engine from its maker")
        if not (folder / path).is_file():
            raise InputError(f"{card.name}: {name} is missing", card.again)
        if file_sha256(folder / path) != digest:
            raise InputError(f"{card.name}: {name} is damaged: not the file that was built (SHA-256)", card.again)


def refuse_random(card: Card) -> None:
    """`InputError` where an engine's weights are random: it is for measuring, and what it says means nothing."""
    if card.weights.kind == "random":
        raise InputError(
            f"{card.name}: its weights are random, for measuring only",
            f"vidreid engine build {card.recipe} --weights FILE",
        )


def load_engine(model: EngineModel, runtime: Runtime, *, streams: int, batch: int = 1, threads: int = 1) -> Engine:
    """Load an opened engine; `InputError` where ``batch`` is not in its profile or its outputs are not the card's."""
    least, _, most = model.card.batch
    if not least <= batch <= most:
        raise InputError(
            f"{model.card.name}: a batch of {batch}, where it takes {least} to {most}",
            f"build it with another profile: vidreid engine build {model.card.recipe} --batch LEAST:USUAL:MOST",
        )
    engine = runtime.load(model, streams=streams, batch=batch, threads=threads)
    stated = {tensor.name for tensor in model.card.tensors if tensor.role == "output"}
    if set(engine.outputs) != stated:
        engine.close()
        found = ", ".join(engine.outputs)
        raise InputError(
            f"{model.card.name}: gives {found}, its card says {', '.join(sorted(stated))}", model.card.again
        )
    return engine


def engine_files(folder: Path, main: str, others: tuple[str, ...]) -> dict[str, str]:
    """SHA-256 of an engine's files as its card lists them, the golden inputs last."""
    return {name: file_sha256(folder / name) for name in (main, *others, GOLDEN)}
