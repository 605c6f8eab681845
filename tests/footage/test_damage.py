"""A damaged file is read to its end: after the hole every frame is itself again, and what is lost is named."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
import pytest
from films import BS, KEY_EVERY, MILLI, Film, decode, whole

from vidreid.footage.decode import SegmentDecoder
from vidreid.footage.packets import Packets, time_of
from vidreid.footage.probe import probe
from vidreid.footage.segments import cut

COUNT = 120
TICKS = tuple(range(0, COUNT * 40, 40))

FILMS = {
    "mp4": Film("long.mp4", frames=COUNT),
    "mp4 with B-frames": Film("long_b.mp4", frames=COUNT, options=BS),
    "mkv": Film("long.mkv", frames=COUNT, options=BS, pts=TICKS, base=MILLI),
    "ts": Film("long.ts", frames=COUNT),
    "ts with B-frames": Film("long_b.ts", frames=COUNT, options=BS),
    "avi": Film("long.avi", frames=COUNT),
    "avi with B-frames": Film("long_b.avi", frames=COUNT, options=BS),
}


class Stored(NamedTuple):
    """A packet: its place in the file, its time in frames from the start, its bytes."""

    at: int
    size: int
    frame: int
    key: bool
    data: bytes


def stored(path: Path) -> list[Stored]:
    with av.open(str(path)) as container:
        packets = list(Packets(container, container.streams.video[0]))
    start = time_of(packets[0])
    return [
        Stored(p.pos, p.size, round((time_of(p) - start) * p.time_base * 25), p.is_keyframe, bytes(p)) for p in packets
    ]


def lost_frames(decoder: SegmentDecoder) -> list[int]:
    return [index for lost in decoder.damage for index in range(lost.first, lost.stop)]


@pytest.mark.parametrize("kind", ["mp4", "mp4 with B-frames", "mkv", "avi with B-frames"])
@pytest.mark.parametrize("seconds", [1e9, 0.9])
def test_what_is_lost_is_named_frame_by_frame(made, tmp_path, kind, seconds):
    """The payload of four frames is wiped: those and no others are lost, and all whole groups are untouched."""
    path, file = made(FILMS[kind])
    expected = decode(path, file, whole(file))
    data = bytearray(path.read_bytes())
    hit = [packet for packet in stored(path) if not packet.key][40:44]
    for packet in hit:
        at = data.index(packet.data)  # within what the container adds around it
        data[at + 4 : at + packet.size] = bytes(packet.size - 4)
    broken = tmp_path / path.name
    broken.write_bytes(data)
    found = probe(broken)
    assert found.pts.tolist() == file.pts.tolist()

    pictures, lost = {}, []
    for segment in cut("c", [found], seconds=seconds, overlap=0.1):
        decoder = SegmentDecoder(broken, found, segment)
        frames = {frame.index: frame.image for frame in decoder.frames()}
        pictures |= {i: image for i, image in frames.items() if segment.own_first <= i < segment.own_stop}
        lost += lost_frames(decoder)
    assert len(lost) == len(hit)
    assert sorted([*pictures, *lost]) == list(range(COUNT))
    if file.timing == "presentation":
        assert lost == sorted(packet.frame for packet in hit)
    group = range(36, 60)  # the groups that hold the wiped frames
    assert set(lost) <= set(group)
    assert all((pictures[index] == expected[index]).all() for index in range(COUNT) if index not in group)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["mp4 with B-frames", "mkv", "ts", "ts with B-frames", "avi", "avi with B-frames"])
def test_after_any_damage_groups_that_are_whole_decode_as_before(made, tmp_path, kind, seed):
    """Bits flipped, or a stretch of bytes wiped, anywhere between the header and the end."""
    path, file = made(FILMS[kind])
    expected = decode(path, file, whole(file))
    broken = tmp_path / path.name
    broken.write_bytes(damaged(path.read_bytes(), seed))
    found = probe(broken)
    segments = whole(found)
    decoders = [SegmentDecoder(broken, found, segment) for segment in segments]
    frames = [frame for decoder in decoders for frame in decoder.frames()]
    indices = [frame.index for frame in frames]
    lost = [index for decoder in decoders for index in lost_frames(decoder)]
    assert sorted([*indices, *lost]) == list(range(len(found.pts)))
    assert len(frames) >= naive_count(broken) - len([note for note in found.notes if "damaged times" in note])

    step = Fraction(1, 25) / file.time_base
    shown = {round((frame.pts - int(file.pts[0])) / step): frame.image for frame in frames}
    for frame in untouched(path, broken):
        assert (shown[frame] == expected[frame]).all()


def damaged(data: bytes, seed: int) -> bytes:
    """Odd seeds flip twelve bits, even ones wipe 600 bytes; header and trailer stay."""
    random_ = random.Random(seed)
    changed = bytearray(data)
    first, last = len(data) // 5, len(data) * 2 // 3
    if seed % 2:
        for _ in range(12):
            changed[random_.randrange(first, last)] ^= 1 << random_.randrange(8)
    else:
        at = random_.randrange(first, last - 600)
        changed[at : at + 600] = bytes(600)
    return bytes(changed)


def untouched(path: Path, broken: Path) -> list[int]:
    """Frames of the groups all of whose packets came through unharmed."""
    after = {(packet.frame, packet.data) for packet in stored(broken)}
    hurt = {packet.frame // KEY_EVERY for packet in stored(path) if (packet.frame, packet.data) not in after}
    return [frame for frame in range(COUNT) if frame // KEY_EVERY not in hurt]


def naive_count(path: Path) -> int:
    """Frames that OpenCV's usual loop gets before it gives up."""
    video = cv2.VideoCapture(str(path))
    count = 0
    while video.read()[0]:
        count += 1
    video.release()
    return count


@pytest.mark.parametrize("kind", ["mp4 with B-frames", "ts with B-frames"])
def test_a_damaged_file_decodes_the_same_every_time(made, tmp_path, kind):
    path, _ = made(FILMS[kind])
    broken = tmp_path / path.name
    broken.write_bytes(damaged(path.read_bytes(), 3))
    file = probe(broken)
    first, second = (decode(broken, file, whole(file)) for _ in range(2))
    assert first.keys() == second.keys()
    assert all((first[index] == second[index]).all() for index in first)


def test_a_file_cut_in_the_middle_gives_what_it_holds(made, tmp_path):
    """Containers without an index at the end."""
    for kind in ("mkv", "ts with B-frames", "avi with B-frames"):
        path, file = made(FILMS[kind])
        data = path.read_bytes()
        half = tmp_path / path.name
        half.write_bytes(data[: len(data) // 2])
        found = probe(half)
        pictures = decode(half, found, whole(found))
        expected = decode(path, file, whole(file))
        assert COUNT // 5 < len(found.pts) < COUNT
        sure = range(len(found.pts) // KEY_EVERY * KEY_EVERY - KEY_EVERY)
        assert all((pictures[index] == expected[index]).all() for index in sure)


def test_orientation_does_not_hang_on_the_first_frame(made, tmp_path):
    """The first picture cannot be decoded; the others are upright all the same."""
    film = Film("turned_long.mp4", turned=90)
    path, file = made(film)
    first = stored(path)[0]
    data = bytearray(path.read_bytes())
    data[first.at : first.at + first.size] = np.random.default_rng(0).bytes(first.size)
    broken = tmp_path / path.name
    broken.write_bytes(data)
    assert probe(broken).rotation == file.rotation == 90
