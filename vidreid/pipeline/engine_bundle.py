"""An engine by whatever a person calls it: a name, a folder, or a bundle of which the one that fits is taken."""

from __future__ import annotations

from pathlib import Path

from vidreid import plugins
from vidreid.engines.bundle import unpack_fitting
from vidreid.engines.card import Card
from vidreid.engines.folder import cache, find_engine
from vidreid.pipeline.engines import ROOM


def engine_folder(wanted: str) -> Path:
    """The folder of an engine: found as `find_engine` does; of a bundle (FILE.zip), unpacked into the user's engines.

    `MissingError` where no engine of the bundle runs here, with the command that builds one.
    """
    if wanted.endswith(".zip"):
        return unpack_fitting(Path(wanted).expanduser(), refuses_here, cache())
    return find_engine(wanted, cache())


def refuses_here(card: Card) -> str | None:
    """Why this machine cannot run an engine, in a line; None where it can."""
    if card.runtime not in plugins.names(ROOM):
        return f"runtime {card.runtime} is unknown here"
    runtime = plugins.load(ROOM, card.runtime)
    missing: str | None = runtime.available()
    refused: str | None = missing or runtime.refuses(card)
    return refused
