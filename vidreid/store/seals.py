"""What seals a folder of exported files: ``manifest.json`` says what they were made from, ``SHA256SUMS`` what they are.

``sha256sum -c SHA256SUMS`` checks the same sums without this program.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from vidreid.digests import file_sha256
from vidreid.errors import InputError
from vidreid.store.parts import write_atomic, write_json

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
FORMAT = 1
"""Version of the manifest's format; raised when an older program could not read it."""


def seal(folder: Path, paths: Iterable[Path], made: Mapping[str, Any]) -> list[Path]:
    """Add files just written into ``folder`` to its manifest, with what they were ``made`` from, and to its sums.

    What was exported before stays listed with the sums of that time, except for files that were written anew. The
    manifest's and the sums' paths.
    """
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
        for path in paths
    }
    exports = [{**export, "files": _without(export["files"], files)} for export in sealed(folder)]
    exports = [*(export for export in exports if export["files"]), {**made, "files": files}]
    write_json(folder / MANIFEST, {"format": FORMAT, "exports": exports})
    lines = [f"{digest}  {name}\n" for name, digest in sorted(_sums(folder, exports).items())]
    write_atomic(folder / SUMS, lambda file: file.write(os.fsencode("".join(lines))))
    return [folder / MANIFEST, folder / SUMS]


def sealed(folder: Path) -> list[dict[str, Any]]:
    """What was exported into a folder before; empty where nothing was.

    `InputError` where the seal is broken, or files of these names are somebody else's: adding to them would hide it.
    """
    if not any((folder / name).exists() for name in (MANIFEST, SUMS)):
        return []
    hint = f"vidreid verify {folder} says more; choose another --output"
    try:
        exports = read_manifest(folder)
        if read_sums(folder) == _sums(folder, exports):
            return exports
    except InputError as error:
        raise InputError(error.message, hint) from None
    raise InputError(f"{folder / MANIFEST}: changed since it was written, or {SUMS} was", hint)


def read_manifest(folder: Path) -> list[dict[str, Any]]:
    """The exports that a folder's manifest lists; `InputError` where it is damaged or of a newer program."""
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_bytes())
        if found["format"] > FORMAT:
            raise InputError(
                f"{path}: of format {found['format']}, this program reads up to {FORMAT}",
                "pip install --upgrade vidreid",
            )
        exports: Sequence[dict[str, Any]] = found["exports"]
        for file in (file for export in exports for file in export["files"].values()):
            file["sha256"], file["bytes"]
        return list(exports)
    except FileNotFoundError:
        raise InputError(f"{path}: missing", "it was written with the export") from None
    except (OSError, AttributeError, KeyError, RecursionError, TypeError, ValueError):
        raise InputError(f"{path}: damaged, or not of vidreid", "compare it with a copy") from None


def read_sums(folder: Path) -> dict[str, str]:
    """File name to SHA-256, as ``SHA256SUMS`` lists them; `InputError` where a line is none."""
    path = folder / SUMS
    try:
        lines = os.fsdecode(path.read_bytes()).removesuffix("\n").split("\n")
    except OSError:
        raise InputError(f"{path}: missing", "it was written with the export") from None
    sums = {}
    for number, line in enumerate(lines, start=1):
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not is_inside(name):
            raise InputError(f"{path}: line {number} is no sum of a file in this folder", "compare it with a copy")
        sums[name] = digest
    return sums


def is_inside(name: str) -> bool:
    """Whether a name that a stranger wrote stays in its folder."""
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _sums(folder: Path, exports: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """File name to SHA-256 of everything that a manifest lists, and of itself."""
    listed = {name: str(file["sha256"]) for export in exports for name, file in export["files"].items()}
    return {**listed, MANIFEST: file_sha256(folder / MANIFEST)}


def _without(files: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    return {name: file for name, file in files.items() if name not in others}
