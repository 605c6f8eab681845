"""The first and the last picture of a file, without reading what lies between."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from vidreid.errors import InputError
from vidreid.footage.decode import TURNS
from vidreid.footage.packets import Packets, decode, open_video
from vidreid.footage.shape import pixel_aspect, true_size
from vidreid.types import Image

TAIL = 8 << 20  # bytes at the end of a file that cannot be sought in
BACK = 5.0  # seconds before the end from which pictures are decoded; a seek goes on back to a key frame
MOST = 1500  # pictures that are decoded to come to the last one


@dataclass(frozen=True, slots=True)
class Still:
    """An upright ``image`` in true proportions, ``seconds`` after the file's first one; None where that is unknown.

    Of interlaced footage both fields are kept: a stamp stands still in them, and twice as sharp.
    """

    image: Image
    seconds: float | None


def first_still(path: Path) -> Still | None:
    """A file's first picture; None where none can be decoded."""
    try:
        with open_video(path) as container:
            stream = container.streams.video[0]
            picture = next(decode(stream, Packets(container, stream)), None)
            return None if picture is None else Still(_upright(picture, stream), 0.0)
    except InputError:
        return None


def last_still(path: Path) -> Still | None:
    """A file's last picture, or one near its end; None where none can be decoded."""
    try:
        with open_video(path) as container:
            stream = container.streams.video[0]
            found = _last(stream, _near_end(container, stream))
            if found is not None:
                begin = stream.start_time
                known = found.pts is not None and begin is not None and container.duration
                seconds = float((found.pts - begin) * stream.time_base) if known else None
                return Still(_upright(found, stream), seconds)
            kind = container.format.name
    except InputError:
        return None
    return _from_tail(path, kind)


def _near_end(container: Any, stream: Any) -> Iterator[Any]:
    """Packets from a key frame near the end on; none where the file cannot be sought in."""
    if not container.duration:
        return
    start = container.start_time or 0
    goal = max(start, start + container.duration - round(BACK * 1e6))
    try:
        container.seek(goal, backward=True)
    except av.error.FFmpegError:
        return
    yield from Packets(container, stream)


def _last(stream: Any, packets: Iterator[Any]) -> Any:
    last = None
    for number, picture in enumerate(decode(stream, packets)):
        last = picture
        if number >= MOST:
            break
    return last


def _from_tail(path: Path, kind: str) -> Still | None:
    """The last picture in the last bytes of a plain stream, which can be read from anywhere."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        tail = file.read()
    if kind == "dhav":  # its reader wants to begin at the beginning of a frame
        tail = tail[max(0, tail.find(b"DHAV")) :]
    try:
        with av.open(io.BytesIO(tail), format=kind) as container:
            stream = container.streams.video[0]
            found = _last(stream, iter(Packets(container, stream)))
            return None if found is None else Still(_upright(found, stream), None)
    except (av.error.FFmpegError, IndexError):
        return None


def _upright(picture: Any, stream: Any) -> Image:
    rotation = round(picture.rotation / 90) * 90 % 360
    width, height = true_size(picture.width, picture.height, pixel_aspect(stream))
    image = picture.reformat(width=width, height=height, format="rgb24").to_ndarray()
    return np.asarray(np.ascontiguousarray(cv2.rotate(image, TURNS[rotation]) if rotation else image), np.uint8)
