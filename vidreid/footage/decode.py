"""Decodes the frames of a segment, upright and in true proportions, and counts what could not be decoded."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Container, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.filter import Graph

from vidreid.footage.packets import REORDER, Packets, decode, open_video, sparing, time_of
from vidreid.footage.shape import turned
from vidreid.types import Array, Damage, Frame, Image, Segment, VideoFile

# Formats whose first plane is brightness in eight bits: what cameras give.
BRIGHT = {"gray", "nv12", "yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuvj422p", "yuvj444p"}
TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


class SegmentDecoder:
    """Frames of one segment in order of time; afterwards ``damage`` says which of them are lost.

    ``accel`` is the video engine that decodes (`footage.hardware`), None for the processor. ``looked_at``: mask (n,) of
    the file's frames that are wanted (`footage.thinning`), None for all; the others are never lost.
    """

    def __init__(
        self, path: Path, file: VideoFile, segment: Segment, accel: Any = None, looked_at: Array | None = None
    ) -> None:
        self.path = path
        self.file = file
        self.segment = segment
        self._accel = accel
        wanted = np.ones(len(file.pts), bool) if looked_at is None else looked_at
        self._wanted = wanted[segment.first - file.first : segment.stop - file.first]
        self._seen = ~self._wanted

    def frames(self) -> Iterator[Frame]:
        """Decoded frames; a packet that cannot be decoded is skipped."""
        first, stop = self.segment.first - self.file.first, self.segment.stop - self.file.first
        for position, picture in self._placed(first, stop):
            if first <= position < stop and not self._seen[position - first]:
                self._seen[position - first] = True
                yield self._frame(position, picture)
            # A picture whose time is damaged a little may come before others of this segment.
            if self._seen.all() or position >= stop + REORDER:
                break

    def _placed(self, first: int, stop: int) -> Iterator[tuple[int, Any]]:
        """Pictures from position ``first`` on with their positions; up to ``stop`` perhaps only the wanted ones."""
        if self.file.timing != "presentation":
            return _placed_by_count(self.path, self.file, first, self._accel)
        whole = self._accel is not None or self._wanted.all()
        needed = None if whole else frozenset(self.file.pts[first:stop][self._wanted].tolist())
        return _placed_by_time(self.path, self.file, first, self._accel, needed)

    def _frame(self, position: int, picture: Any) -> Frame:
        return Frame(
            camera=self.segment.camera,
            index=position + self.file.first,
            file=self.segment.file,
            pts=int(self.file.pts[position]),
            time=self.file.seconds(position),
            picture=Decoded(picture, self.file),
        )

    @property
    def damage(self) -> list[Damage]:
        """Frames of this segment that ingest found and nobody could decode, with those left out between them."""
        segment = self.segment
        lost = np.flatnonzero(~self._seen)
        lost = lost[(lost >= segment.own_first - segment.first) & (lost < segment.own_stop - segment.first)]
        ranks = np.cumsum(self._wanted)[lost]
        groups = np.split(lost + segment.first, np.flatnonzero(np.diff(ranks) > 1) + 1) if len(lost) else []
        return [Damage(segment.camera, int(g[0]), int(g[-1]) + 1, "cannot be decoded") for g in groups]


def _placed_by_time(
    path: Path, file: VideoFile, first: int, accel: Any, needed: Container[int] | None
) -> Iterator[tuple[int, Any]]:
    """Pictures from position ``first`` on, each with its position in the file: that of its time in its stretch.

    Where not all are ``needed``, others may be missing.
    """
    stretch = int(np.searchsorted(file.stretches, first, side="right")) - 1
    begin, end = [*file.stretches.tolist(), len(file.pts)][stretch : stretch + 2]
    times = file.pts[begin:end]
    for picture in _pictures(path, file, first, stretch, accel, needed):
        place = int(np.searchsorted(times, picture.pts)) if picture.pts is not None else len(times)
        if place < len(times) and times[place] == picture.pts:
            yield begin + place, picture


def _placed_by_count(path: Path, file: VideoFile, first: int, accel: Any) -> Iterator[tuple[int, Any]]:
    """Pictures with their positions where times are not true: shown in order, they are counted.

    What says whether pictures are lost is their place of storage. A key frame is shown at its place of storage,
    later by those that were stored after it and shown before it. Any other picture is shown at most ``reordering``
    places before its place of storage.
    """
    position = start = _key_before(file, first)
    shown: list[int] = []  # places of storage of the pictures since the last key frame
    for picture in _pictures(path, file, start, 0, accel):
        stored = int(picture.pts) if file.timing == "counted" else int(np.searchsorted(file.pts, picture.pts))
        if picture.key_frame:
            position = stored + sum(place > stored for place in shown)
            shown.clear()
        position = max(position, stored - file.reordering)
        yield position, picture
        shown.append(stored)
        position += 1


def _key_before(file: VideoFile, first: int) -> int:
    """Where to start for an exact count: one key frame early, since pictures shown before a key frame may need it."""
    if file.reordering == 1:
        return first
    keys = file.key[file.key < first]
    return int(keys[-1]) if len(keys) else 0


def _pictures(
    path: Path, file: VideoFile, first: int, stretch: int, accel: Any, needed: Container[int] | None = None
) -> Iterator[Any]:
    """Pictures from the key frame at position ``first`` on; ``pts`` as ingest found it, or the place of storage."""
    with packets_from(path, file, first, stretch, accel) as (stream, packets):
        yield from decode(stream, packets if needed is None else sparing(stream, packets, needed))


@contextlib.contextmanager
def packets_from(
    path: Path, file: VideoFile, first: int, stretch: int, accel: Any = None
) -> Iterator[tuple[Any, Iterator[Any]]]:
    """The video stream, and its packets in order of storage from the key frame at position ``first`` of a stretch on.

    Their ``pts`` are as ingest found them, or their places of storage where it counted.
    """
    with open_video(path, accel) as container:
        packets = _sought(container, file, first)
        if packets is not None:
            yield container.streams.video[0], packets
            return
    with open_video(path, accel) as container:
        yield container.streams.video[0], _read_up_to(container, file, first, stretch)


def _sought(container: Any, file: VideoFile, first: int) -> Iterator[Any] | None:
    """Packets after a seek to the key frame at ``first``; None where the seek does not find exactly that frame."""
    if first == 0 or file.timing == "counted" or len(file.stretches) > 1:
        return None
    stream = container.streams.video[0]
    start = int(file.pts[first])
    try:
        container.seek(start, stream=stream, backward=True)
    except av.error.FFmpegError:
        return None
    packets = _timed(Packets(container, stream))
    # What lies between the place that was found and the key frame is little where the index is right.
    head = next((packet for packet in packets if packet.is_keyframe and packet.pts >= start), None)
    return itertools.chain([head], packets) if head is not None and head.pts == start else None


def _read_up_to(container: Any, file: VideoFile, first: int, stretch: int) -> Iterator[Any]:
    """Packets from the key frame at ``first`` of a stretch on, read from the beginning of the file."""
    packets = Packets(container, container.streams.video[0])
    if file.timing == "counted":
        return itertools.islice(_numbered(packets), first, None)
    of_stretch = _of_stretch(_timed(packets), file, stretch)
    if first == file.stretches[stretch]:
        return of_stretch
    start = int(file.pts[first])
    return itertools.dropwhile(lambda packet: not packet.is_keyframe or packet.pts < start, of_stretch)


def _timed(packets: Iterable[Any]) -> Iterator[Any]:
    """Packets that have a time, with that as ``pts``."""
    for packet in packets:
        packet.pts = time_of(packet)
        if packet.pts is not None:
            yield packet


def _numbered(packets: Iterable[Any]) -> Iterator[Any]:
    """Packets with their place of storage as ``pts``."""
    for number, packet in enumerate(packets):
        packet.pts = number
        yield packet


def _of_stretch(packets: Iterator[Any], file: VideoFile, wanted: int) -> Iterator[Any]:
    """The packets of stretch ``wanted``: a key frame earlier than the one before it begins a new one."""
    if len(file.stretches) == 1:
        yield from packets
        return
    keys = set(file.pts[file.key].tolist())  # a key frame whose time is damaged is not among them
    number, last = 0, None
    for packet in packets:
        if packet.is_keyframe and packet.pts in keys:
            number += last is not None and packet.pts < last
            last = packet.pts
        if number > wanted:
            return
        if number == wanted:
            yield packet


class Decoded:
    """A decoded picture of a file as its camera sees it; RGB upright and with square pixels when it is asked for."""

    def __init__(self, picture: Any, file: VideoFile) -> None:
        self.width = file.width
        self.height = file.height
        self._picture = picture
        self._file = file

    def rgb(self) -> Image:
        """uint8 (height, width, 3)."""
        file = self._file
        whole = (file.width, file.height) if file.view is None else file.view[2:]
        width, height = turned(file.rotation, *whole)
        picture = one_field(self._picture) if file.interlaced else self._picture
        image: Image = picture.reformat(width=width, height=height, format="rgb24").to_ndarray()
        image = cv2.rotate(image, TURNS[file.rotation]) if file.rotation else image
        return np.ascontiguousarray(_seen(image, file))

    def luma(self, width: int) -> Array:
        """Brightness as stored, each pixel the mean of a square of pixels; uint8 (h, w), w at most ``width``."""
        known = self._picture.format.name in BRIGHT
        plane = (self._picture if known else self._picture.reformat(format="gray")).planes[0]
        stored = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        turns = self._file.rotation // 90
        bright = np.rot90(_seen(np.rot90(stored, turns), self._file), -turns)
        side = -(-bright.shape[1] // width)  # whole pixels: another share would take several times as long
        rows, columns = (max(1, length // side) for length in bright.shape)
        covered = bright[: rows * side, : columns * side]
        return np.asarray(cv2.resize(covered, (columns, rows), interpolation=cv2.INTER_AREA))


def _seen(upright: Array, file: VideoFile) -> Array:
    """The camera's view of a whole upright picture (h, w, ...), whatever its scale."""
    if file.view is None:
        return upright
    left, upper, whole_width, whole_height = file.view
    rows = _share(upper, file.height, upright.shape[0], whole_height)
    return upright[rows, _share(left, file.width, upright.shape[1], whole_width)]


def _share(first: int, length: int, side: int, whole: int) -> slice:
    """``length`` of ``whole`` pixels from ``first`` on, where the whole is ``side`` pixels long; one at least."""
    return slice(first * side // whole, -(-(first + length) * side // whole))


def one_field(picture: Any) -> Any:
    """The upper field of an interlaced picture, half as high: every other line was taken at another moment.

    Nothing but this picture is looked at, so it comes out the same wherever a segment begins.
    """
    graph = Graph()
    source = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=Fraction(1, 1)
    )
    field, sink = graph.add("field", "type=top"), graph.add("buffersink")
    source.link_to(field)
    field.link_to(sink)
    graph.configure()
    source.push(picture)
    return sink.pull()
