"""Where a data set's files lie: a folder, or a tar beside it. Keys are relative paths with ``/``, and stay inside."""

from __future__ import annotations

import errno
import lzma
import re
import tarfile
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Protocol

from vidreid.errors import InputError

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm"})

# What an archive may unpack to, be it hostile or only large: a picture, and all that is kept in memory.
MEMBER_LIMIT = 64 * 2**20
ARCHIVE_LIMIT = 8 * 2**30

_DAMAGE = (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError)


class Files(Protocol):
    """Named files of a data set."""

    def names(self) -> list[str]: ...

    def read(self, key: str) -> bytes:
        """The bytes of a file. `OSError` where there is none; `InputError` where nothing can be read at all."""


class Folder:
    """The files below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())

    def read(self, key: str) -> bytes:
        return (self.root / inside(key)).read_bytes()


class Archive:
    """The files of a tar of any compression.

    Read once, from front to back, and kept in memory: a compressed tar has no way to a file but through all before it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._contents: dict[str, bytes] | None = None
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        return sorted(self._read())

    def read(self, key: str) -> bytes:
        found = self._read().get(inside(key))
        if found is None:
            raise FileNotFoundError(errno.ENOENT, f"no {key} in the archive", str(self.path))
        return found

    def _read(self) -> dict[str, bytes]:
        with self._lock:
            if self._contents is None:
                self._contents = dict(_members(self.path))
            return self._contents


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each plain file of a tar; links and devices are passed over."""
    total = 0
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                total += member.size
                if member.size > MEMBER_LIMIT:
                    raise InputError(f"{path}: {member.name} unpacks to too much", "no picture is that large: check it")
                if total > ARCHIVE_LIMIT:
                    raise InputError(f"{path}: unpacks to more than is kept in memory", f"unpack it: tar -xf {path}")
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    yield _name(path, member), _whole(file.read(), member)
    except _DAMAGE as error:
        raise InputError(f"{path}: not a whole tar archive ({error})", "fetch it again") from error


def _name(path: Path, member: tarfile.TarInfo) -> str:
    try:
        return inside(member.name)
    except InputError as error:
        raise InputError(f"{path}: {error.message}", "take the archive from whom you trust") from error


def _whole(found: bytes, member: tarfile.TarInfo) -> bytes:
    if len(found) != member.size:
        raise tarfile.ReadError(f"{member.name} is cut off")
    return found


def inside(key: str) -> str:
    """The relative path ``key`` in its shortest form; one that leads outside is an `InputError`.

    >>> inside("./a//b.jpg")
    'a/b.jpg'
    """
    path = PurePosixPath(key)
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(key).drive or "\\" in key or "\0" in key or not key:
        raise InputError(f"{key!r}: leads outside the data set's folder", "paths are relative to it, with /")
    return path.as_posix()


def natural(text: str) -> tuple[object, ...]:
    """The key of an order of names in which numbers count by value; leading zeros decide only between equals.

    >>> sorted(["img10", "img2"], key=natural)
    ['img2', 'img10']
    """
    parts: list[object] = [*re.split("([0-9]+)", text)]
    for place in range(1, len(parts), 2):
        digits = str(parts[place]).lstrip("0")
        parts[place] = (len(digits), digits)
    return tuple(parts), text


def is_picture(name: str) -> bool:
    """Whether a file's name ends as a picture's does."""
    return PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES


def tar_stem(path: Path) -> str | None:
    """The name of a tar without ``.tar`` and what follows; None where it is no tar.

    >>> tar_stem(Path("cuhk01.tar.xz"))
    'cuhk01'
    """
    found = re.fullmatch(r"(.+?)\.(tar(\.[a-z0-9]+)?|tgz|txz|tbz2)", path.name)
    return found[1] if found else None


def find_root(root: Path, parts: tuple[str, ...], layout: str) -> Path:
    """The folder that holds all ``parts`` of a layout: ``root``, or the first folder within it that does.

    Where there is none, `InputError` with ``layout``, a small tree, as its hint.
    """
    if not root.is_dir():
        raise wrong_folder(f"{root}: no such folder", layout)
    for folder in [root, *sorted(path for path in root.iterdir() if path.is_dir())]:
        if all((folder / part).exists() for part in parts):
            return folder
    missing = ", ".join(part for part in parts if not (root / part).exists())
    raise wrong_folder(f"{root}: no {missing} in it", layout)


def wrong_folder(message: str, layout: str) -> InputError:
    """The error for a folder that is not laid out as its data set is."""
    return InputError(message, f"expected:\n{layout.strip()}")
