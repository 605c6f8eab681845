"""Sorts a recorder's export into cameras: which file is of which, and when each starts."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path, PurePosixPath

from vidreid.errors import InputError
from vidreid.footage.cameras import VIDEO_SUFFIXES
from vidreid.footage.containers import MAGIC, format_of, head_of, streams_inside
from vidreid.footage.header import FileHeader, read_header
from vidreid.footage.recorders import FileName, read_name
from vidreid.footage.zones import said
from vidreid.pipeline.ingest import SLACK
from vidreid.pipeline.starts import Start, clash, place

READERS = 4  # files whose headers are read at a time: mostly waiting for the disk


@dataclass(frozen=True, slots=True)
class Recording:
    """A file of a camera: its ``start`` and where that is from, and how many ``seconds`` it says it lasts."""

    path: Path
    recorder: str
    seconds: float | None
    start: Start


@dataclass(frozen=True, slots=True)
class SortedCamera:
    """A camera of an export, its files in order of time.

    ``conflicts``: positions (earlier, later) of files that claim the same time. ``gaps``: seconds without footage
    before each file, 0 where there are none or nobody knows.
    """

    name: str
    recordings: tuple[Recording, ...]
    conflicts: tuple[tuple[int, int], ...] = ()
    gaps: tuple[float, ...] = ()

    @property
    def recorder(self) -> str:
        """The recorder whose way of naming most of its files have; empty for none in particular."""
        return Counter(recording.recorder for recording in self.recordings).most_common(1)[0][0]


@dataclass(frozen=True, slots=True)
class Export:
    """What is in a folder: its cameras, and each file that was ``left_out`` with the error that says why."""

    cameras: tuple[SortedCamera, ...]
    left_out: dict[Path, InputError] = field(default_factory=dict)

    @property
    def conflict(self) -> InputError | None:
        """What is said of files that claim the same time of one camera; None where there are none."""
        pairs = [(camera, *pair) for camera in self.cameras for pair in camera.conflicts]
        if not pairs:
            return None
        camera, first, second = pairs[0]
        earlier, later = camera.recordings[first], camera.recordings[second]
        assert later.start.time is not None
        more = f"; {len(pairs) - 1} more such pairs" if len(pairs) > 1 else ""
        return InputError(
            f"{camera.name}: {earlier.path.name} and {later.path.name} both claim {said(later.start.time)}{more}",
            "in the cameras YAML, where they are marked: mend a start, take one out, or make them two cameras",
        )


def sort_export(folder: Path, zone: tzinfo, say: Callable[[str, float], None]) -> Export:
    """Sort the files below ``folder``; local times in names are those of ``zone``; ``say`` is told words and a share.

    Raises `InputError` where there is no folder, or no footage in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder", "give the folder of a recorder's export")
    paths = list(_files(folder))
    left_out: dict[Path, InputError] = {}
    found: dict[tuple[str, ...], list[tuple[Path, FileName, FileHeader]]] = {}
    with ThreadPoolExecutor(READERS) as readers:
        for count, (path, header) in enumerate(zip(paths, readers.map(_header, paths), strict=True), start=1):
            say(f"reading {len(paths)} files", count / len(paths))
            if isinstance(header, InputError):
                left_out[path] = header
                continue
            name = _name(path, folder)
            channel = name.channel or header.channel
            key = (name.folder, name.device, channel, name.stream)
            found.setdefault(key, []).append((path, name, header))
    if not found:
        raise _nothing(folder, left_out)
    names = camera_names(list(found))
    cameras = [_camera(names[key], files, zone) for key, files in found.items()]
    return Export(tuple(sorted(cameras, key=lambda camera: natural(camera.name))), left_out)


def _files(folder: Path) -> Iterator[Path]:
    """Files of a folder and of those below, in natural order; without what systems hide there."""
    for here, folders, names in os.walk(folder):
        folders[:] = sorted((name for name in folders if not name.startswith((".", "$"))), key=natural)
        yield from (Path(here) / name for name in sorted(names, key=natural) if not name.startswith("."))


