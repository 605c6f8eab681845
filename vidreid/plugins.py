"""Plug-ins by file name: a folder's files are listed without importing them, the chosen one is imported on use."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
from pathlib import Path
from types import ModuleType

from vidreid.errors import UsageError


def names(room: str) -> list[str]:
    """Names of the plug-ins of ``room`` (``engines.runtimes``), third parties' entry points included, sorted.

    >>> "openvino" in names("engines.runtimes")
    True
    """
    folder = Path(__file__).parent.joinpath(*room.split("."))
    own = {file.stem.replace("_", "-") for file in folder.glob("*.py") if not file.stem.startswith("_")}
    return sorted(own | {entry.name for entry in _theirs(room)})


def load(room: str, name: str) -> ModuleType:
    """Import the plug-in ``name`` of ``room``; an unknown name is a `UsageError` that lists the known ones."""
    known = names(room)
    if name not in known:
        raise UsageError(f"{room.rpartition('.')[2]}: no {name!r}", f"known: {', '.join(known)}")
    for entry in _theirs(room):
        if entry.name == name:
            module: ModuleType = entry.load()
            return module
    return importlib.import_module(f"vidreid.{room}.{name.replace('-', '_')}")


@functools.cache
def _theirs(room: str) -> tuple[importlib.metadata.EntryPoint, ...]:
    """Third parties' plug-ins of a room; looking through all that is installed takes longer than a small segment."""
    return tuple(importlib.metadata.entry_points(group=f"vidreid.{room}"))
