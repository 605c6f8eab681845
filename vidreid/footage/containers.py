"""Recorders' own file formats: whose they are, what to do with them, and the plain streams that some of them hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HEAD = 1 << 20  # bytes of a file that are searched for a stream


@dataclass(frozen=True, slots=True)
class Format:
    """A recorder's own format: ``what`` it is, with the recorder's name, and what to do where it cannot be read."""

    what: str
    advice: str


DAHUA = Format("Dahua recording", "export it as MP4 in Smart Player or SmartPSS, or in the recorder's menu")
HIKVISION = Format("Hikvision recording", "export it as MP4 in VSPlayer or HikCentral, or in the recorder's menu")
REOLINK = Format("Reolink or Swann recording", "download it anew as MP4 with the client of today")
XIONGMAI = Format("Xiongmai recording", "convert it to AVI or MP4 in the recorder's General Player")

# Bytes at the very beginning. IMKH, HKMI: exports; 4HKH, HKH4: recordings of older recorders.
MAGIC = {
    b"DHAV": DAHUA,
    b"DAHUA": DAHUA,
    b"IMKH": HIKVISION,
    b"HKMI": HIKVISION,
    b"4HKH": HIKVISION,
    b"HKH4": HIKVISION,
    b"1001\x20\x00\x00\x00": REOLINK,
    b"\x00\x00\x01\xfc": XIONGMAI,
    b"\x00\x00\x01\xfd": XIONGMAI,
}
# Formats without a known beginning, by the ends of their files' names.
SUFFIXES = {
    ".ave": Format("Avigilon recording", "export it as AVI or MP4 in Avigilon Player"),
    ".blk": Format("Milestone XProtect recording", "open the whole export in Smart Client Player and export it as MKV"),
    ".bvr": Format("Blue Iris recording", "export it as MP4 in Blue Iris"),
    ".dav": DAHUA,
    ".exe": Format(
        "a program, perhaps with footage inside", "where it plays some, export that as MP4 or AVI from its player"
    ),
    ".g64": Format("Genetec recording", "export it as MP4 in Genetec Video Player"),
    ".g64x": Format("Genetec recording", "export it as MP4 in Genetec Video Player"),
    ".sec": Format("Hanwha recording", "export it as AVI in the Backup Viewer that is beside it"),
}
# A pack of MPEG-PS; parameter sets of H.264 (profile, then the picture's) and of HEVC (video, then sequence).
INSIDE = {
    "mpeg": re.compile(rb"\x00\x00\x01\xba[\x21\x31\x44-\x47\x54-\x57\x64-\x67\x74-\x77]"),
    "h264": re.compile(
        rb"\x00\x00\x01[\x27\x47\x67][\x42\x4d\x58\x64\x6e\x7a\xf4](?s:.{4,400}?)\x00\x00\x01[\x28\x48\x68]"
    ),
    "hevc": re.compile(rb"\x00\x00\x01\x40\x01(?s:.{4,400}?)\x00\x00\x01\x42\x01"),
}


def head_of(path: Path, size: int = HEAD) -> bytes:
    """The first bytes of a file; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""


def format_of(path: Path) -> Format | None:
    """The recorder's own format that a file is in, by its beginning or else by its name; None where none is known."""
    head = head_of(path, 16)
    known = (found for magic, found in MAGIC.items() if head.startswith(magic))
    return next(known, SUFFIXES.get(path.suffix.lower()))


def streams_inside(path: Path) -> list[tuple[str, int]]:
    """Plain streams that a file of an unknown format may hold: FFmpeg's name of each, and the byte where it begins.

    MPEG-PS first: it holds times, where H.264 and HEVC alone hold none.
    """
    head = head_of(path)
    found = {kind: pattern.search(head) for kind, pattern in INSIDE.items()}
    return [(kind, match.start()) for kind, match in found.items() if match is not None]
