"""Finds footage that lies elsewhere now: by name and size, and believed by its SHA-256 alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path

from vidreid.digests import file_sha256
from vidreid.errors import InputError
from vidreid.store.folder import CameraRecord, FileRecord, RunFolder, RunRecord


class Below:
    """The files below a folder, by name and size; `InputError` where there is no such folder."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder", "give the folder below which the footage lies now")
        self.folder = folder
        self._files: dict[str, list[Path]] = {}
        self._digests: dict[Path, str] = {}
        for path in sorted(folder.resolve().rglob("*")):
            self._files.setdefault(path.name, []).append(path)

    def find(self, name: str, size: int, digest: str, known: Collection[str]) -> tuple[Path | None, Path | None]:
        """The file of this name, size and SHA-256; failing that, one of this name and size that is none of ``known``.

        Recorders write files of one name and size by the dozen, so one of those says nothing.
        """
        found = {path: self._digest(path) for path in self._files.get(name, []) if _has_size(path, size)}
        true = next((path for path, its in found.items() if its == digest), None)
        other = next((path for path, its in found.items() if its not in known), None)
        return true, None if true else other

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = file_sha256(path)
        return self._digests[path]


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def learn(folder: RunFolder, where: Path, note: Callable[[str], None]) -> None:
    """Write into a run's record where its missing footage lies below ``where``.

    Nothing that was made of it goes stale. `InputError` where a file of its name and size is another one, or while
    another process works on the run.
    """
    below = Below(where)
    record, said = folder.read(), list[str]()
    if located(record, below, said.append) == record:
        for line in said:
            note(line)
        return
    with folder.locked():  # what the record says may have changed before the lock was had
        folder.write(located(folder.read(), below, note))


def located(record: RunRecord, below: Below, note: Callable[[str], None]) -> RunRecord:
    """The record with the places at which missing files were found."""
    known = {file.sha256 for camera in record.cameras for file in camera.files}
    cameras = (replace(camera, files=tuple(_files(camera, below, known, note))) for camera in record.cameras)
    return replace(record, cameras=tuple(cameras))


def _files(
    camera: CameraRecord, below: Below, known: Collection[str], note: Callable[[str], None]
) -> Iterator[FileRecord]:
    for file in camera.files:
        if Path(file.path).is_file() or not file.sha256:
            yield file
            continue
        name = Path(file.path).name
        path, other = below.find(name, file.bytes, file.sha256, known)
        if other is not None:
            raise InputError(
                f"{camera.name}: {other} has the name and size of the missing file, but other bytes (SHA-256)",
                "give the folder that holds the footage as it was",
            )
        note(f"{camera.name}: {name} {f'found: {path}' if path else f'is missing, and not below {below.folder}'}")
        yield file if path is None else replace(file, path=str(path), modified_ns=path.stat().st_mtime_ns)
