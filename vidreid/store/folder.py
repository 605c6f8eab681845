"""The run folder: where each part lies, the run's own record, and who may write what.

Two processes may work on a run at once: one makes pixels into parts and owns the record, the other matches what is
finished, and writes what people decide. Anybody may read meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from vidreid.errors import InputError, StorageError
from vidreid.posix import has_lock, sync_folder, take_lock
from vidreid.store.parts import TEMPORARY, sweep, write_json
from vidreid.store.schema import FORMAT
from vidreid.types import WHOLE, Polygon, Reading, Scene

RETIRED = {"matching": {"threshold"}}
"""Settings by section that runs of older programs may state."""


_BY_MATCH = tuple(f"{TEMPORARY}{name}" for name in ("journal.sqlite", "people.html"))


@dataclass(frozen=True)
class FileRecord:
    """A footage file as it was last seen: path, size, modification time in ns, and SHA-256 once known.

    ``unusable`` says why nothing of it can be used, where that is so.
    """

    path: str
    bytes: int = -1
    modified_ns: int = -1
    sha256: str = ""
    unusable: str = ""


@dataclass(frozen=True)
class CameraRecord:
    """A camera of a run: its files, its clock as UTC microseconds at which each file starts, and what it sees."""

    name: str
    files: tuple[FileRecord, ...]
    starts: tuple[int | None, ...]
    offset_us: int = 0
    drift_ppm: float = 0.0
    readings: tuple[Reading, ...] = ()
    scene: Scene = WHOLE

    @property
    def usable(self) -> CameraRecord:
        """The same camera with the files that can be used."""
        kept = [number for number, file in enumerate(self.files) if not file.unusable]
        return replace(
            self,
            files=tuple(self.files[number] for number in kept),
            starts=tuple(self.starts[number] for number in kept),
            readings=tuple(replace(one, file=kept.index(one.file)) for one in self.readings if one.file in kept),
        )


@dataclass(frozen=True)
class RunRecord:
    """``run.json``: the cameras, the settings that the user asked for, and the networks that they led to.

    ``travel``: least seconds between two cameras; ``overlaps``: two cameras that see the same place; ``timezone``:
    that of the times which people type and see.
    """

    cameras: tuple[CameraRecord, ...]
    settings: dict[str, Any]
    networks: dict[str, Any]
    travel: tuple[tuple[str, str, float], ...] = ()
    overlaps: tuple[tuple[str, str], ...] = ()
    timezone: str = "UTC"

    def camera(self, name: str) -> CameraRecord:
        return next(camera for camera in self.cameras if camera.name == name)

    def with_camera(self, camera: CameraRecord) -> RunRecord:
        """The same run with this camera's record in place of the old one."""
        return replace(self, cameras=tuple(camera if c.name == camera.name else c for c in self.cameras))


