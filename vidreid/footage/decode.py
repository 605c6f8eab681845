"""Decodes the frames of a segment, upright and in true proportions, and counts what could not be decoded."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from vidreid.footage.probe import open_video
from vidreid.types import Damage, Frame, Image, Segment, VideoFile

TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


class SegmentDecoder:
    """Frames of one segment in order of time; afterwards ``damage`` says which of them are lost."""

    def __init__(self, path: Path, file: VideoFile, segment: Segment) -> None:
        self.path = path
        self.file = file
        self.segment = segment
        self._seen = np.zeros(segment.stop - segment.first, bool)

    def frames(self) -> Iterator[Frame]:
        """Decoded frames; a packet that cannot be decoded is skipped."""
        first, stop = self.segment.first - self.file.first, self.segment.stop - self.file.first
        with open_video(self.path) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            packets = _packets(container, stream, self.file, first)
            for position, picture in _placed(_pictures(stream, packets), self.file, first):
                if position >= stop:
                    break
                if position >= first and not self._seen[position - first]:
                    self._seen[position - first] = True
                    yield self._frame(position, picture)
                if position == stop - 1:
                    break

    def _frame(self, position: int, picture: Any) -> Frame:
        return Frame(
            camera=self.segment.camera,
            index=position + self.file.first,
            file=self.segment.file,
            pts=int(self.file.pts[position]),
            time=self.file.seconds(position),
            image=_upright(picture, self.file),
        )

    @property
    def damage(self) -> list[Damage]:
        """Frames of this segment that ingest found and nobody could decode."""
        segment = self.segment
        lost = np.flatnonzero(~self._seen) + segment.first
        lost = lost[(lost >= segment.own_first) & (lost < segment.own_stop)]
        groups = np.split(lost, np.flatnonzero(np.diff(lost) > 1) + 1) if len(lost) else []
        return [Damage(segment.camera, int(g[0]), int(g[-1]) + 1, "cannot be decoded") for g in groups]


def _packets(container: Any, stream: Any, file: VideoFile, first: int) -> Iterator[Any]:
    """Packets of the stretch that holds position ``first``, from the key frame there on."""
    if file.timing == "counted":
        return itertools.islice(_demux(container, stream), first, None)
    stretch = int(np.searchsorted(file.stretches, first, side="right")) - 1
    start = int(file.pts[first])
    packets = _demux(container, stream)
    if stretch == 0 and first > 0:
        container.seek(start, stream=stream, backward=True)
        head = next(packets, None)
        if head is not None and _time(head) <= start:
            packets = itertools.chain([head], packets)
        else:  # the container's index is wrong: read it from its beginning
            container.seek(int(file.pts[0]), stream=stream, backward=True)
            packets = _demux(container, stream)
    packets = _stretch(packets, stretch)
    if first == file.stretches[stretch]:
        return packets
    return itertools.dropwhile(lambda packet: not packet.is_keyframe or _time(packet) < start, packets)


def _demux(container: Any, stream: Any) -> Iterator[Any]:
    """Packets that hold data; an error while reading is passed over as long as the reader moves on."""
    errors = 0
    packets = container.demux(stream)
    while errors <= 100:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError:
            errors += 1
            packets = container.demux(stream)
            continue
        if packet.size:
            yield packet


def _stretch(packets: Iterator[Any], wanted: int) -> Iterator[Any]:
    """The packets of stretch ``wanted``: a key frame earlier than the one before it begins a new one."""
    number, last = 0, None
    for packet in packets:
        if packet.is_keyframe:
            if last is not None and _time(packet) < last:
                number += 1
            last = _time(packet)
        if number > wanted:
            return
        if number == wanted:
            yield packet


def _time(packet: Any) -> int:
    """A packet's presentation time, or its decoding time where it has none, in ticks."""
    time = packet.pts if packet.pts is not None else packet.dts
    return int(time) if time is not None else -(1 << 62)


def _pictures(stream: Any, packets: Iterator[Any]) -> Iterator[Any]:
    """Decoded pictures in order of display, the decoder's rest included."""
    for packet in itertools.chain(packets, [None]):
        try:
            yield from stream.codec_context.decode(packet)
        except av.error.FFmpegError:
            continue


def _placed(pictures: Iterator[Any], file: VideoFile, first: int) -> Iterator[tuple[int, Any]]:
    """Each picture with its position in the file: by its time, or by counting where times are not true."""
    if file.timing == "presentation":
        yield from _placed_by_time(pictures, file, first)
    else:
        yield from _placed_by_count(pictures, file, first)


def _placed_by_time(pictures: Iterator[Any], file: VideoFile, first: int) -> Iterator[tuple[int, Any]]:
    stretch = int(np.searchsorted(file.stretches, first, side="right"))
    begin, end = [*file.stretches.tolist(), len(file.pts)][stretch - 1 : stretch + 1]
    times = file.pts[begin:end]
    for picture in pictures:
        time = picture.pts if picture.pts is not None else picture.dts
        place = int(np.searchsorted(times, time)) if time is not None else len(times)
        if place < len(times) and times[place] == time:
            yield begin + place, picture


def _placed_by_count(pictures: Iterator[Any], file: VideoFile, first: int) -> Iterator[tuple[int, Any]]:
    """Pictures are displayed in order, so they are counted from the key frame on.

    A picture's place of storage is at most ``depth`` after its place of display; where it is further on,
    pictures before it are lost.
    """
    depth = file.reordering
    position = first - 1
    for picture in pictures:
        position += 1
        if file.timing == "storage" and picture.pts is not None:
            stored = int(np.searchsorted(file.pts, picture.pts))
            position = max(position, stored - depth)
        yield position, picture


def _upright(picture: Any, file: VideoFile) -> Image:
    """RGB pixels turned upright, with square pixels."""
    lying = file.rotation % 180 != 0
    width, height = (file.height, file.width) if lying else (file.width, file.height)
    image: Image = picture.reformat(width=width, height=height, format="rgb24").to_ndarray()
    return np.ascontiguousarray(cv2.rotate(image, TURNS[file.rotation])) if file.rotation else image
