"""A file's packets in order of storage, and the pictures in them; what cannot be read or decoded is passed over."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import av

from vidreid.errors import InputError
from vidreid.footage.containers import format_of, head_of, streams_inside

REORDER = 16
"""The most places by which H.264 and HEVC store a picture before it is shown (ISO/IEC 14496-10, A.3.1 h)."""

AVI_CHUNK_HEADER = 8  # bytes between the place that the index names and the frame's own

STUCK = 100  # errors without a packet between them after which a reader does not move on


def open_video(path: Path, accel: Any = None) -> Any:
    """Open a file with PyAV, to be decoded on ``accel`` (footage.hardware) where one is given; `InputError` says why
    it is no footage. A plain stream inside a recorder's own format is found and opened."""
    if path.is_dir():
        raise InputError(f"{path.name}: no video in this folder", "give a folder that holds footage")
    try:
        container = av.open(str(path), hwaccel=accel)
    except FileNotFoundError:
        raise InputError(f"{path.name}: no such file", f"look for it: {path}") from None
    except av.error.FFmpegError as error:
        container = _open_inside(path, accel)
        if container is None:
            raise _unreadable(path, error.strerror.lower()) from None
    except OSError as error:
        raise InputError(f"{path.name}: {(error.strerror or str(error)).lower()}", f"check {path}") from None
    if not container.streams.video:
        container.close()
        raise InputError(f"{path.name}: holds no video", "give a file with a video stream")
    return container


def _open_inside(path: Path, accel: Any) -> Any:
    """The plain stream inside a file that is opaque as a whole; None where there is none."""
    for kind, begin in streams_inside(path):
        try:
            container = av.open(
                str(path), format=kind, hwaccel=accel, container_options={"skip_initial_bytes": str(begin)}
            )
        except av.error.FFmpegError:
            continue
        if container.streams.video and container.streams.video[0].codec_context.width:
            return container
        container.close()
    return None


def _unreadable(path: Path, reason: str) -> InputError:
    """What is said of a file that nothing can open."""
    known = format_of(path)
    line = f"{path.name}: no known video format{_start_of(path)}"
    if known is None:
        return InputError(f"{line} ({reason})", "export it as MP4 in the recorder's player")
    return InputError(f"{line}: {known.what}", known.advice)


class Packets:
    """Packets that hold data; ``errors`` counts the places that could not be read."""

    def __init__(self, container: Any, stream: Any) -> None:
        self.errors = 0
        self._container = container
        self._stream = stream

    def __iter__(self) -> Iterator[Any]:
        stuck = 0
        places = _places(self._container, self._stream)
        packets = self._container.demux(self._stream)
        while stuck < STUCK:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.error.FFmpegError, IndexError):  # IndexError: damage looks like one more stream to PyAV
                self.errors += 1
                stuck += 1
                packets = self._container.demux(self._stream)
                continue
            stuck = 0
            if packet.size:
                _mend(packet, places)
                yield packet


def _places(container: Any, stream: Any) -> dict[int, int]:
    """Times of an AVI's frames by the places of their bytes, as its index has them; empty for other containers.

    An AVI's packets hold no times: FFmpeg counts them, and where some are lost it counts on as if they were not.
    """
    if container.format.name != "avi":
        return {}
    return {entry.pos + AVI_CHUNK_HEADER: entry.timestamp for entry in stream.index_entries}


def _mend(packet: Any, places: Mapping[int, int]) -> None:
    """Move a packet's times to where the index has them."""
    true = places.get(packet.pos)
    if true is not None and packet.dts is not None:
        late = true - packet.dts
        packet.dts = true
        packet.pts = None if packet.pts is None else packet.pts + late


def time_of(packet: Any) -> int | None:
    """A packet's presentation time, or its decoding time where it has none, in ticks."""
    time = packet.pts if packet.pts is not None else packet.dts
    return None if time is None else int(time)


def decode(stream: Any, packets: Iterable[Any]) -> Iterator[Any]:
    """Decoded pictures in order of display, the decoder's rest included."""
    # One thread: with more, what is made of a damaged frame depends on chance and on the machine.
    stream.thread_type, stream.thread_count = "NONE", 1
    for packet in itertools.chain(packets, [None]):
        try:
            yield from stream.codec_context.decode(packet)
        except av.error.FFmpegError:
            continue


def sparing(stream: Any, packets: Iterable[Any], needed: Container[int]) -> Iterator[Any]:
    """The same packets for `decode`, which passes over pictures that neither anybody needs, by their ``pts``, nor any
    other picture. Those that are decoded are the same; of damaged groups, what is made up may differ."""
    context = stream.codec_context
    spares = _marks_needless(context)
    for packet in packets:
        if spares:
            context.skip_frame = "DEFAULT" if packet.pts in needed else "NONREF"
        yield packet


def _marks_needless(context: Any) -> bool:
    """Whether pictures that no other needs are marked as such.

    In HEVC the mark is within one temporal layer, so there may be but one (ISO/IEC 14496-15, 8.3.3.1: bits 3 to 5 of
    byte 21 of its configuration).
    """
    if context.name == "hevc":
        record = context.extradata or b""
        return len(record) > 21 and record[0] == 1 and record[21] >> 3 & 7 == 1
    return bool(context.name == "h264")


def _start_of(path: Path) -> str:
    """How a file starts, where that is readable: `` (starts with DHAV)``."""
    head = head_of(path, 4)
    if not head:
        return " (empty file)"
    return f" (starts with {head.decode('ascii')})" if head.isalnum() else ""
