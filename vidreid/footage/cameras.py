"""Which files are which camera, and how far apart: from ``CAMERA=FILE`` words, or from a cameras YAML."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from vidreid.errors import InputError, UsageError
from vidreid.footage.scene import check_scene
from vidreid.footage.zones import at, instant, microseconds, seconds_of, zone_named
from vidreid.settings import Section, check_model, read_yaml
from vidreid.types import WHOLE, Camera, Clock, Reading, Scene

_SUFFIXES = ".mp4 .m4v .mov .avi .mkv .webm .ts .m2ts .mts .mpg .mpeg .3gp .wmv .asf .flv .dav .264 .h264 .265 .hevc"
VIDEO_SUFFIXES = frozenset(_SUFFIXES.split())
VERSION: Literal[1] = 1
NAME = re.compile(r"[\w][\w .-]*")
AMBIGUOUS = timedelta(minutes=15)  # by which a stamp in an hour that clocks show twice may be before its file


class FileEntry(Section):
    """A footage file, and when it starts; a plain path is one without a start."""

    file: Path = Field(description="path, relative to the YAML")
    start: datetime | None = Field(
        default=None, description="when its first frame was taken; without it, it follows on"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, value: Any) -> Any:
        return {"file": value} if isinstance(value, str) else value


Outline = Annotated[list[tuple[float, float]], Field(description="corners [x, y] in fractions of the picture")]


def _player_time(value: Any) -> Any:
    """Seconds; YAML itself makes seconds of 10:01:30, though not of 00:01:30."""
    return seconds_of(value) if isinstance(value, str) else value


class ReadingEntry(Section):
    """A burned-in stamp that somebody read in a file."""

    file: Path | None = Field(None, description="the file as `files` names it; without it, the first")
    at: Annotated[float, BeforeValidator(_player_time)] = Field(
        ge=0, allow_inf_nan=False, description="HH:MM:SS of the player: time since the file's first frame"
    )
    shows: datetime = Field(description="what the stamp shows; local time unless it states its zone")


class CameraEntry(Section):
    """A camera: its files in order of time, relative to the YAML; ``start`` is that of the first file."""

    files: list[FileEntry] = Field(min_length=1, description="files or folders in order of time")
    start: datetime | None = Field(
        default=None, description="when the first frame was taken; local time unless it states its zone"
    )
    offset_seconds: float = Field(0.0, description="added to every time of this camera")
    drift_ppm: float = Field(0.0, description="microseconds added for every second since the first start")
    readings: list[ReadingEntry] = Field([], description="burned-in stamps that set the clock")
    view: tuple[float, float, float, float] | None = Field(
        None, description="x, y, width, height of its part of the picture, in fractions: a quarter of a quad screen"
    )
    include: list[Outline] = Field([], description="only people who stand in one of these polygons count")
    ignore: list[Outline] = Field([], description="people who stand in one of these polygons do not count")
    aspect: str | None = Field(None, description="of the whole picture as it should be seen, 4:3 or 16:9")


Together = Annotated[list[str], Field(min_length=2, description="names of cameras; every pair of them is meant")]


class TravelEntry(Section):
    """The least time in which anybody comes from one camera to another."""

    between: Together
    seconds: float = Field(ge=0, allow_inf_nan=False, description="nobody is faster; 0: never in both at once")


class CamerasFile(Section):
    """The cameras YAML."""

    version: Literal[1] = Field(VERSION, description="of this format")
    timezone: str = Field("", description="of times without a zone, and of those that are shown: Europe/Berlin")
    cameras: dict[str, CameraEntry] = Field(min_length=1)
    travel: list[TravelEntry] = Field([], description="how long it takes at least from camera to camera")
    overlaps: list[Together] = Field([], description="cameras with a common view: one person may be in both at once")


@dataclass(frozen=True, slots=True)
class Site:
    """The cameras, and what the user says of their places.

    ``travel`` (camera, camera, least seconds between them) and ``overlaps`` (camera, camera) name each pair once,
    in order of the alphabet; of all other pairs nothing is known. ``timezone``: of times that people type and see;
    empty where nobody said.
    """

    cameras: list[Camera] = field(default_factory=list)
    travel: tuple[tuple[str, str, float], ...] = ()
    overlaps: tuple[tuple[str, str], ...] = ()
    timezone: str = ""


def read_site(words: Sequence[str], *, elsewhere: bool = False) -> Site:
    """The site of ``CAMERA=FILE``, ``CAMERA=FOLDER/``, bare ``FILE`` and ``cameras.yaml`` words, in their order.

    Files are not opened. `UsageError` where a word cannot be meant, `InputError` where nothing at all is there, or
    what is said of pairs of cameras contradicts itself; that a camera among others is missing is left to `ingest`,
    so that the others go on. ``elsewhere``: the files may have moved, so that one that is missing is no error.
    """
    if not words:
        raise UsageError("no footage given", "vidreid run c0=FILE c1=FILE --output RUN")
    parts = [_read_word(word) for word in words]
    cameras: dict[str, Camera] = {}
    for camera in (camera for part in parts for camera in part.cameras):
        earlier = cameras.get(camera.name)
        cameras[camera.name] = camera if earlier is None else _longer(earlier, camera)
    absent = [camera for camera in cameras.values() if not any(file.is_file() for file in camera.files)]
    if len(absent) == len(cameras) and not elsewhere:
        raise _absence(absent[0])
    for camera in cameras.values():
        repeated = [file for file, count in Counter(camera.files).items() if count > 1]
        if repeated:
            raise UsageError(f"{camera.name}: {repeated[0]} is given twice", "name each file once")
    travel = tuple(sorted(link for part in parts for link in part.travel))
    overlaps = tuple(sorted(pair for part in parts for pair in part.overlaps))
    _check_pairs([(one, other) for one, other, _ in travel], overlaps, sorted(cameras))
    zones = {part.timezone for part in parts if part.timezone}
    if len(zones) > 1:
        raise InputError(f"two time zones: {' and '.join(sorted(zones))}", "one site has one time zone")
    return Site(list(cameras.values()), travel, overlaps, next(iter(zones), ""))


def _check_pairs(
    travel: Sequence[tuple[str, str]], overlaps: Sequence[tuple[str, str]], cameras: Sequence[str]
) -> None:
    """Refuse pairs of cameras that are unknown, one camera only, or spoken of twice."""
    for key, pairs in (("travel", travel), ("overlaps", overlaps)):
        for pair in pairs:
            unknown = [name for name in pair if name not in cameras]
            if unknown:
                raise InputError(f"{key}: {unknown[0]!r} is no camera", f"the cameras are {', '.join(cameras)}")
            if pair[0] == pair[1]:
                raise InputError(f"{key}: {pair[0]} twice in one pair", "name two cameras")
    repeated = [pair for pair, count in Counter([*travel, *overlaps]).items() if count > 1]
    if repeated:
        one, other = repeated[0]
        hint = "name each pair once: under travel, or under overlaps where one person is in both views at once"
        raise InputError(f"travel and overlaps: {one} and {other} are given twice", hint)


def _pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    return list(itertools.combinations(sorted(names), 2))


def _longer(earlier: Camera, later: Camera) -> Camera:
    """One camera whose files were named in two words."""
    corrections = [(clock.offset_us, clock.drift_ppm) for clock in (earlier.clock, later.clock)]
    stated = {correction for correction in corrections if any(correction)} or {(0, 0.0)}
    if len(stated) > 1:
        raise InputError(f"{later.name}: two corrections of its clock", "state offset and drift of a camera once")
    starts = (*earlier.clock.starts, *later.clock.starts)
    count = len(earlier.files)
    readings = earlier.clock.readings + tuple(replace(one, file=one.file + count) for one in later.clock.readings)
    scenes = {scene for scene in (earlier.scene, later.scene) if scene != WHOLE} or {WHOLE}
    if len(scenes) > 1:
        raise InputError(f"{later.name}: two views or sets of polygons", "state what a camera sees once")
    clock = Clock(starts, *stated.pop(), readings=readings)
    return Camera(later.name, earlier.files + later.files, clock, scenes.pop())


def _read_word(word: str) -> Site:
    name, sign, path = word.partition("=")
    if not sign or Path(word).exists():
        file = Path(word)
        if file.suffix in {".yaml", ".yml"}:
            return site_of(read_yaml(file), file)
        name, path = file.stem, word
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name a camera", "letters, digits, _ - and . only: CAMERA=FILE")
    files = _footage(Path(path).expanduser())
    return Site([Camera(name, files, Clock((None,) * len(files)))])


def _footage(path: Path) -> tuple[Path, ...]:
    """The files of a path: the videos of a folder in order of their names, or itself, be there something or not."""
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.suffix.lower() in VIDEO_SUFFIXES and file.is_file())
        if found:
            return tuple(file.resolve() for file in found)
    return (path.resolve(),)


def _absence(camera: Camera) -> InputError:
    """What is said of a camera that has no file."""
    path = camera.files[0]
    if path.is_dir():
        return InputError(
            f"{camera.name}: no video in the folder {path.name}", f"give a folder that holds footage: {path}"
        )
    return InputError(f"{camera.name}: no such file: {path.name}", f"check the path: {path}")


def site_of(values: Any, path: Path) -> Site:
    """The site that the ``values`` of a cameras YAML at ``path`` describe; `InputError` where it cannot be."""
    version = values.get("version", VERSION) if isinstance(values, dict) else VERSION
    if version != VERSION:
        raise InputError(
            f"{path}: a cameras file of version {version!r}, this program reads version {VERSION}",
            "make it anew: vidreid cameras FOLDER --output cameras.yaml, or: pip install --upgrade vidreid",
        )
    found = check_model(CamerasFile, values or {}, str(path))
    zone = zone_named(found.timezone) if found.timezone else None
    cameras = []
    for name, entry in found.cameras.items():
        if not NAME.fullmatch(name):
            raise InputError(f"{path}: {name!r} cannot name a camera", "letters, digits, _ - and . only")
        files: list[Path] = []
        starts: list[datetime | None] = []
        for number, item in enumerate(entry.files):
            found_files = _footage(path.parent / item.file)
            files += found_files
            start = item.start or (entry.start if number == 0 else None)
            starts += [start, *[None] * (len(found_files) - 1)]
        clock = _Written(f"{path}: {name}", tuple(files), zone).clock(entry, starts, path.parent)
        cameras.append(Camera(name, tuple(files), clock, _scene(name, entry)))
    travel = [(*pair, entry.seconds) for entry in found.travel for pair in _pairs(entry.between)]
    overlaps = tuple(pair for names in found.overlaps for pair in _pairs(names))
    return Site(cameras, tuple(travel), overlaps, found.timezone)


def _scene(name: str, entry: CameraEntry) -> Scene:
    """What a camera sees; `InputError` where that cannot be."""
    shape = re.fullmatch(r"([1-9]\d*):([1-9]\d*)", entry.aspect or "1:1")
    if shape is None:
        raise InputError(f"{name}: aspect {entry.aspect!r} is no shape", "write it as 4:3 or 16:9")
    scene = Scene(
        view=entry.view,
        include=tuple(tuple(outline) for outline in entry.include),
        ignore=tuple(tuple(outline) for outline in entry.ignore),
        aspect=int(shape[1]) / int(shape[2]) if entry.aspect else None,
    )
    check_scene(name, scene)
    return scene


@dataclass(frozen=True)
class _Written:
    """The times of a camera as they were written; ``where`` for errors, ``zone`` None where nobody stated one."""

    where: str
    files: tuple[Path, ...]
    zone: tzinfo | None

    def clock(self, entry: CameraEntry, starts: Sequence[datetime | None], folder: Path) -> Clock:
        """Its clock; ``starts`` of its files, whose paths count from ``folder``."""
        if entry.drift_ppm and len(entry.readings) > 1:
            raise InputError(f"{self.where}: its drift is stated, and its readings give one", "leave out drift_ppm")
        known = self._starts(starts)
        readings = self._readings(entry.readings, known, folder)
        return Clock(known, round(entry.offset_seconds * 1e6), entry.drift_ppm, readings)

    def _starts(self, starts: Sequence[datetime | None]) -> tuple[int | None, ...]:
        """UTC microseconds; where clocks show an hour twice, the files' order says which is meant."""
        found: list[int | None] = []
        last: datetime | None = None
        for start in starts:
            last = last if start is None else self._instant(start, last)
            found.append(None if start is None or last is None else microseconds(last))
        return tuple(found)

    def _readings(
        self, entries: Sequence[ReadingEntry], starts: Sequence[int | None], folder: Path
    ) -> tuple[Reading, ...]:
        """In order of the footage, as are their hours that clocks show twice."""
        found: list[Reading] = []
        for number, entry in sorted(((self._number(one.file, folder), one) for one in entries), key=_by_place):
            begun = next((place for place in range(number, -1, -1) if starts[place] is not None), None)
            before = [one.shows_us for one in found[-1:]]
            if begun is not None:
                before.append((starts[begun] or 0) + (round(entry.at * 1e6) if begun == number else 0))
            after = at(max(before)) - AMBIGUOUS if before else None
            found.append(Reading(number, entry.at, microseconds(self._instant(entry.shows, after))))
        return tuple(found)

    def _number(self, file: Path | None, folder: Path) -> int:
        """The place of a file among the camera's, by its path or its bare name; the first where none is named."""
        if file is None:
            return 0
        found = [number for number, known in enumerate(self.files) if known == (folder / file).resolve()]
        found = found or [number for number, known in enumerate(self.files) if known.name == str(file)]
        if len(found) != 1:
            names = ", ".join(known.name for known in self.files[:5])
            raise InputError(f"{self.where}: a reading of {file}, which is none of its files", f"its files: {names}")
        return found[0]

    def _instant(self, time: datetime, after: datetime | None) -> datetime:
        if time.tzinfo is None and self.zone is None:
            raise InputError(
                f"{self.where}: {time} needs a time zone: write it as {time:%Y-%m-%dT%H:%M:%S}Z",
                "or say once, above all cameras, where it was filmed: `timezone: Europe/Berlin`",
            )
        try:
            return instant(time, self.zone or UTC, after)
        except InputError as error:
            raise InputError(f"{self.where}: {error.message}", error.hint) from None


def _by_place(placed: tuple[int, ReadingEntry]) -> tuple[int, float]:
    return placed[0], placed[1].at
