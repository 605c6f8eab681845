"""Where engines lie: the user's cache of them, their names, the one process at a time that builds there, and what a
machine keeps for them: compiled kernels, timings, and which it built itself."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from vidreid.engines.card import CARD, Card
from vidreid.errors import InputError, MissingError, StorageError
from vidreid.posix import sync_folder, take_lock
from vidreid.resources import home

LOCK = ".lock"
UNFINISHED = ".building-"
NO_STORAGE = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


def cache() -> Path:
    """The user's engines."""
    return home() / "engines"


def compiled(main: str, version: str) -> Path:
    """File of the kernels that this machine compiled for an engine; ``main``: SHA-256 of its main file."""
    return home() / "compiled" / f"{main[:32]}-{version}"


def timings(runtime: str, version: str, gpus: str) -> Path:
    """File of what a runtime's builder measured on this machine."""
    return home() / "timings" / f"{runtime}-{version}-{gpus}"


def built_here(main: str) -> Path:
    """An empty file that is there where this machine built the engine; ``main``: SHA-256 of its main file.

    It lies outside of the engine, so that nobody can hand it on with one.
    """
    return home() / "built" / main


def unused(kept: Sequence[Card]) -> list[Path]:
    """Compiled kernels and timings that none of the ``kept`` engines has use of."""
    mains = {digest[:32] for card in kept for digest in card.files.values()}
    builders = {f"{card.runtime}-{card.runtime_version}" for card in kept}
    of_none = [file for file in (home() / "compiled").glob("*") if file.name.partition("-")[0] not in mains]
    old = [file for file in (home() / "timings").glob("*") if file.name.rpartition("-")[0] not in builders]
    return sorted(of_none + old)


def engine_folders(where: Path) -> list[Path]:
    """Every engine in a folder of engines, by name; those with a damaged card too."""
    return sorted(card.parent for card in where.glob(f"*/{CARD}") if not card.parent.name.startswith("."))


def find_engine(wanted: str, where: Path) -> Path:
    """An engine's folder by its path, or by the start of its name in ``where`` that no other engine there has.

    `MissingError` where there is none, `InputError` where there are several.
    """
    path = Path(wanted).expanduser()
    if (path / CARD).is_file():
        return path
    found = [folder for folder in engine_folders(where) if folder.name.startswith(wanted)]
    if len(found) > 1 and wanted not in (names := [folder.name for folder in found]):
        raise InputError(f"{wanted!r} may be {len(found)} engines", f"one of {', '.join(names)}")
    if not found:
        raise MissingError(f"no engine {wanted!r}", "vidreid engine list, or build it: vidreid engine build --help")
    return found[0]  # a whole name sorts before those that it starts


@contextlib.contextmanager
def building(where: Path, waiting: Callable[[], None]) -> Iterator[Path]:
    """A new folder in ``where`` to build in, gone at the end with all that was not moved out of it.

    One process at a time builds in ``where``; ``waiting`` is called once where another one does. What killed
    ones left is swept. A full or read-only disk is a `StorageError`.
    """
    with storage(where):
        where.mkdir(parents=True, exist_ok=True)
        with _locked(where / LOCK, waiting):
            for left in where.glob(f"{UNFINISHED}*"):
                shutil.rmtree(left)
            scratch = where / f"{UNFINISHED}{secrets.token_hex(4)}"
            scratch.mkdir()
            try:
                yield scratch
            finally:
                shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def storage(where: Path) -> Iterator[None]:
    """Makes what the system says of a disk that cannot be written a `StorageError` that names ``where``."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_STORAGE or not _concerns(error, where):
            raise
        reason = (error.strerror or str(error)).lower()
        raise StorageError(
            f"{where}: the engine cannot be written: {reason}", "make room there, or choose another --output"
        ) from None


def reserve(folder: Path, count: int) -> None:
    """Write and delete ``count`` bytes; OSError where there is no room. Builders do not all say that a disk is full."""
    path, block = folder / "room", bytes(1 << 20)
    try:
        with path.open("wb") as file:
            for start in range(0, count, len(block)):
                file.write(block[: count - start])
    finally:
        path.unlink(missing_ok=True)


def put(engine: Path, place: Path) -> None:
    """Give a finished engine its name, in place of an older one of that name."""
    for file in engine.rglob("*"):
        if file.is_file():
            with file.open("rb") as written:
                os.fsync(written.fileno())
    if place.exists():
        place.rename(engine.with_name("replaced"))
    engine.rename(place)
    sync_folder(place.parent)


def remove(folders: Sequence[Path], where: Path, waiting: Callable[[], None]) -> None:
    """Delete engines of ``where``, and what killed builders left there."""
    with building(where, waiting) as scratch:
        for folder in folders:
            folder.rename(scratch / folder.name)


@contextlib.contextmanager
def _locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not take_lock(descriptor):
            waiting()
            while not take_lock(descriptor):
                time.sleep(0.2)
        yield
    finally:
        os.close(descriptor)


def _concerns(error: OSError, where: Path) -> bool:
    """Whether a refusal is about ``where``, or the way to it, and not about a file that was only to be read."""
    path = Path(error.filename) if isinstance(error.filename, str) else where
    return path.is_relative_to(where) or where.is_relative_to(path)
