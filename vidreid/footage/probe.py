"""What is in a footage file: its frames' true times, without decoding a picture.

The header's claims of length and rate are read, compared and otherwise ignored: every packet is counted.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vidreid.digests import file_sha256
from vidreid.errors import InputError
from vidreid.footage.packets import REORDER, Packets, decode, open_video, time_of
from vidreid.footage.shape import pixel_aspect, true_size, turned
from vidreid.types import Array, VideoFile


def probe(path: Path, first: int = 0, digest: str = "") -> VideoFile:
    """Read all packets of a file's video stream; ``first`` is the frame index of its first frame, ``digest`` the
    SHA-256 of its bytes where that is known.

    Raises `InputError` where there is no frame at all.
    """
    digest = digest or (file_sha256(path) if path.is_file() else "")
    with open_video(path) as container:
        stream = container.streams.video[0]
        packets = _read_packets(container, stream)
        if not len(packets.times):
            raise InputError(f"{path.name}: holds no picture at all", "nothing to analyse in this file")
        order, stretches = _in_order_of_time(packets)
        rotation, interlaced = _first_picture(path)
        aspect = pixel_aspect(stream)
        stored = true_size(stream.codec_context.width, stream.codec_context.height, aspect)
        width, height = turned(rotation, *stored)
        return VideoFile(
            sha256=digest,
            bytes=path.stat().st_size,
            codec=stream.codec_context.name,
            width=width,
            height=height,
            rotation=rotation,
            pixel_aspect=aspect,
            time_base=Fraction(stream.time_base),
            pts=packets.times[order],
            key=np.flatnonzero(packets.key[order]),
            stretches=stretches,
            first=first,
            timing=packets.timing,
            reordering=int(stream.codec_context.has_b_frames) + 1,  # the header may know of one too few
            notes=tuple(_notes(stream, packets, container.duration)),
            interlaced=interlaced,
        )


@dataclass(frozen=True)
class _Found:
    """What a file's packets say, in order of storage; ``errors`` places unreadable, ``strays`` damaged times."""

    times: Array
    key: Array
    errors: int
    strays: int
    timing: Literal["presentation", "storage", "counted"]


def _read_packets(container: Any, stream: Any) -> _Found:
    """All packets in order of storage; demuxing goes on after an error as long as the reader moves."""
    packets = Packets(container, stream)
    given: list[int | None] = []
    keys: list[bool] = []
    for packet in packets:
        given.append(time_of(packet))
        keys.append(packet.is_keyframe)
    key = np.array(keys, bool)
    if sum(time is None for time in given) * 2 >= len(given):
        times = np.arange(len(given), dtype=np.int64) * ticks_a_frame(stream)
        return _Found(times, key, packets.errors, 0, "counted")
    times = np.array([time for time in given if time is not None], np.int64)
    key = key[[time is not None for time in given]]
    stray = _strays(times, round(1 / stream.time_base))
    times[stray] = times[np.flatnonzero(stray) - 1] + 1  # so that a frame which cannot be placed keeps its number
    # Rising packet times beside reordered pictures only count packets as stored (AVI, raw streams).
    stored = bool(stream.codec_context.has_b_frames) and bool(np.all(np.diff(times) > 0))
    return _Found(times, key, packets.errors, int(stray.sum()), "storage" if stored else "presentation")


def _strays(times: Array, second: int) -> Array:
    """Damaged times (n,) bool: more than a second from both neighbours, which are near to each other, and out of
    the reach of reordering: beyond all of the packets that it could overtake."""
    stray = np.zeros(len(times), bool)
    before, here, after = times[:-2], times[1:-1], times[2:]
    alone = (abs(here - before) > second) & (abs(here - after) > second) & (abs(after - before) <= second)
    for i in (np.flatnonzero(alone) + 1).tolist():
        late = times[i] > times[i - 1]
        overtaken = times[i + 1 : i + 2 + REORDER] if late else times[max(0, i - 1 - REORDER) : i]
        beyond = times[i] > overtaken.max() if late else times[i] < overtaken.min()
        stray[i] = beyond and len(overtaken) == REORDER + 1
    return stray


def ticks_a_frame(stream: Any) -> int:
    """Ticks of the stream's time base from frame to frame at its claimed rate, 25 a second if it claims none."""
    rate = stream.average_rate or stream.guessed_rate or 25
    return max(1, round(1 / (Fraction(rate) * Fraction(stream.time_base))))


def _in_order_of_time(packets: _Found) -> tuple[Array, Array]:
    """Positions of packets in order of time within each stretch, and where stretches begin.

    A key frame earlier than the key frame before it is a backward jump; one picture in two packets counts once.
    """
    keys = np.flatnonzero(packets.key)
    jumps = keys[1:][np.diff(packets.times[keys]) < 0] if len(keys) else keys
    bounds = [0, *jumps.tolist(), len(packets.times)]
    order: list[Array] = []
    stretches: list[int] = []
    count = 0
    for start, stop in itertools.pairwise(bounds):
        _, unique = np.unique(packets.times[start:stop], return_index=True)
        order.append(unique + start)
        stretches.append(count)
        count += len(unique)
    return np.concatenate(order), np.array(stretches, np.int64)


def _first_picture(path: Path) -> tuple[int, bool]:
    """Degrees counter-clockwise by which pictures must be turned to be upright, 0, 90, 180 or 270; and whether they are
    interlaced."""
    with open_video(path) as container:
        stream = container.streams.video[0]
        picture = next(decode(stream, Packets(container, stream)), None)
        if picture is None:
            return 0, False
        return int(round(picture.rotation / 90) * 90) % 360, bool(picture.interlaced_frame)


def _notes(stream: Any, packets: _Found, duration: int | None) -> list[str]:
    """What of the header or the packets does not limit the analysis but should be known."""
    notes = []
    count = len(packets.times)
    if stream.frames and abs(stream.frames - count) > max(2, count // 100):
        notes.append(f"its header claims {stream.frames} frames, it holds {count}")
    if packets.timing == "counted":
        notes.append("holds no times: they are counted at the rate that its header claims")
    if packets.errors:
        notes.append(f"{packets.errors} places could not be read")
    if packets.strays:
        notes.append(f"{packets.strays} frames have damaged times and are left out")
    span = float((packets.times.max() - packets.times.min()) * stream.time_base)
    if duration and duration / 1e6 > 1.1 * span + 2:
        notes.append(f"its header claims {duration / 1e6:.0f} s, it holds {span:.0f} s")
    return notes
