"""Finds a network: an explicit path, the user's cache, what the package ships, then an announced download."""

from __future__ import annotations

import http.client
import secrets
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidreid.digests import file_sha256
from vidreid.engines.registry import (
    Kind,
    ModelEntry,
    Registry,
    describe,
    is_registered,
    network_file,
    read_registry,
    shipped,
)
from vidreid.errors import InputError, MissingError
from vidreid.resources import home, shipped_weights
from vidreid.types import ModelSpec

CHUNK = 1 << 16


@dataclass(frozen=True)
class FileModel:
    """A network in a file. ``trusted`` files may hold pickled objects: registered, or trusted by the user."""

    spec: ModelSpec
    path: Path
    trusted: bool = False
    precision: str = ""

    def module(self) -> Any:
        """Only networks of our own are torch modules before they are loaded; a file is loaded by its runtime."""
        raise MissingError(f"{self.path.name}: not a torch network of vidreid", "load it with the runtime of its kind")


def find_model(wanted: str, kind: Kind, *, offline: bool, announce: Callable[[str], None]) -> FileModel:
    """The network ``wanted``: ``auto``, a registered name or a path; `MissingError` says where to put which file.

    A download is announced by a line before it starts and never tried with ``offline``.
    """
    registry = read_registry()
    if wanted == "auto":
        return _automatic(kind, registry)
    if wanted in registry.models:
        return _registered(wanted, kind, registry, offline=offline, announce=announce)
    if not Path(wanted).exists() and not any(mark in wanted for mark in "/\\."):
        known = [name for name, entry in registry.models.items() if entry.kind == kind]
        raise MissingError(f"no {kind} {wanted!r}", f"known: {', '.join(known)}; or give the path of a network")
    path = network_file(Path(wanted).expanduser())
    return _checked(FileModel(describe(path, registry), path, is_registered(path, registry)), kind)


def first_at_hand(kind: Kind, registry: Registry) -> tuple[str, Path] | None:
    """Name and file of the network that ``auto`` takes: the first of the registry's order that is on this machine."""
    for name in registry.order.get(kind, []):
        path = at_hand(name, registry)
        if path is not None:
            return name, path
    return None


def origin(path: Path) -> str:
    """Where a network's file is from, in words."""
    if path.is_relative_to(shipped_weights()):
        return "ships with vidreid"
    return "from the cache" if path.is_relative_to(home() / "models") else "given by its path"


def stronger(name: str, kind: Kind, registry: Registry) -> str:
    """The first network that ``auto`` would have taken instead, and what helps; else empty.

    That is one whose files are others than the registered ones, or where a shipped network was taken, a missing one.
    """
    order = registry.order.get(kind, [])
    before = order[: order.index(name)] if name in order else []
    advice = {other: passed_over(other, registry) for other in before}
    if not any(advice.values()) and name in shipped():
        advice = {other: how_to_get(registry.models[other]) for other in before if at_hand(other, registry) is None}
    return next((f"{other}: {words}" for other, words in advice.items() if words), "")


def places(entry: ModelEntry) -> list[Path]:
    """Folders in which a registered network's files are looked for, in this order."""
    return [home() / "models" / entry.folder, shipped_weights() / entry.folder]


def at_hand(name: str, registry: Registry) -> Path | None:
    """The file to load of a registered network that is on this machine, by its files' SHA-256; else None."""
    entry = registry.models[name]
    for path in _in_place(entry):
        if all(file_sha256(path.parent / file) == digest for file, digest in entry.files.items()):
            return path
    return None


def mistaken(name: str, registry: Registry) -> Path | None:
    """The file that lies where that of a registered network should, and is another; None where there is none."""
    return None if at_hand(name, registry) else next(iter(_in_place(registry.models[name])), None)


def passed_over(name: str, registry: Registry) -> str:
    """What to do with a `mistaken` file, in words; empty where there is none."""
    path = mistaken(name, registry)
    how = f"there, but not the registered file; give it by its path: --{registry.models[name].kind} {path}"
    return how if path else ""


def _in_place(entry: ModelEntry) -> list[Path]:
    """The file to load in each folder that holds files of all its names, whatever is in them."""
    folders = (folder for folder in places(entry) if all((folder / file).is_file() for file in entry.files))
    return [folder / next(iter(entry.files)) for folder in folders if entry.files]


def _automatic(kind: Kind, registry: Registry) -> FileModel:
    found = first_at_hand(kind, registry)
    if found is not None:
        return FileModel(describe(found[1], registry), found[1], trusted=True)
    known = registry.order.get(kind, [])
    lines = [f"  {name}: {passed_over(name, registry) or how_to_get(registry.models[name])}" for name in known]
    raise MissingError(
        f"no {kind} on this machine",
        "\n".join([f"give --{kind} PATH (.onnx, .xml or .pt), or put one of these in place:", *lines]),
    )


def _registered(
    name: str, kind: str, registry: Registry, *, offline: bool, announce: Callable[[str], None]
) -> FileModel:
    entry = registry.models[name]
    path = at_hand(name, registry)
    if path is None:
        if other := mistaken(name, registry):
            raise InputError(
                f"{other}: not the registered file (SHA-256)",
                f"get that one, or give yours by its path: --{kind} {other}",
            )
        if offline or not entry.url:
            raise MissingError(f"{kind} {name} is not on this machine", how_to_get(entry))
        folder = places(entry)[0]
        for file, digest in entry.files.items():
            announce(f"downloading {entry.url}{file} to {folder}")
            download(f"{entry.url}{file}", folder / file, digest)
        path = folder / next(iter(entry.files))
    return _checked(FileModel(describe(path, registry), path, trusted=True), kind)


def _checked(model: FileModel, kind: str) -> FileModel:
    if model.spec.kind != kind:
        raise InputError(f"{model.path.name}: a network of kind {model.spec.kind}", f"--{kind} wants a {kind}")
    return model


def how_to_get(entry: ModelEntry) -> str:
    """What puts a registered network in place, in one line."""
    files = ", ".join(entry.files)
    how = f"download {entry.url}" if entry.url else entry.get or "see its makers"
    return f"put {files} into {places(entry)[0]} ({how})"


def download(url: str, target: Path, digest: str) -> None:
    """Fetch one file and keep it only if its SHA-256 is ``digest``; `MissingError` where it cannot be had whole."""
    temporary = target.parent / f".download-{target.name}.{secrets.token_hex(4)}"
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with urllib.request.urlopen(url, timeout=30) as answer, temporary.open("wb") as file:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
            if answer.length:
                raise http.client.IncompleteRead(b"", answer.length)
        if file_sha256(temporary) != digest:
            raise InputError(f"{url}: not the registered file (SHA-256)", "get it from somebody you trust")
        temporary.replace(target)
    except (OSError, http.client.HTTPException) as error:
        raise MissingError(f"{url}: cannot be had ({error})", f"put the file into {target.parent} by hand") from None
    finally:
        temporary.unlink(missing_ok=True)
