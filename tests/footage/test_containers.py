"""Recorders' own formats: read where a plain stream is inside, else answered with their names and what to do."""

from __future__ import annotations

from datetime import datetime

import pytest
from films import Film, decode, number_of, whole
from hypothesis import given
from hypothesis import strategies as st
from recorder_exports import dahua, pictures, raw_h264, video, wrapped

from vidreid.errors import InputError
from vidreid.footage.containers import MAGIC, SUFFIXES, format_of, streams_inside
from vidreid.footage.ends import first_still, last_still
from vidreid.footage.header import read_header
from vidreid.footage.probe import probe

RAW = raw_h264()
HIDDEN = {
    "Hikvision's header before MPEG-PS": (b"IMKH" + bytes(36) + video(".mpg"), "counted"),
    "Hikvision's header before H.264": (b"HKMI" + bytes(60) + RAW, "counted"),
    "Xiongmai's header before each picture": (wrapped(RAW, b"", b"\x00\x00\x01\xfc" + bytes(12)), "counted"),
    "Reolink's header before each picture": (
        wrapped(RAW, b"1001\x20\x00\x00\x00" + bytes(24), b"00dcH264" + bytes(16)),
        "counted",
    ),
    "Dahua": (dahua(RAW, datetime(2026, 4, 12, 8, 0, 10)), "presentation"),
}


@pytest.fixture(params=HIDDEN)
def hidden(request, tmp_path):
    """A recorder's own file, and what its times are."""
    data, timing = HIDDEN[request.param]
    path = tmp_path / "ch01.mp4"
    path.write_bytes(data)
    return path, timing


def test_a_stream_inside_is_read_frame_by_frame(hidden):
    path, timing = hidden
    file = probe(path)
    assert (len(file.pts), file.timing, file.codec) == (50, timing, "h264")
    shown = decode(path, file, whole(file))
    assert [number_of(shown[number]) for number in range(50)] == list(range(50))


def test_its_first_and_last_pictures_are_found(hidden):
    path, _ = hidden
    first, last = first_still(path), last_still(path)
    assert (number_of(first.image), number_of(last.image)) == (0, 49)
    assert last.seconds is None or abs(last.seconds - 49 / 25) < 0.05


def test_hevc_is_found_too(tmp_path):
    path = Film("film.hevc", codec="libx265", options={"x265-params": "log-level=none"}, frames=10).write(tmp_path)
    odd = tmp_path / "odd.264"
    odd.write_bytes(b"\x00\x00\x01\xfc" + bytes(12) + path.read_bytes())
    assert streams_inside(odd) == [("hevc", 17)]
    assert len(probe(odd).pts) == 10


@pytest.mark.parametrize("magic", MAGIC, ids=lambda magic: magic.hex())
def test_what_cannot_be_read_is_answered_with_the_recorder_and_what_to_do(tmp_path, magic):
    path = tmp_path / "export.bin"
    path.write_bytes(magic + bytes(range(200, 256)) * 40)
    with pytest.raises(InputError, match=MAGIC[magic].what) as caught:
        probe(path)
    assert caught.value.message.startswith("export.bin: no known video format")
    assert caught.value.hint == MAGIC[magic].advice


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_formats_without_a_known_beginning_are_told_by_their_names(tmp_path, suffix):
    path = tmp_path / f"EXPORT{suffix.upper()}"
    path.write_bytes(bytes(range(200, 256)) * 40)
    with pytest.raises(InputError) as caught:
        probe(path)
    assert SUFFIXES[suffix].what in caught.value.message
    assert caught.value.hint == SUFFIXES[suffix].advice


def test_a_beginning_counts_more_than_a_name(tmp_path):
    path = tmp_path / "export.dav"
    path.write_bytes(b"IMKH")
    assert format_of(path) is MAGIC[b"IMKH"]


def test_dahua_frames_hold_the_recorders_own_time_and_channel(tmp_path):
    path = tmp_path / "renamed.dav"
    path.write_bytes(dahua(RAW, datetime(2026, 4, 12, 8, 0, 10), channel=2))
    header = read_header(path)
    assert (header.made, header.channel) == (datetime(2026, 4, 12, 8, 0, 10), "ch3")


@given(head=st.binary(max_size=200), middle=st.binary(max_size=200))
def test_no_bytes_make_a_stream_where_there_is_no_picture(tmp_path_factory, head, middle):
    """Parameter sets alone, in whatever is around them, are no footage; nothing but `InputError` says so."""
    path = tmp_path_factory.getbasetemp() / "noise.264"
    path.write_bytes(head + middle + b"\x00\x00\x01\x67\x64")
    try:
        found = probe(path).codec
    except InputError:
        return
    assert found not in {"h264", "hevc"}  # two bytes are enough for FFmpeg to see a JPEG


def test_pictures_of_the_made_files_are_those_of_the_stream():
    """What the tests above rely on: the pieces are the whole."""
    assert b"".join(pictures(RAW)) == RAW
    assert len(pictures(RAW)) == 50
