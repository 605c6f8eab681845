"""The stage `ingest`: which frames a camera's files hold, and when each was taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vidreid.errors import InputError
from vidreid.footage.probe import probe, sha256
from vidreid.pipeline.plan import files_table, header_for, ingest_inputs
from vidreid.store import schema
from vidreid.store.folder import CameraRecord, FileRecord, RunFolder
from vidreid.store.parts import read_header, write_part
from vidreid.types import VideoFile


def current(record: CameraRecord, note: Callable[[str], None]) -> CameraRecord:
    """The record with the hashes of the files as they are now; a file that looks unchanged is not read again.

    Missing footage keeps its record, so that what was made from it stays usable; ``note`` says so.
    """
    files = []
    for file in record.files:
        path = Path(file.path)
        if not path.is_file():
            if not file.sha256:
                raise InputError(f"{record.name}: no such file: {path}", "check the path")
            note(f"{record.name}: {path.name} is missing; what was made from it stays")
            files.append(file)
            continue
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) == (file.bytes, file.modified_ns) and file.sha256:
            files.append(file)
            continue
        found = replace(file, bytes=stat.st_size, modified_ns=stat.st_mtime_ns, sha256=sha256(path))
        if file.sha256 and found.sha256 != file.sha256:
            note(f"{record.name}: {path.name} has changed; its camera is analysed again")
        files.append(found)
    return replace(record, files=tuple(files))


def ingest_camera(folder: RunFolder, record: CameraRecord, note: Callable[[str], None]) -> CameraRecord:
    """Probe a camera's files unless that is done; files with nothing in them are named and left out.

    Returns the record as it is now. Raises `InputError` where no file of the camera holds a picture.
    """
    record = current(record, note)
    header = read_header(folder.ingest(record.name))
    if header is not None and header.inputs == ingest_inputs(record):
        return record
    files: list[VideoFile] = []
    kept: list[FileRecord] = []
    starts: list[int | None] = []
    for file, start in zip(record.files, record.starts, strict=True):
        try:
            found = probe(Path(file.path), sum(len(earlier.pts) for earlier in files))
        except InputError as error:
            if len(record.files) == 1:
                raise InputError(f"{record.name}: {error.message}", error.hint) from None
            note(f"{record.name}: {error.message}; left out")
            continue
        files.append(found)
        kept.append(file)
        starts.append(start)
        for line in found.notes:
            note(f"{record.name}: {Path(file.path).name}: {line}")
    if not files:
        raise InputError(f"{record.name}: none of its {len(record.files)} files holds a picture", "check the footage")
    record = replace(record, files=tuple(kept), starts=tuple(starts))
    write_part(folder.ingest(record.name), files_table(files), schema.FILES, header_for(ingest_inputs(record)))
    return record
