"""The stage `ingest`: which frames a camera's files hold, and when each was taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from vidreid.digests import file_sha256
from vidreid.errors import InputError
from vidreid.footage.clock import agreement, check_readings, overlaps
from vidreid.footage.probe import probe
from vidreid.footage.scene import as_seen
from vidreid.pipeline.plan import camera_of, files_table, header_for, ingest_inputs, read_files, sound_header
from vidreid.pipeline.summary import told_once
from vidreid.store import schema
from vidreid.store.folder import CameraRecord, FileRecord, RunFolder
from vidreid.store.parts import write_part
from vidreid.types import VideoFile

SLACK = 2.0  # seconds by which recorders' files may overlap: their starts are rounded to seconds


def current(record: CameraRecord, note: Callable[[str], None]) -> CameraRecord:
    """The record with the hashes of the files as they are now; a file that looks unchanged is not read again.

    Missing footage keeps its record, so that what was made from it stays usable; ``note`` says so.
    """
    files = []
    told: list[tuple[str, str]] = []
    for file in record.files:
        path = Path(file.path)
        if not path.is_file():
            if file.sha256:
                told.append((path.name, "is missing; what was made from it stays"))
            files.append(file)
            continue
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) == (file.bytes, file.modified_ns) and file.sha256:
            files.append(file)
            continue
        found = FileRecord(file.path, stat.st_size, stat.st_mtime_ns, file_sha256(path))
        if file.sha256 and found.sha256 != file.sha256:
            told.append((path.name, "has changed; its camera is analysed again"))
        files.append(found)
    for line in told_once(told, " "):
        note(f"{record.name}: {line}")
    return replace(record, files=tuple(files))


def ingest_camera(
    folder: RunFolder,
    record: CameraRecord,
    note: Callable[[str], None],
    leave_out: Callable[[str, InputError], None],
    step: Callable[[int], None] = lambda files: None,
) -> CameraRecord:
    """Probe a camera's files unless that is done; files with nothing in them are named and left out, ``step`` is told
    how many more are done.

    Returns the record as it is now. Raises `InputError` where no file of the camera holds a picture, one begins before
    the one before it ends, or readings of its clock cannot be right.
    """
    record = current(record, note)
    path = folder.ingest(record.name)
    header = sound_header(path)
    if header is None or header.inputs != ingest_inputs(record.usable):
        record, files = _probe(record, note, step)
        write_part(path, files_table(files), schema.FILES, header_for(ingest_inputs(record.usable)))
    else:
        step(len(record.files))
    for file in record.files:
        if file.unusable:
            hint = "export it as MP4 in the recorder's player; the other files go on"
            leave_out(Path(file.path).name, InputError(f"{record.name}: {file.unusable}", hint))
    _check_clock(record.usable, read_files(path), note)
    return record


def _probe(
    record: CameraRecord, note: Callable[[str], None], step: Callable[[int], None]
) -> tuple[CameraRecord, list[VideoFile]]:
    """The record with its unusable files marked, and what the others hold."""
    files: list[VideoFile] = []
    marked: list[FileRecord] = []
    told: list[tuple[str, str]] = []
    frames = 0
    for file in record.files:
        step(1)
        try:
            found = probe(Path(file.path), frames, file.sha256)
        except InputError as error:
            if len(record.files) == 1:
                raise InputError(f"{record.name}: {error.message}", error.hint) from None
            marked.append(replace(file, unusable=error.message))
            continue
        files.append(found)
        frames += len(found.pts)
        marked.append(replace(file, unusable=""))
        told += [(Path(file.path).name, line) for line in as_seen(found, record.scene).notes]
    for line in told_once(told):
        note(f"{record.name}: {line}")
    if not files:
        raise InputError(f"{record.name}: none of its {len(record.files)} files holds a picture", "check the footage")
    return replace(record, files=tuple(marked)), files


def _check_clock(record: CameraRecord, files: Sequence[VideoFile], note: Callable[[str], None]) -> None:
    """Raise `InputError` where readings cannot be right, or a file begins well before the one before it ends."""
    camera = camera_of(record)
    check_readings(camera, files)
    if camera.clock.readings:
        miss = max(map(abs, agreement(files, camera.clock).misses))
        if miss > SLACK:
            note(f"{record.name}: the readings of its clock do not agree, by up to {miss:.0f} s: was it set?")
    for number, seconds in overlaps(files, camera.clock):
        earlier, later = (Path(file.path).name for file in record.files[number - 1 : number + 1])
        if seconds > SLACK:
            raise InputError(
                f"{record.name}: {later} starts {seconds:.0f} s before {earlier} ends",
                "mend their `start` in the cameras YAML, or make them two cameras",
            )
