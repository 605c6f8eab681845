"""Cuts a piece out of a file without decoding it: the packets stay as they are, byte for byte."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np

from vidreid.errors import InputError
from vidreid.footage.decode import packets_from
from vidreid.footage.packets import REORDER, open_video
from vidreid.footage.probe import ticks_a_frame
from vidreid.types import VideoFile

# Other containers (of FFmpeg's names) than its own would have a stream's packets rewritten.
SAME = {
    "mov,mp4,m4a,3gp,3g2,mj2": ("mp4", ".mp4"),
    "matroska,webm": ("matroska", ".mkv"),
    **{name: (name, f".{name}") for name in ("avi", "asf", "flv", "h264", "hevc")},
}
TRANSPORT = ("mpegts", ".ts")  # takes packets as program streams and recorders' own containers hold them


def container_for(path: Path) -> tuple[str, str]:
    """The container that a piece of a file is written to, as FFmpeg names it, and its suffix."""
    with open_video(path) as container:
        name = container.format.name
    return ("mov", ".mov") if name in SAME and path.suffix.lower() == ".mov" else SAME.get(name, TRANSPORT)


def key_before(file: VideoFile, position: int) -> int:
    """Position of the key frame from which a frame of a file can be decoded; the start of its stretch without one."""
    start = int(file.stretches[np.searchsorted(file.stretches, position, side="right") - 1])
    # In order of storage a key frame may be shown after frames at later positions.
    early = 0 if file.timing == "presentation" or file.reordering == 1 else REORDER
    keys = file.key[(file.key >= start) & (file.key <= position - early)]
    return int(keys[-1]) if len(keys) else start


def remux(path: Path, file: VideoFile, first: int, stop: int, output: BinaryIO) -> None:
    """Write the frames at positions ``[first, stop)``, of one stretch, as they are stored; ``first`` is a key frame.

    Only the times are written anew: the first frame is shown at 0. Pictures shown later may follow, where frames
    within need them. `InputError` where the container cannot hold the stream.
    """
    stretch = int(np.searchsorted(file.stretches, first, side="right")) - 1
    kind, _ = container_for(path)
    try:
        with (
            packets_from(path, file, first, stretch) as (stream, packets),
            # Its own identifiers would be random ones.
            av.open(output, "w", format=kind, options={"fflags": "+bitexact"}) as piece,
        ):
            target = piece.add_stream_from_template(stream)
            target.time_base = stream.time_base
            for packet in _piece(packets, stream, file, first, stop):
                packet.stream = target
                piece.mux(packet)
    except (av.error.FFmpegError, ValueError) as error:
        if isinstance(error, OSError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path.name}: cannot be cut as it is ({reason})", "--format video draws it anew") from None


def _piece(packets: Iterable[Any], stream: Any, file: VideoFile, first: int, stop: int) -> Iterator[Any]:
    """The packets of frames ``[first, stop)`` with their new times, in order of storage."""
    if file.timing == "counted":
        wanted = _up_to(packets, stop - 1 + file.reordering)
        return _at_rate(wanted, ticks_a_frame(stream))
    late = 0 if file.timing == "presentation" else file.reordering
    start, last = int(file.pts[first]), int(file.pts[min(stop - 1 + late, len(file.pts) - 1)])
    if file.timing == "presentation":
        packets = _from_key(packets, start)
    near = frozenset(file.pts[first : stop + late + REORDER].tolist())
    return _from_zero(_up_to(packets, last), start, near)


def _from_key(packets: Iterable[Any], start: int) -> Iterator[Any]:
    """Packets but for the pictures that are stored after the first key frame and shown before it, which need others."""
    leading = True
    for number, packet in enumerate(packets):
        leading = leading and (number == 0 or packet.pts < start)
        if number == 0 or not leading:
            yield packet


def _up_to(packets: Iterable[Any], last: int) -> Iterator[Any]:
    """Packets in order of storage, to the last one that is shown at ``last`` or before."""
    ahead: list[Any] = []
    for packet in packets:
        ahead.append(packet)
        if packet.pts <= last:
            yield from ahead
            ahead.clear()
        elif len(ahead) > REORDER:
            return


def _at_rate(packets: Iterable[Any], step: int) -> Iterator[Any]:
    """Packets that have no times, ``step`` ticks apart."""
    for number, packet in enumerate(packets):
        packet.pts = packet.dts = number * step
        yield packet


def _from_zero(packets: Iterable[Any], start: int, known: Collection[int]) -> Iterator[Any]:
    """Packets with times from 0 on; times of decoding rise, as containers want it, where damage or lack leaves none.

    A time of presentation that is not ``known`` is damaged.
    """
    last: int | None = None
    for packet in packets:
        sound = packet.pts in known and packet.dts is not None and packet.dts <= packet.pts
        least = packet.pts - start - REORDER if last is None else last + 1
        last = max(packet.dts - start, least) if sound else least
        packet.pts = max(packet.pts - start, last) if packet.pts in known else last
        packet.dts = last
        yield packet
