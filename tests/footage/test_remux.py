"""Pieces cut out of files without decoding them: the original's packets, byte by byte, that play by themselves."""

from pathlib import Path

import av
import numpy as np
import pytest
from films import FILMS, Film, number_of
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.errors import InputError
from vidreid.footage.decode import SegmentDecoder
from vidreid.footage.packets import Packets, decode, open_video
from vidreid.footage.probe import probe
from vidreid.footage.remux import container_for, key_before, remux
from vidreid.types import Segment, VideoFile

LONG = {name: film for name, film in FILMS.items() if film.frames > 1 and "interlaced" not in name}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, VideoFile]]:
    folder = tmp_path_factory.mktemp("films")
    paths = {name: film.write(folder) for name, film in FILMS.items()}
    return {name: (path, probe(path)) for name, path in paths.items()}


def cut(path: Path, file: VideoFile, seen: int, stop: int, folder: Path) -> tuple[int, Path]:
    """The position at which a clip of frames ``[seen, stop)`` begins, and the clip."""
    first = key_before(file, seen)
    piece = folder / f"piece{container_for(path)[1]}"
    with piece.open("wb") as output:
        remux(path, file, first, stop, output)
    return first, piece


def packets(path: Path) -> list[bytes]:
    """In order of storage."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.video[0]) if packet.size]


def pictures(path: Path) -> list[av.VideoFrame]:
    """As a player shows them, who passes over what cannot be decoded."""
    with open_video(path) as container:
        stream = container.streams.video[0]
        return list(decode(stream, Packets(container, stream)))


def originals(path: Path, file: VideoFile, first: int, stop: int) -> dict[int, np.ndarray]:
    frames = SegmentDecoder(path, file, Segment("c", 0, 0, first, stop, first, stop)).frames()
    return {frame.index: frame.image for frame in frames}


def is_part(part: list[bytes], whole: list[bytes]) -> bool:
    """Whether ``part`` lies in ``whole`` in one piece, but for pictures left out after its key frame."""
    return any(
        whole[begin] == part[0] and whole[begin + skipped + 1 : begin + skipped + len(part)] == part[1:]
        for begin in range(len(whole))
        for skipped in range(4)
    )


@pytest.mark.parametrize("name", FILMS)
def test_packets_are_those_of_the_original_byte_by_byte(films, tmp_path: Path, name: str) -> None:
    path, file = films[name]
    _, piece = cut(path, file, min(30, len(file.pts) - 1), min(41, len(file.pts)), tmp_path)
    assert is_part(packets(piece), packets(path))


@pytest.mark.parametrize("name", LONG)
def test_all_frames_are_in_it_from_the_key_frame_on(films, tmp_path: Path, name: str) -> None:
    path, file = films[name]
    first, piece = cut(path, file, 30, 41, tmp_path)
    # Where times are those of storage, pictures after the key frame may be shown before it.
    wanted = originals(path, file, first if file.timing == "presentation" else 30, 41)
    assert first <= 30
    found = pictures(piece)
    turned = {0: lambda image: image, 90: np.rot90, 180: lambda i: np.rot90(i, 2), 270: lambda i: np.rot90(i, 3)}
    shown = [number_of(turned[round(one.rotation) % 360](one.to_ndarray(format="rgb24"))) for one in found]
    numbers = [number_of(image) for _, image in sorted(wanted.items())]
    assert [number for number in shown if number in numbers] == numbers
    assert len(shown) - (41 - first) <= 16


@pytest.mark.parametrize("name", [name for name, film in LONG.items() if film.name.endswith((".mp4", ".mkv", ".ts"))])
def test_times_go_on_as_in_the_original(films, tmp_path: Path, name: str) -> None:
    path, file = films[name]
    first, piece = cut(path, file, 30, 41, tmp_path)
    again = probe(piece)
    found = [again.seconds(position) for position in range(41 - first)]
    wanted = [file.seconds(position) - file.seconds(first) for position in range(first, 41)]
    assert np.diff(found) == pytest.approx(np.diff(wanted), abs=1e-3)
    assert found[0] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("name", ["mp4 with open groups", "ts with B-frames", "mkv of variable rate"])
def test_the_same_piece_twice_is_the_same_bytes(films, tmp_path: Path, name: str) -> None:
    path, file = films[name]
    (tmp_path / "again").mkdir()
    (_, one), (_, other) = cut(path, file, 20, 33, tmp_path), cut(path, file, 20, 33, tmp_path / "again")
    assert one.read_bytes() == other.read_bytes()


def test_the_original_stays_as_it_is(films, tmp_path: Path) -> None:
    path, file = films["plain mp4"]
    cut(path, file, 20, 33, tmp_path)
    assert probe(path).sha256 == file.sha256


@settings(max_examples=25)
@given(seen=st.integers(0, 59), length=st.integers(1, 60))
def test_any_piece_holds_what_it_should(films, tmp_path_factory, seen: int, length: int) -> None:
    path, file = films["mp4 with open groups"]
    stop = min(len(file.pts), seen + length)
    first, piece = cut(path, file, seen, stop, tmp_path_factory.mktemp("piece"))
    assert is_part(packets(piece), packets(path))
    shown = [number_of(one.to_ndarray(format="rgb24")) for one in pictures(piece)]
    assert set(range(first, stop)) <= set(shown)


@pytest.mark.parametrize("name", ["b.mp4", "b.ts", "b.mkv"])
def test_damaged_packets_are_cut_as_they_are(tmp_path: Path, name: str) -> None:
    path = Film(name, frames=120, options={"bf": "2"}).write(tmp_path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(range(200)) * 2
    path.write_bytes(data)
    file = probe(path)
    _, piece = cut(path, file, 20, 110, tmp_path)
    assert set(packets(piece)) <= set(packets(path))
    assert len(packets(piece)) > 80
    assert len(pictures(piece)) > 60


def test_a_damaged_time_does_not_stop_it(tmp_path: Path) -> None:
    path = Film("stray.ts", stray={30: 90_000 * 3600}).write(tmp_path)
    file = probe(path)
    _, piece = cut(path, file, 15, 55, tmp_path)
    with av.open(str(piece)) as container:
        times = [packet.dts for packet in container.demux(container.streams.video[0]) if packet.size]
    assert times == sorted(times)
    assert len(times) >= 40
    assert (times[-1] - times[0]) / 90_000 < 3


def test_after_a_jump_back_in_time_it_is_cut_where_it_lies(tmp_path: Path) -> None:
    times = tuple([40 * k for k in range(36)] + [40 * k for k in range(24)])
    path = tmp_path / "back.ts"
    one, other = Film("one.ts", frames=36).write(tmp_path), Film("two.ts", frames=24).write(tmp_path)
    path.write_bytes(one.read_bytes() + other.read_bytes())
    file = probe(path)
    assert len(file.pts) == len(times)
    assert file.stretches.tolist() == [0, 36]
    first, piece = cut(path, file, 50, 55, tmp_path)
    assert first == 48
    assert is_part(packets(piece), packets(other))


def test_a_container_that_is_only_read_becomes_a_transport_stream(tmp_path: Path) -> None:
    path = Film("plain.mpg", container="vob", codec="mpeg2video").write(tmp_path)
    file = probe(path)
    assert container_for(path) == ("mpegts", ".ts")
    _, piece = cut(path, file, 30, 41, tmp_path)
    assert is_part(packets(piece), packets(path))


def test_missing_footage_is_named(films, tmp_path: Path) -> None:
    _, file = films["plain mp4"]
    with pytest.raises(InputError, match=r"gone\.mp4: no such file"):
        cut(tmp_path / "gone.mp4", file, 0, 5, tmp_path)
