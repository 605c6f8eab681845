"""Whatever the container: every frame once, by its own number and time, upright, in true proportions."""

import itertools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from films import FILMS, Film, decode, is_upright, number_of, whole

from vidreid.footage.decode import SegmentDecoder
from vidreid.footage.probe import probe
from vidreid.footage.segments import cut
from vidreid.types import Segment


def test_every_frame_comes_once_with_its_number_and_time(made, film):
    path, file = made(film)
    [segment] = whole(file)
    frames = list(SegmentDecoder(path, file, segment).frames())
    assert [frame.index for frame in frames] == list(range(film.frames))
    assert [number_of(frame.image) for frame in frames] == list(range(film.frames))
    assert [frame.time - frames[0].time for frame in frames] == pytest.approx([float(t) for t in film.times()])
    assert all(frame.pts == file.pts[frame.index] for frame in frames)


def test_pictures_are_upright_in_true_proportions(made, film):
    path, file = made(film)
    pictures = decode(path, file, whole(file))
    aspect = film.pixel_aspect or 1
    width, height = film.size[0] * max(aspect, 1), film.size[1] / min(aspect, 1)  # stretched, never shrunk
    expected = (width, height) if film.turned % 180 else (height, width)
    for image in pictures.values():
        assert is_upright(image)
        assert image.dtype == np.uint8
        assert image.shape[:2] == tuple(round(side) for side in expected)


