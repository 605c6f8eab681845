"""A cameras YAML made of an export: plain, with a comment at each file that says where its start is from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import yaml

from vidreid.footage.zones import DAY
from vidreid.pipeline.progress import duration
from vidreid.pipeline.recordings import Export, Recording, SortedCamera

SOURCES = {
    "file name": "from its name",
    "container": "CONTAINER TIME: perhaps that of a copy; compare it with the stamp in the picture",
    "unknown": "START UNKNOWN: it follows on",
}
NAMED = 5  # files left out of one kind that are named one by one


def cameras_yaml(export: Export, path: Path, timezone: str, folder: Path) -> str:
    """The text of a cameras YAML that is to stand at ``path``; ``timezone`` empty where nobody stated one."""
    return "\n".join([*_head(path, timezone, folder), *_cameras(export, path), *_left_out(export), ""])


def _head(path: Path, timezone: str, folder: Path) -> Iterator[str]:
    yield f"# Made of {plain(str(folder))} by `vidreid cameras`. Compare it with {path.with_suffix('.png').name}, mend"
    yield f"# what is wrong, then: vidreid run {plain(path.name)} --output RUN"
    yield "# Cameras may be renamed. A file's `start` is that of its first frame: local time with its offset from UTC."
    yield "# Where a recorder's clock was wrong: vidreid clock, or `offset_seconds` of the camera."
    yield "version: 1"
    if timezone:
        yield f"timezone: {_scalar(timezone)}"
    else:
        yield "timezone: UTC  # NOBODY SAID: local times in file names were taken for UTC; make it anew with --timezone"
    yield "cameras:"


def _cameras(export: Export, path: Path) -> Iterator[str]:
    for camera in export.cameras:
        yield f"  {_scalar(camera.name)}:  # {summary(camera)}"
        yield "    files:"
        claimed = {later: earlier for earlier, later in camera.conflicts}
        for number, recording in enumerate(camera.recordings):
            said = "; ".join(_remarks(camera, number, claimed.get(number)))
            yield f"      - {_entry(recording, path)}  # {said}"


def _entry(recording: Recording, path: Path) -> str:
    file = Path(os.path.relpath(recording.path.absolute(), path.absolute().parent)).as_posix()
    time = recording.start.time
    start = f", start: {time.isoformat(timespec='milliseconds' if time.microsecond else 'seconds')}" if time else ""
    return f"{{file: {_quoted(file)}{start}}}"


def _remarks(camera: SortedCamera, number: int, earlier: int | None) -> Iterator[str]:
    """What is to be known of a camera's file, most important first."""
    start = camera.recordings[number].start
    if earlier is not None:
        yield f"CLAIMS TIME THAT {plain(camera.recordings[earlier].path.name)} CLAIMS TOO"
    yield SOURCES[start.source]
    yield from start.remarks
    if camera.gaps[number]:
        yield f"{duration(camera.gaps[number])} after the end of the file before"


def summary(camera: SortedCamera) -> str:
    """A camera in a line: whose recorder, how many files, from when to when, how much of that, where that is from."""
    starts = [recording.start for recording in camera.recordings]
    count = f"{len(starts)} file{'s' if len(starts) > 1 else ''}"
    parts = [f"{camera.recorder}: {count}" if camera.recorder else count]
    parts += span(camera)
    seconds = [recording.seconds for recording in camera.recordings if recording.seconds is not None]
    if seconds:
        parts.append(f"{'' if len(seconds) == len(starts) else 'more than '}{duration(sum(seconds))} of footage")
    gaps = sum(gap > 0 for gap in camera.gaps)
    if gaps:
        parts.append(f"{gaps} gap{'s' if gaps > 1 else ''}")
    for source, words in (("container", "CONTAINER TIME"), ("unknown", "START UNKNOWN")):
        several = sum(start.source == source for start in starts)
        if several:
            parts.append(words if several == len(starts) else f"{words} of {several}")
    return ", ".join(parts)


def span(camera: SortedCamera) -> list[str]:
    """From when to when a camera's files are, in words; none where no start is known."""
    starts = [recording.start for recording in camera.recordings]
    known = [start for start in starts if start.time is not None]
    if not known:
        return []
    first = known[0].time
    last = max((start.end or start.time for start in known if start.time), key=lambda time: time.timestamp())
    assert first is not None
    return [f"{first:{DAY}} to {last:{'%H:%M:%S' if last.date() == first.date() else DAY}}"]


def _left_out(export: Export) -> Iterator[str]:
    if export.left_out:
        yield ""
        yield "# Left out:"
        yield from (f"#   {line}" for line in left_out_lines(export))


def left_out_lines(export: Export) -> list[str]:
    """What was left out and why: files that may be footage one by one, others by the ends of their names."""
    told = [plain(f"{error.message}; {error.hint}") for error in export.left_out.values() if error.hint]
    others: dict[str, list[Path]] = {}
    for path, error in export.left_out.items():
        if not error.hint:
            others.setdefault(path.suffix.lower(), []).append(path)
    for suffix, paths in sorted(others.items()):
        if len(paths) <= NAMED:
            told += [plain(f"{path.name}: no video") for path in paths]
        else:
            told.append(plain(f"{len(paths)} files {suffix or 'without a suffix'}: no video"))
    return told


def plain(text: str) -> str:
    """Text as one line that holds nothing but what can be seen."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _scalar(value: str) -> str:
    """A name as YAML has it in one line, quoted where it must be."""
    return yaml.safe_dump([value], allow_unicode=True, width=1 << 30).removeprefix("- ").rstrip("\n")


def _quoted(value: str) -> str:
    """A string as YAML has it in one line within braces."""
    return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=1 << 30).rstrip("\n")