class RunFolder:
    """Paths inside one run folder. Nothing is opened before it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def record(self) -> Path:
        return self.path / "run.json"

    @property
    def journal(self) -> Path:
        return self.path / "journal.sqlite"

    @property
    def people(self) -> Path:
        return self.path / "people.html"

    @property
    def progress(self) -> Path:
        return self.path / "progress.json"

    def ingest(self, camera: str) -> Path:
        return self.path / "ingest" / f"{camera}.parquet"

    def track(self, camera: str, segment: str) -> Path:
        return self.path / "track" / camera / f"{segment}.parquet"

    def crops(self, camera: str, segment: str) -> Path:
        return self.path / "crops" / camera / f"{segment}.parquet"

    def embed(self, camera: str, segment: str) -> Path:
        return self.path / "embed" / camera / f"{segment}.parquet"

    def match(self, table: str) -> Path:
        return self.path / "match" / f"{table}.parquet"

    def exists(self) -> bool:
        return self.record.is_file()

    def read(self) -> RunRecord:
        """The run's record; `InputError` where the folder is no run, or one of a newer format."""
        try:
            text = self.record.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(
                f"{self.path}: not a run folder (no run.json)", "give the folder that `run` made"
            ) from None
        except OSError as error:
            raise InputError(f"{self.path}: {str(error.strerror).lower()}", "check the folder's permissions") from None
        try:
            found = json.loads(text)
            version = int(found["format"])
            if version > FORMAT:
                raise InputError(
                    f"{self.path}: a run of format {version}, this program reads up to {FORMAT}",
                    "pip install --upgrade vidreid",
                )
            cameras = tuple(_camera(camera) for camera in found["cameras"])
            travel = tuple((str(one), str(other), float(least)) for one, other, least in found.get("travel", []))
            overlaps = tuple((str(one), str(other)) for one, other in found.get("overlaps", []))
            zone = str(found.get("timezone", "UTC"))
            return RunRecord(cameras, _settings(found["settings"]), found["networks"], travel, overlaps, zone)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise InputError(f"{self.record}: damaged", "restore it, or start a new run") from None

    def write(self, record: RunRecord) -> None:
        """Store the run's record."""
        write_json(self.record, {"format": FORMAT, **asdict(record)})

    def busy(self) -> bool:
        """Whether a process makes parts of this run's footage now."""
        return _is_held(self.path / "lock")

    def is_matched_now(self) -> bool:
        """Whether a process matches this run now."""
        return _is_held(self.path / "match.lock")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one who makes parts of this run's footage and writes its record; what killed ones left half
        written is swept.

        `InputError` where another one works on it, or the folder holds other things than a run.
        """
        if self.path.is_dir() and not self.exists() and any(map(_is_foreign, self.path.iterdir())):
            raise InputError(f"{self.path}: not empty and not a run folder", "choose another --output")
        with self._opened("lock") as descriptor:
            if not _take(descriptor):
                raise InputError(
                    f"{self.path}: another vidreid works on this run",
                    f"wait, or watch it: vidreid status {self.path}",
                )
            for folder in ("ingest", "track", "crops", "embed"):
                sweep(self.path / folder)
            _sweep_beside(self.path, matching=False)
            yield

    @contextlib.contextmanager
    def matching(self, note: Callable[[str], None]) -> Iterator[None]:
        """Be the only one who matches this run and decides on it, whoever makes its parts meanwhile.

        Waits for another one, and says so to ``note``.
        """
        with self._opened("match.lock") as descriptor:
            if not _take(descriptor):
                note(f"{self.path}: another vidreid matches this run; waiting for it")
                while not take_lock(descriptor):
                    time.sleep(0.1)
            _sweep_beside(self.path, matching=True)
            yield

    @contextlib.contextmanager
    def new_match(self) -> Iterator[RunFolder]:
        """A folder for the tables of a match: all take the places of the old ones at the end, or none does."""
        made = RunFolder(self.path / f"{TEMPORARY}match")
        shutil.rmtree(made.path, ignore_errors=True)
        try:
            yield made
            place = self.match("tracklets").parent
            place.mkdir(exist_ok=True)
            # The table that names the others' rows comes last: when it is there, all are.
            for file in sorted((made.path / place.name).iterdir(), key=lambda file: file.stem == "tracklets"):
                file.replace(place / file.name)
            sync_folder(place)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StorageError(f"{self.path}: cannot be written: {reason}", "see to its permissions") from None
        finally:
            shutil.rmtree(made.path, ignore_errors=True)

    @contextlib.contextmanager
    def _opened(self, lock: str) -> Iterator[int]:
        """The descriptor of one of the run's locks."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / lock, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StorageError(f"{self.path}: cannot be written: {reason}", "choose another --output") from None
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _sweep_beside(path: Path, *, matching: bool) -> None:
    """Remove what killed writers left half written in the run folder itself, of those who match or of the other."""
    for file in path.glob(f"{TEMPORARY}*"):
        if file.is_file() and file.name.startswith(_BY_MATCH) == matching:
            file.unlink(missing_ok=True)


def _is_foreign(file: Path) -> bool:
    """Whether a file of a folder without a record was not put there by a run that was killed at its start."""
    return file.name != "lock" and not file.name.startswith(TEMPORARY)


def _is_held(lock: Path) -> bool:
    if not lock.is_file():
        return False
    with lock.open("rb") as file:
        return has_lock(file.fileno())


def _take(descriptor: int) -> bool:
    """Take the writer's lock; a `busy` that asks at this moment holds it for microseconds, a writer for longer."""
    for _ in range(20):
        if take_lock(descriptor):
            return True
        time.sleep(0.01)
    return False


def _settings(found: dict[str, Any]) -> dict[str, Any]:
    """Settings as they are today: what only older programs knew is left out."""
    return {
        section: {key: value for key, value in values.items() if key not in RETIRED.get(section, ())}
        for section, values in found.items()
    }


def _camera(found: dict[str, Any]) -> CameraRecord:
    files = tuple(FileRecord(**file) for file in found["files"])
    readings = tuple(Reading(**reading) for reading in found.get("readings", []))
    scene = found.get("scene", {})
    view = scene.get("view")
    seen = Scene(
        view and (float(view[0]), float(view[1]), float(view[2]), float(view[3])),
        _polygons(scene.get("include", [])),
        _polygons(scene.get("ignore", [])),
        scene.get("aspect"),
    )
    known = {"files": files, "starts": tuple(found["starts"]), "readings": readings, "scene": seen}
    return CameraRecord(**{**found, **known})


def _polygons(found: list[list[list[float]]]) -> tuple[Polygon, ...]:
    return tuple(tuple((float(x), float(y)) for x, y in polygon) for polygon in found)
