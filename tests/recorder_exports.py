"""Exports made up like those of recorders: their folder trees and names, with tiny real videos in them."""

from __future__ import annotations

import re
import struct
import tempfile
from datetime import datetime
from functools import cache
from pathlib import Path

from films import HEIGHT, WIDTH, Film

RATE = 25


@cache
def video(suffix: str, frames: int = 50) -> bytes:
    """The bytes of a film of two seconds, or of ``frames``, that shows the numbers of its frames."""
    with tempfile.TemporaryDirectory() as folder:
        if suffix == ".dav":
            return dahua(raw_h264(frames), datetime(2026, 4, 12, 8), channel=2)
        return Film(f"film{suffix}", frames=frames).write(Path(folder)).read_bytes()


def raw_h264(frames: int = 50) -> bytes:
    return video(".h264", frames)


def pictures(raw: bytes) -> list[bytes]:
    """The coded pictures of a raw H.264 stream, parameter sets with the key frame that follows them."""
    places = [found.start() for found in re.finditer(rb"\x00\x00\x00\x01[\x67\x41\x01]", raw)]
    return [raw[begin:end] for begin, end in zip(places, [*places[1:], len(raw)], strict=True)]


def dahua(raw: bytes, start: datetime, channel: int = 0) -> bytes:
    """A raw H.264 stream as a Dahua recording: a header with the recorder's local time before each picture."""
    extra = bytes([0x80, 0, WIDTH // 8, HEIGHT // 8, 0x81, 0, 8, RATE])
    chunks = []
    for number, picture in enumerate(pictures(raw)):
        second = start.second + number // RATE
        date = second | start.minute << 6 | start.hour << 12 | start.day << 17 | start.month << 22
        date |= (start.year - 2000) << 26
        size = 24 + len(extra) + len(picture) + 8
        kind = 0xFD if picture[4] == 0x67 else 0xFC
        place = number * 1000 // RATE & 0xFFFF
        head = struct.pack("<4sBBBBIIIHBB", b"DHAV", kind, 0, channel, 0, number, size, date, place, len(extra), 0)
        chunks.append(head + extra + picture + struct.pack("<4sI", b"dhav", size))
    return b"".join(chunks)


def wrapped(raw: bytes, start: bytes, before: bytes) -> bytes:
    """A raw stream as a recorder's own format: bytes at the start of the file, and ``before`` each picture."""
    return start + b"".join(before + picture for picture in pictures(raw))


def write_export(folder: Path, names: dict[str, int] | list[str]) -> Path:
    """Write files of these names, paths in the export; each of 50 frames, or of as many as are said."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(video(path.suffix, names[name] if isinstance(names, dict) else 50))
    return folder