def _header(path: Path) -> FileHeader | InputError:
    """A file's header, or why it is no footage; only what may be some is opened."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return InputError(f"{path.name!a}: its name is no text", "rename it")
    magic = any(head_of(path, 16).startswith(magic) for magic in MAGIC)
    looks = magic or path.suffix.lower() in VIDEO_SUFFIXES or bool(streams_inside(path))
    if not looks:
        known = format_of(path)
        line = f"{path.name}: {known.what}" if known else f"{path.name}: no video"
        return InputError(line, known.advice if known else "")
    try:
        return read_header(path)
    except InputError as error:
        return error


def _name(path: Path, folder: Path) -> FileName:
    """What a file's name says; where the export is the folder of a day or below it, that counts too."""
    inside = PurePosixPath(path.relative_to(folder).as_posix())
    name = read_name(inside)
    if name.start is not None:
        return name
    above = read_name(PurePosixPath(*folder.resolve().parts[-4:]) / inside)
    return above if above.start is not None else name


def _nothing(folder: Path, left_out: dict[Path, InputError]) -> InputError:
    """What is said of an export without footage: of a recorder's own format rather than of anything else."""
    telling = sorted(left_out.values(), key=lambda error: not error.hint)
    if telling and telling[0].hint:
        return InputError(f"{folder}: no footage that can be read: {telling[0].message}", telling[0].hint)
    return InputError(f"{folder}: no footage in this folder", "give the folder of a recorder's export")


def _camera(name: str, files: Sequence[tuple[Path, FileName, FileHeader]], zone: tzinfo) -> SortedCamera:
    """A camera's files in order of time."""
    files = sorted(files, key=lambda file: natural(file[0].as_posix()))
    placed = place([(name, header) for _, name, header in files], zone)
    recordings = [
        Recording(files[number][0], files[number][1].recorder, files[number][2].seconds, start)
        for number, start in placed
    ]
    return SortedCamera(name, tuple(recordings), *_joints(recordings))


def _joints(recordings: Sequence[Recording]) -> tuple[tuple[tuple[int, int], ...], tuple[float, ...]]:
    """Conflicts and gaps: where each file starts before or after the end of the earlier one that ends last."""
    conflicts: list[tuple[int, int]] = []
    gaps = [0.0]
    last = 0
    for number, recording in enumerate(recordings[1:], start=1):
        earlier, start, end = recordings[last].start, recording.start.time, recording.start.end
        if clash(earlier, recording.start):
            conflicts.append((last, number))
        gap = start.timestamp() - earlier.end.timestamp() if start and earlier.end else 0.0
        gaps.append(gap if gap > SLACK else 0.0)
        if earlier.end is None or end is None or end.timestamp() > earlier.end.timestamp():
            last = number
    return tuple(conflicts), tuple(gaps)


def camera_names(keys: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """A name for each (folder, device, channel, stream): the shortest that no other has.

    >>> camera_names([("", "NVR", "ch1", ""), ("", "NVR", "ch2", ""), ("", "NVR", "ch2", "sub")])
    {('', 'NVR', 'ch1', ''): 'ch1', ('', 'NVR', 'ch2', ''): 'ch2', ('', 'NVR', 'ch2', 'sub'): 'ch2 sub'}
    """
    names: dict[tuple[str, ...], str] = {}
    open_keys = list(keys)
    for parts in (("own",), ("device", "channel"), ("folder", "channel"), ("folder", "device", "channel")):
        wanted = {key: _joined([*(_part(key, part) for part in parts), key[3]]) for key in open_keys}
        counts = Counter([*wanted.values(), *names.values()])
        names |= {key: name for key, name in wanted.items() if name and counts[name] == 1}
        open_keys = [key for key in open_keys if key not in names]
    for key in open_keys:  # what differs in letters only that a name cannot hold, or says nothing at all
        base = _joined(key) or "camera"
        numbered = (f"{base} {number}" if number > 1 else base for number in itertools.count(1))
        names[key] = next(name for name in numbered if name not in names.values())
    return {key: names[key] for key in keys}


def _part(key: tuple[str, ...], part: str) -> str:
    """A part of a camera's key; its ``own`` is the channel, or without one the folder."""
    folder, device, channel, _ = key
    return {"own": channel or folder, "device": device, "channel": channel, "folder": folder}[part]


def _joined(parts: Sequence[str]) -> str:
    """Words as one camera's name: letters, digits, space, ``_``, ``-`` and ``.`` (`footage.cameras.NAME`)."""
    text = re.sub(r"[^\w .-]+", " ", " ".join(filter(None, parts)))
    return re.sub(r" +", " ", text).strip(" .-")


def natural(text: str) -> list[tuple[int, int | str]]:
    """A key that sorts ``ch2`` before ``ch10``."""
    pieces = re.split(r"(\d+)", text.casefold())
    return [(0, int(piece)) if piece.isdecimal() else (1, piece) for piece in pieces if piece]
