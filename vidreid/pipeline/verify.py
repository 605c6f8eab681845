"""Whether an export or a run is what it was when it was written: every file, and the footage that it was made from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import pyarrow as pa

from vidreid.digests import file_sha256
from vidreid.errors import InputError
from vidreid.pipeline.calibrated import calibration_of
from vidreid.pipeline.index import open_index
from vidreid.pipeline.moved import Below
from vidreid.pipeline.results import Run
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.journal import Journal
from vidreid.store.parts import Header, read_header, read_part
from vidreid.store.seals import MANIFEST, SUMS, read_manifest, read_sums

TABLES = {"ingest": schema.FILES, "track": schema.TRACKS, "crops": schema.CROPS, "embed": schema.VECTORS}
OF_MATCH = {"tracklets": schema.TRACKLETS, "identities": schema.IDENTITIES, "evidence": schema.EVIDENCE}
Value = TypeVar("Value")


@dataclass(frozen=True)
class Footage:
    """A footage file as somebody recorded it."""

    path: str
    bytes: int
    sha256: str


@dataclass
class Verdict:
    """What was checked, and what is not as it was.

    ``seal``: the SHA-256 of an export's sums, which nothing in the folder vouches for. ``differences`` name the file
    first. ``unlisted``: files in the folder of an export that are none of it. ``not_found``: footage that could not be
    looked at.
    """

    kind: Literal["export", "run"]
    seal: str = ""
    files: int = 0
    footage: int = 0
    differences: list[str] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def verify(folder: Path, where: Path | None) -> Verdict:
    """Check a folder of exported files, or a run folder; footage at its place, else below ``where``.

    Nothing is written. `InputError` where the folder is neither of the two.
    """
    below = None if where is None else Below(where)
    if (folder / "run.json").exists():
        return _verify_run(RunFolder(folder), below)
    if any((folder / name).exists() for name in (MANIFEST, SUMS)):
        return _verify_export(folder, below)
    raise InputError(
        f"{folder}: neither a run nor an export with {SUMS}", "give the folder that `export` or `run` wrote"
    )


def _verify_export(folder: Path, below: Below | None) -> Verdict:
    verdict = Verdict("export")
    sums = _said(verdict, lambda: read_sums(folder)) or {}
    exports = _said(verdict, lambda: read_manifest(folder)) or []
    if (folder / SUMS).is_file():
        verdict.seal = file_sha256(folder / SUMS)
    for name, digest in sums.items():
        verdict.files += 1
        verdict.differences += _changes(folder / name, name, digest, SUMS)
    listed = {name: file["sha256"] for export in exports for name, file in export["files"].items()}
    verdict.differences += _disagreements(sums, listed) if sums and exports else []
    verdict.unlisted = sorted(
        name
        for path in folder.rglob("*")
        if path.is_file() and (name := path.relative_to(folder).as_posix()) not in {*sums, *listed, MANIFEST, SUMS}
    )
    _check_footage(verdict, _said(verdict, lambda: _footage_of(exports)) or [], below)
    return verdict


def _verify_run(folder: RunFolder, below: Below | None) -> Verdict:
    verdict = Verdict("run")
    record = folder.read()
    for stage, columns in TABLES.items():
        for path in sorted((folder.path / stage).rglob("*.parquet")):
            _check_part(verdict, folder, path, columns)
    for name, columns in OF_MATCH.items():
        if folder.match(name).exists():
            _check_part(verdict, folder, folder.match(name), columns)
    run = Run(folder.path)
    matched = _said(verdict, lambda: run.match.header) if run.is_matched else None
    if matched is not None:
        verdict.differences += _lacking(folder, matched)
        _said(verdict, lambda: open_index(run))
        _said(verdict, lambda: calibration_of(run))
    _said(verdict, Journal(folder.journal).history)
    files = [Footage(file.path, file.bytes, file.sha256) for camera in record.cameras for file in camera.files]
    _check_footage(verdict, files, below)
    return verdict


def _check_part(verdict: Verdict, folder: RunFolder, path: Path, columns: pa.Schema) -> None:
    """Read all of a part, header and checksums included."""
    verdict.files += 1
    name = path.relative_to(folder.path).as_posix()
    try:
        read_header(path)
        read_part(path, columns)
    except InputError:
        verdict.differences.append(f"{name}: damaged")


def _lacking(folder: RunFolder, matched: Header) -> Iterator[str]:
    """Parts that were matched and are gone."""
    for name in matched.facts.get("tracked", {}):
        camera, _, segment = name.rpartition("/")
        for place in (folder.track, folder.crops, folder.embed):
            if not place(camera, segment).exists():
                yield f"{place(camera, segment).relative_to(folder.path).as_posix()}: missing, though it was matched"


def _changes(path: Path, name: str, digest: str, by: str) -> Iterator[str]:
    """How a file differs from what somebody wrote down of it."""
    if not path.is_file():
        yield f"{name}: missing"
        return
    try:
        found = file_sha256(path)
    except OSError as error:
        yield f"{name}: cannot be read: {(error.strerror or str(error)).lower()}"
        return
    if found != digest:
        yield f"{name}: changed: its SHA-256 is {found}, {by} says {digest}"


def _disagreements(sums: Mapping[str, str], listed: Mapping[str, str]) -> Iterator[str]:
    """Where the two lists of an export's files do not say the same."""
    for name in sorted({*listed, MANIFEST} - set(sums)):
        yield f"{name}: not in {SUMS}"
    for name in sorted(set(sums) - {*listed, MANIFEST}):
        yield f"{name}: in {SUMS}, not in {MANIFEST}"
    for name in sorted(set(sums) & set(listed)):
        if sums[name] != listed[name]:
            yield f"{name}: {MANIFEST} and {SUMS} state different SHA-256"


def _footage_of(exports: Iterable[Mapping[str, Any]]) -> list[Footage]:
    """The footage that a manifest lists; `InputError` where it lists it otherwise than we do."""
    try:
        cameras = [camera for export in exports for camera in export["run"]["cameras"]]
        files = [file for camera in cameras for file in camera["files"]]
        return [Footage(str(file["path"]), int(file["bytes"]), str(file["sha256"])) for file in files]
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{MANIFEST}: does not list the footage as vidreid does", "compare it with a copy") from None


def _check_footage(verdict: Verdict, files: Collection[Footage], below: Below | None) -> None:
    """Compare footage with what was recorded of it, at its place or below another folder."""
    known = {file.sha256 for file in files}
    for file in dict.fromkeys(files):
        path: Path | None = Path(file.path)
        if file.sha256 and not Path(file.path).is_file():
            found = below.find(Path(file.path).name, file.bytes, file.sha256, known) if below else (None, None)
            path = found[0] or found[1]
        if path is None or not file.sha256:
            verdict.not_found.append(file.path)
            continue
        verdict.footage += 1
        verdict.differences += _changes(path, str(path), file.sha256, "its record")


def _said(verdict: Verdict, read: Callable[[], Value]) -> Value | None:
    """What can be read; what cannot be is a difference, and None."""
    try:
        return read()
    except InputError as error:
        verdict.differences.append(error.message)
        return None
