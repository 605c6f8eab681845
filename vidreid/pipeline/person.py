"""Somebody who is looked for: pictures, their vectors by network, and where they are from; kept in a ``.zip``.

The file holds ``person.json``, ``pictures/*.jpg`` and ``vectors/*.npy`` (float32), nothing that could run, and is read
without unpacking anything: no path in it is ever a path of this machine.
"""

from __future__ import annotations

import io
import itertools
import json
import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import numpy as np
from pydantic import Field

from vidreid.errors import InputError
from vidreid.identity.splitting import Look, mean_look
from vidreid.pipeline.npy import npy_header
from vidreid.settings import Section, check_model
from vidreid.store.parts import write_atomic
from vidreid.tracklets.runs import decode
from vidreid.types import Array, Crop

FORMAT = 1
LIST = "person.json"
LARGEST = 16 << 20  # bytes of one entry of the file, unpacked
MOST_ENTRIES = 2000
MOST_PIXELS = 4096  # of a side of a picture
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Picture:
    """A JPEG with the person's ``box`` in it (x1, y1, x2, y2), its ``quality`` 0..1 and its ``frame``, -1: none."""

    jpeg: bytes
    box: Box
    quality: float
    frame: int = -1

    def crop(self) -> Crop:
        """As embedders take it."""
        return Crop(decode(self.jpeg), np.array(self.box, np.float32), self.quality, self.frame)


@dataclass(frozen=True)
class Clip:
    """Pictures of one moment in order of time, and in words where they are from: file, or run, tracklet, time.

    ``sighting``: the (run folder, tracklet) that they are of, where it was named in this search.
    """

    pictures: tuple[Picture, ...]
    source: Mapping[str, str]
    sighting: tuple[str, str] | None = None

    @property
    def quality(self) -> float:
        return float(np.mean([picture.quality for picture in self.pictures]))


@dataclass(frozen=True)
class Person:
    """Somebody to look for. ``vectors``: by a network's identity, as it made them, float32 (clips, dim)."""

    clips: tuple[Clip, ...]
    vectors: Mapping[str, Array] = field(default_factory=dict)

    def with_vectors(self, network: str, vectors: Array) -> Person:
        """The same person, whose vectors of one more network are known."""
        return replace(self, vectors={**self.vectors, network: vectors})

    def views(self, network: str, folder: str) -> dict[str | None, Array]:
        """Unit vectors (dim,): of each of the run's tracklets that were named, None: of all else; each the mean of its
        clips by quality, as `match` takes that of a tracklet."""
        looks: dict[str | None, list[Look]] = {}
        for clip, vector in zip(self.clips, self.vectors[network], strict=True):
            mine = clip.sighting is not None and clip.sighting[0] == folder
            name = clip.sighting[1] if clip.sighting and mine else None
            looks.setdefault(name, []).append(Look(0, 0, clip.quality, vector))
        return {name: _mean(found) for name, found in looks.items()}


def _mean(looks: Sequence[Look]) -> Array:
    found = mean_look(looks)
    if found is None:
        raise InputError("the pictures contradict each other: they have no mean", "give fewer of them")
    return found


def pooled(people: Sequence[Person]) -> Person:
    """One person of all; vectors of a network are kept where all know them."""
    networks = set.intersection(*(set(person.vectors) for person in people))
    return Person(
        tuple(itertools.chain.from_iterable(person.clips for person in people)),
        {network: np.concatenate([person.vectors[network] for person in people]) for network in sorted(networks)},
    )


class _PictureEntry(Section):
    """A picture of the file."""

    file: str
    box: Box
    quality: float = Field(ge=0, le=1)
    frame: int = -1


class _ClipEntry(Section):
    """A clip of the file."""

    pictures: Annotated[list[_PictureEntry], Field(min_length=1)]
    source: dict[str, str]


class _VectorsEntry(Section):
    """Vectors of one network, a row a clip."""

    file: str
    dim: int = Field(ge=1, le=1 << 16)


class _List(Section):
    """``person.json``."""

    format: Literal[1]
    clips: Annotated[list[_ClipEntry], Field(min_length=1)]
    vectors: dict[str, _VectorsEntry] = Field(description="by the network's identity")