@pytest.mark.parametrize("width", [7, 16, 64, 500])
def test_brightness_is_the_mean_of_squares_of_the_stored_picture(made, film, width):
    path, file = made(film)
    [segment] = whole(file)
    first = next(SegmentDecoder(path, file, segment).frames())
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0))
    planar = picture.format.name.startswith("yuv")
    stored = (picture.to_ndarray()[: picture.height] if planar else picture.to_ndarray(format="gray")).astype(float)
    found = first.picture.luma(width)
    side = -(-stored.shape[1] // width)
    assert found.shape == tuple(length // side for length in stored.shape)
    assert found.shape[1] <= width
    for row, column in np.ndindex(found.shape):
        square = stored[row * side : (row + 1) * side, column * side : (column + 1) * side]
        assert found[row, column] == pytest.approx(square.mean(), abs=1)


def test_a_picture_is_made_once_and_its_size_known_before(made):
    path, file = made(FILMS["mp4 with B-frames"])
    [segment] = whole(file)
    frame = next(SegmentDecoder(path, file, segment).frames())
    assert frame.size == frame.image.shape[:2] == frame.size
    assert frame.image is frame.image


@pytest.mark.parametrize("seconds", [0.2, 0.7, 1.3])
def test_segment_by_segment_shows_the_same_as_the_whole(made, film, seconds):
    path, file = made(film)
    expected = decode(path, file, whole(file))
    segments = cut("c", [file], seconds=seconds, overlap=0.2)
    assert len(segments) > 1 or film.frames == 1
    seen = []
    for segment in segments:
        decoder = SegmentDecoder(path, file, segment)
        frames = list(decoder.frames())
        assert [frame.index for frame in frames] == list(range(segment.first, segment.stop))
        assert all((frame.image == expected[frame.index]).all() for frame in frames)
        assert decoder.damage == []
        seen += [frame.index for frame in frames if segment.own_first <= frame.index < segment.own_stop]
    assert seen == list(range(film.frames))


def test_files_of_a_camera_count_on(made):
    first, second = FILMS["ts"], FILMS["avi with B-frames"]
    path, earlier = made(first)
    path, file = made(second)[0], replace(made(second)[1], first=len(earlier.pts))
    segments = [s for s in cut("c", [earlier, file], seconds=0.5, overlap=0.2) if s.file == 1]
    pictures = decode(path, file, segments)
    assert {index: number_of(image) for index, image in pictures.items()} == {60 + n: n for n in range(60)}


def test_time_that_jumps_back_begins_anew(made, tmp_path):
    """Two recordings in one transport stream: the same times stand for other pictures."""
    path = joined(tmp_path / "twice.ts", made(FILMS["ts with B-frames"])[0], made(FILMS["ts"])[0])
    file = probe(path)
    assert file.stretches.tolist() == [0, 60]
    numbers = [n % 60 for n in range(120)]
    for seconds in (0.5, 1e9):
        pictures = decode(path, file, cut("c", [file], seconds=seconds, overlap=0.2))
        assert [number_of(pictures[index]) for index in range(120)] == numbers


def test_a_stream_cut_within_a_group_starts_at_its_first_key_frame(made, tmp_path):
    """What cannot be decoded without the lost key frame is named as lost; the rest keeps its numbers."""
    whole_file = made(FILMS["ts"])[0].read_bytes()
    packets = [whole_file[at : at + 188] for at in range(0, len(whole_file), 188)]
    starts = [i for i, packet in enumerate(packets) if packet[1] & 0x40 and (packet[1] & 0x1F, packet[2]) == (1, 0)]
    path = tmp_path / "cut.ts"
    path.write_bytes(b"".join(packets[:3] + packets[starts[5] :]))
    file = probe(path)
    [segment] = whole(file)
    decoder = SegmentDecoder(path, file, segment)
    numbers = {frame.index: number_of(frame.image) for frame in decoder.frames()}
    assert numbers == {index: index + 5 for index in range(7, 55)}
    assert [(lost.first, lost.stop) for lost in decoder.damage] == [(0, 7)]


def test_a_size_that_changes_within_the_file_is_brought_to_that_of_its_start(made, tmp_path):
    small = Film("small.h264", size=(32, 24))
    path = joined(tmp_path / "sizes.h264", made(FILMS["raw stream"])[0], made(small)[0])
    file = probe(path)
    pictures = decode(path, file, whole(file))
    assert {image.shape for image in pictures.values()} == {(48, 64, 3)}
    assert [number_of(pictures[index]) for index in range(120)] == [n % 60 for n in range(120)]


@pytest.mark.parametrize("kind", ["avi", "avi with B-frames", "mkv of variable rate"])
def test_a_missing_index_costs_time_not_frames(made, tmp_path, kind):
    """Where a seek does not find the key frame, decoding starts from the beginning of the file."""
    path, whole_file = made(FILMS[kind])
    data = path.read_bytes()
    broken = tmp_path / path.name
    broken.write_bytes(data.replace(b"idx1", b"JUNK").replace(b"\x1c\x53\xbb\x6b", b"\x1c\x53\xbb\x60"))
    assert broken.read_bytes() != data
    file = probe(broken)
    assert file.pts.tolist() == whole_file.pts.tolist()
    pictures = decode(broken, file, cut("c", [file], seconds=0.5, overlap=0.2))
    assert {index: number_of(image) for index, image in pictures.items()} == {n: n for n in range(60)}


def test_a_frame_whose_time_is_damaged_is_lost_alone(made):
    """Its time lies hours ahead; neither the numbers nor the times of the others change."""
    for number in (30, 36):  # 36 is a key frame
        path, file = made(Film(f"stray{number}.ts", stray={number: 90_000 * 3600}))
        assert file.stretches.tolist() == [0]
        [segment] = whole(file)
        decoder = SegmentDecoder(path, file, segment)
        seen = {frame.index: number_of(frame.image) for frame in decoder.frames()}
        assert seen == {n: n for n in range(60) if n != number}
        assert [(lost.first, lost.stop) for lost in decoder.damage] == [(number, number + 1)]


def test_a_reader_may_leave_early(made):
    path, file = made(FILMS["mp4 with B-frames"])
    [segment] = whole(file)
    few = list(itertools.islice(SegmentDecoder(path, file, segment).frames(), 3))
    assert [frame.index for frame in few] == [0, 1, 2]


def test_ffmpeg_never_speaks(made, tmp_path):
    """Its words about damaged packets reach neither stream of the program."""
    path, file = made(FILMS["ts with B-frames"])
    data = bytearray(path.read_bytes())
    for at in range(2000, len(data), 700):
        data[at] ^= 0xFF
    broken = tmp_path / "broken.ts"
    broken.write_bytes(data)
    code = (
        "import sys; from pathlib import Path; from vidreid.footage.probe import probe;"
        "from vidreid.footage.decode import SegmentDecoder; from vidreid.footage.segments import cut;"
        "path = Path(sys.argv[1]); file = probe(path);"
        "print(sum(1 for s in cut('c', [file], seconds=9, overlap=1) for _ in SegmentDecoder(path, file, s).frames()))"
    )
    said = subprocess.run([sys.executable, "-c", code, broken], capture_output=True, text=True, check=True)
    assert said.stderr == ""
    assert 0 < int(said.stdout) <= file.pts.size


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "rotation"),
    [
        ("avi_named_mp4.mp4", 0),
        ("header_says_twice_the_frames.avi", 0),
        ("nobody_black.mkv", 0),
        ("rotated_90_metadata.mp4", 270),
        ("variable_rate.mp4", 0),
    ],
)
def test_awkward_files_decode_whole_and_in_segments(shared, name, rotation):
    path = shared / "data" / "footage" / "awkward" / name
    file = probe(path)
    assert file.rotation == rotation
    stop = min(len(file.pts), 60)
    expected = {f.index: f.image for f in SegmentDecoder(path, file, Segment("c", 0, 0, 0, stop, 0, stop)).frames()}
    assert sorted(expected) == list(range(stop))
    assert {image.shape for image in expected.values()} == {(file.height, file.width, 3)}
    segments = [s for s in cut("c", [file], seconds=1, overlap=0.5) if s.stop <= stop]
    for segment in segments[1:4]:
        for frame in SegmentDecoder(path, file, segment).frames():
            assert (frame.image == expected[frame.index]).all()


def joined(path: Path, *parts: Path) -> Path:
    """Files one after the other in one."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path
