"""What ingest finds in a file: every packet, whatever the header claims; and why a file is no footage."""

import hashlib
import wave
from fractions import Fraction

import numpy as np
import pytest
from films import FILMS, KEY_EVERY, OPEN, Film

from vidreid.digests import file_sha256
from vidreid.errors import InputError
from vidreid.footage.probe import probe


def test_it_finds_every_frame_and_its_time(made, film):
    _, file = made(film)
    found = [Fraction(int(tick - file.pts[0])) * file.time_base for tick in file.pts]
    assert len(found) == film.frames
    assert all(abs(here - true) <= file.time_base for here, true in zip(found, film.times(), strict=True))
    assert file.stretches.tolist() == [0]
    assert [file.seconds(place) for place in range(film.frames)] == [float(t * file.time_base) for t in file.pts]


def test_it_finds_the_key_frames(made, film):
    """By their places in time; by their places of storage where the file tells no more."""
    _, file = made(film)
    if film.codec == "libx264":
        early = 3 if film.options is OPEN and file.timing != "presentation" else 0
        assert file.key.tolist() == [0, *(place - early for place in range(KEY_EVERY, film.frames, KEY_EVERY))]
    assert file.key[0] == 0


@pytest.mark.parametrize(
    ("kind", "timing", "reordered"),
    [
        ("plain mp4", "presentation", False),
        ("mp4 with B-frames", "presentation", True),
        ("ts with B-frames", "presentation", True),
        ("avi", "presentation", False),
        ("avi with B-frames", "storage", True),
        ("raw stream with B-frames", "counted", True),
    ],
)
def test_it_knows_what_the_times_are(made, kind, timing, reordered):
    _, file = made(FILMS[kind])
    assert (file.timing, file.reordering > 1) == (timing, reordered)


def test_it_states_size_rotation_and_the_shape_of_pixels(made):
    _, file = made(FILMS["turned, wide pixels"])
    assert (file.width, file.height, file.rotation, file.pixel_aspect) == (48, 85, 90, Fraction(4, 3))
    assert (file.codec, file.bytes) == ("h264", made(FILMS["turned, wide pixels"])[0].stat().st_size)


def test_it_hashes_the_bytes(made):
    path, file = made(FILMS["avi"])
    assert file.sha256 == file_sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_it_counts_on_from_the_file_before(made):
    path, _ = made(FILMS["ts"])
    assert probe(path, first=77).first == 77


def test_a_stretch_begins_where_time_jumps_back(made, tmp_path):
    """Three recordings one after the other; the times within each rise."""
    parts = [made(FILMS[kind])[0].read_bytes() for kind in ("ts with B-frames", "ts", "ts with B-frames")]
    path = tmp_path / "three.ts"
    path.write_bytes(b"".join(parts))
    file = probe(path)
    assert file.stretches.tolist() == [0, 60, 120]
    assert [bool((np.diff(part) > 0).all()) for part in np.split(file.pts, file.stretches[1:])] == [True] * 3


@pytest.mark.parametrize("number", [30, 36])
def test_one_damaged_time_is_named_and_moves_no_other(made, number):
    """36 is a key frame: no new stretch begins there."""
    _, sound = made(FILMS["ts"])
    _, file = made(Film(f"astray{number}.ts", stray={number: 90_000 * 3600}))
    assert file.notes[0] == "1 frames have damaged times and are left out"
    assert file.stretches.tolist() == [0]
    same = np.arange(60) != number
    assert (file.pts[same] == sound.pts[same]).all()


def test_a_gap_in_true_times_is_no_damage(made):
    """Recording on motion: an hour without a frame, then a group whose pictures are stored out of order."""
    late = tuple(tick + 3_600_000 * (number > 40) for number, tick in enumerate(range(0, 2400, 40)))
    _, file = made(Film("motion.mkv", options={"bf": "2"}, pts=late, base=Fraction(1, 1000)))
    assert [int(tick - file.pts[0]) for tick in file.pts] == list(late)
    assert file.stretches.tolist() == [0]


def test_what_the_header_claims_is_compared(made, tmp_path):
    """An AVI whose header claims more frames than there are."""
    path, _ = made(FILMS["avi"])
    data = bytearray(path.read_bytes())
    for at in (data.index(b"avih") + 8 + 16, data.index(b"strh") + 8 + 32):
        data[at : at + 4] = (500).to_bytes(4, "little")
    liar = tmp_path / "liar.avi"
    liar.write_bytes(data)
    assert "its header claims 500 frames, it holds 60" in probe(liar).notes


def test_counted_times_are_named(made):
    assert made(FILMS["raw stream"])[1].notes == (
        "holds no times: they are counted at the rate that its header claims",
    )


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"^gone\.mp4: no such file$") as caught:
        probe(tmp_path / "gone.mp4")
    assert str(tmp_path) in caught.value.hint


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"no known video format \(empty file\)"),
        (b"DHAV\x00\x01" * 40, r"no known video format \(starts with DHAV\)"),
        (b"\x00\x01\x02\x03" * 40, "no known video format"),
        (b"<html><body>not found</body></html>", "no known video format"),
    ],
)
def test_what_is_no_footage_says_how_it_starts(tmp_path, content, said):
    path = tmp_path / "c3.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"^c3.mp4: {said}") as caught:
        probe(path)
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_sound_alone_is_no_footage(tmp_path):
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(8000))
    with pytest.raises(InputError, match="holds no video"):
        probe(path)


def test_a_folder_is_no_footage(tmp_path):
    with pytest.raises(InputError, match=tmp_path.name):
        probe(tmp_path)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("html_page_named.avi", "no known video format"),
        ("text_not_video.avi", "no known video format"),
        ("truncated_no_index.mp4", "no known video format"),
        ("zero_frames.avi", "holds no picture"),
    ],
)
def test_awkward_files_say_what_is_wrong(shared, name, said):
    with pytest.raises(InputError, match=f"^{name}: .*{said}"):
        probe(shared / "data" / "footage" / "awkward" / name)


@pytest.mark.shared
def test_awkward_times_are_true(shared):
    """A variable frame rate stays one; a header's doubled count is named."""
    folder = shared / "data" / "footage" / "awkward"
    uneven = probe(folder / "variable_rate.mp4")
    assert len(set(np.diff(uneven.pts).tolist())) > 2
    doubled = probe(folder / "header_says_twice_the_frames.avi")
    assert any("header claims" in note for note in doubled.notes)