def write_person(path: Path, person: Person) -> None:
    """Keep a person in a file; the same person gives the same bytes."""
    files: dict[str, bytes] = {}
    clips = [
        {"pictures": [_listed(one, files) for one in clip.pictures], "source": clip.source} for clip in person.clips
    ]
    vectors = {}
    for number, (network, rows) in enumerate(sorted(person.vectors.items())):
        name = f"vectors/{number}.npy"
        vectors[network] = {"file": name, "dim": rows.shape[1]}
        files[name] = npy_header(rows.shape, np.float32) + np.ascontiguousarray(rows, np.float32).tobytes()
    listed = json.dumps({"format": FORMAT, "clips": clips, "vectors": vectors}, indent=1, sort_keys=True)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {LIST: listed.encode(), **files}.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # of 1980: no clock in the bytes
    write_atomic(path, lambda file: file.write(packed.getvalue()))


def _listed(picture: Picture, files: dict[str, bytes]) -> dict[str, Any]:
    """A picture's line in the list; its bytes are added to ``files``."""
    name = f"pictures/{len(files):04d}.jpg"
    files[name] = picture.jpeg
    return {"file": name, "box": picture.box, "quality": picture.quality, "frame": picture.frame}


def read_person(path: Path) -> Person:
    """Read what `write_person` wrote; `InputError` where it is anything else."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _Reader(path, archive).person()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", "check the path") from None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError):
        raise InputError(f"{path}: damaged, or no file of a person", "make it with: vidreid search --save") from None


class _Reader:
    """Reads one file of a person, within limits."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive
        if len(archive.infolist()) > MOST_ENTRIES:
            raise self._wrong(f"holds {len(archive.infolist())} files")

    def _wrong(self, what: str) -> InputError:
        return InputError(f"{self._path}: {what}", "make it with: vidreid search --save")

    def person(self) -> Person:
        listed = self._listed()
        clips = tuple(
            Clip(tuple(self._picture(entry) for entry in clip.pictures), clip.source) for clip in listed.clips
        )
        return Person(clips, {network: self._vectors(entry, len(clips)) for network, entry in listed.vectors.items()})

    def _listed(self) -> _List:
        try:
            found: Any = json.loads(self._read(LIST))
        except (ValueError, RecursionError):
            raise self._wrong(f"{LIST} is damaged") from None
        version = found.get("format") if isinstance(found, dict) else None
        if isinstance(version, int) and version > FORMAT:
            raise InputError(
                f"{self._path}: a person's file of format {version}, this program reads up to {FORMAT}",
                "pip install --upgrade vidreid",
            )
        return check_model(_List, found, f"{self._path}: {LIST}")

    def _read(self, name: str) -> bytes:
        """An entry's bytes; what claims or turns out to be too large is refused before memory is taken for it."""
        if name not in self._archive.namelist():
            raise self._wrong(f"holds no {name}")
        with self._archive.open(name) as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise self._wrong(f"{name} is larger than {LARGEST >> 20} MB")
        return content

    def _picture(self, entry: _PictureEntry) -> Picture:
        jpeg = self._read(entry.file)
        width, height = jpeg_size(jpeg)
        if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
            raise self._wrong(f"{entry.file} is no JPEG of up to {MOST_PIXELS} x {MOST_PIXELS} pixels")
        picture = Picture(jpeg, entry.box, entry.quality, entry.frame)
        try:
            picture.crop()
        except cv2.error:
            raise self._wrong(f"{entry.file} is damaged") from None
        if not all(map(math.isfinite, entry.box)):
            raise self._wrong(f"the box in {entry.file} is none")
        return picture

    def _vectors(self, entry: _VectorsEntry, rows: int) -> Array:
        npy, header = self._read(entry.file), npy_header((rows, entry.dim), np.float32)
        if npy[: len(header)] != header or len(npy) != len(header) + 4 * rows * entry.dim:
            raise self._wrong(f"{entry.file} does not hold {rows} vectors of {entry.dim} numbers")
        vectors = np.frombuffer(npy, np.float32, offset=len(header)).reshape(rows, entry.dim)
        if not np.isfinite(vectors).all():
            raise self._wrong(f"{entry.file} holds what is no number")
        return vectors


def jpeg_size(jpeg: bytes) -> tuple[int, int]:
    """Width and height that a JPEG's header states, (0, 0) where it has none (ITU-T T.81, B.2.2)."""
    place = 2 if jpeg[:2] == b"\xff\xd8" else len(jpeg)
    while place + 9 <= len(jpeg) and jpeg[place] == 0xFF:
        marker, length = jpeg[place + 1], int.from_bytes(jpeg[place + 2 : place + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = (int.from_bytes(jpeg[place + k : place + k + 2], "big") for k in (5, 7))
            return width, height
        place += 2 + length
    return 0, 0
