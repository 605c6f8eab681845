"""Footage as it comes: what cannot be used is named with a way out, everything else is analysed."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from films import FILMS, Film, write_truth

import vidreid as package
from vidreid.footage.probe import probe

NETWORKS = ("--detector", "oracle", "--embedder", "colours")


class Case(NamedTuple):
    """A camera: its file, and what is said of it where it fails."""

    camera: str
    path: str
    error: str = ""
    hint: str = ""


CASES = [
    Case("missing", "gone.mp4", "gone.mp4: no such file", "look for it"),
    Case("empty", "nothing_in_it", "nothing_in_it: no video in this folder", "give a folder that holds footage"),
    Case("text", "text.mp4", "text.mp4: no known video format (starts with just", "export it as MP4"),
    Case("cut", "cut.mp4", "cut.mp4: no known video format", "export it as MP4"),
    Case("flipped", "flipped.ts"),
    Case("single", "single.avi"),
    Case("pixel", "pixel.mkv"),
    Case("odd", "odd.mkv"),
    Case("nobody", "nobody.mp4"),
    Case("black", "black.mkv"),
    Case("back", "back.ts"),
    Case("partly", "partly", "b_text.mp4: no known video format", "export it as MP4"),
]


@pytest.fixture(scope="module")
def folder(good, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    sound = (good / "a.mp4").read_bytes()
    (folder / "text.mp4").write_text("just words, no video\n" * 20)
    (folder / "cut.mp4").write_bytes(sound[: len(sound) // 2])
    (folder / "nothing_in_it").mkdir()
    stream = FILMS["ts with B-frames"].write(folder).read_bytes()
    (folder / "back.ts").write_bytes(stream + stream)
    (folder / "flipped.ts").write_bytes(flipped(stream))
    Film("single.avi", codec="mjpeg", frames=1).write(folder)
    Film("pixel.mkv", codec="ffv1", frames=5, size=(1, 1)).write(folder)
    Film("odd.mkv", codec="ffv1", frames=12, size=(63, 47)).write(folder)
    Film("black.mkv", codec="ffv1", frames=12, black=True).write(folder)
    shutil.copy(good / "a.mp4", folder / "nobody.mp4")
    (folder / "partly").mkdir()
    shutil.copy(good / "a.mp4", folder / "partly" / "a_good.mp4")
    shutil.copy(folder / "text.mp4", folder / "partly" / "b_text.mp4")
    for case in CASES:
        write_truth(folder, case.camera, people=case.camera in {"odd", "black", "back", "flipped"})
    write_truth(folder / "partly", "partly")
    return folder


def flipped(data: bytes) -> bytes:
    changed = bytearray(data)
    for at in random.Random(2).sample(range(2000, len(data)), 20):
        changed[at] ^= 0xFF
    return bytes(changed)


@pytest.fixture(scope="module")
def spoken(vidreid, good, folder, tmp_path_factory):
    """One run of the program over all of it, beside two good cameras."""
    run = tmp_path_factory.mktemp("out") / "run"
    words = [f"{case.camera}={folder / case.path}" for case in CASES]
    answer = vidreid("run", f"a={good}/a.mp4", *words, f"b={good}/b.mp4", "--output", run, *NETWORKS)
    return answer, run


def test_the_run_finishes_and_says_that_part_of_it_failed(spoken):
    answer, _ = spoken
    assert answer.status == 4
    assert "Traceback" not in answer.out + answer.err
    assert "next: vidreid status" in answer.out


@pytest.mark.parametrize("case", [case for case in CASES if case.error], ids=lambda case: case.camera)
def test_what_fails_is_one_line_and_a_hint(spoken, case):
    answer, _ = spoken
    lines = answer.err.splitlines()
    [at] = [i for i, line in enumerate(lines) if line.startswith(f"error: {case.camera}: ")]
    assert case.error in lines[at]
    assert lines[at + 1].startswith(f"hint: {case.hint}")
    [row] = [line for line in answer.out.splitlines() if line.startswith("failed") and f"{case.camera}: " in line]
    assert case.error in row


def test_ffmpeg_and_other_libraries_are_silent(spoken):
    answer, _ = spoken
    known = (
        "detector: ",
        "embedder: ",
        "error: ",
        "hint: ",
        "ingest: ",
        "track: ",
        "match: ",
        *(f"{case.camera}: " for case in CASES),
    )
    assert [line for line in answer.err.splitlines() if not line.startswith(known)] == []


def test_the_other_cameras_are_analysed(spoken):
    _, path = spoken
    run = package.open_run(path)
    failed = {case.camera for case in CASES if case.error} - {"partly"}
    for camera in ("a", "b", *(case.camera for case in CASES)):
        assert bool(run.files(camera)) == (camera not in failed)
    seen = set(run.tracklets()["camera"].to_pylist())
    assert {"a", "b", "odd", "back", "partly"} <= seen
    assert not {"nobody", "single", "pixel"} & seen


def test_cameras_of_all_sizes_are_read_whole(spoken):
    _, path = spoken
    run = package.open_run(path)
    counts = {camera: sum(len(file.pts) for file in run.files(camera)) for camera in run.cameras}
    expected = {"a": 60, "single": 1, "pixel": 5, "odd": 12, "black": 12, "nobody": 60, "back": 120, "partly": 60}
    assert counts.items() >= expected.items()
    assert all(run.lost_frames(camera) == 0 for camera in expected)
    assert [file.stretches.tolist() for file in run.files("back")] == [[0, 60]]


def test_flipped_bytes_cost_what_they_hit(spoken, folder):
    _, path = spoken
    run = package.open_run(path)
    assert len(probe(folder / "flipped.ts").pts) > 50
    assert run.lost_frames("flipped") < 15


def test_damage_beyond_what_is_allowed_is_status_4(say, own, tmp_path):
    """A third of a camera's pictures are wiped; nothing failed, but too much is lost."""
    data = bytearray((own / "a.mp4").read_bytes())
    start = data.index(b"mdat")
    third = int.from_bytes(data[start - 4 : start], "big") // 3
    data[start + third : start + 2 * third] = bytes(third)
    (own / "a.mp4").write_bytes(data)
    run = tmp_path / "run"
    answer = say("run", f"a={own}/a.mp4", f"b={own}/b.mp4", "--output", run, *NETWORKS)
    assert answer.status == 4
    assert "frames could not be decoded" in answer.out
    assert "failed" not in answer.out
    assert say("run", run, "--max-damage", "0.9").status == 0


@pytest.mark.parametrize("name", ["gone.mp4", "text.mp4"])
def test_a_camera_that_is_alone_and_bad_is_bad_input(say, folder, tmp_path, name):
    answer = say("run", f"text={folder / name}", "--output", tmp_path / "run", *NETWORKS)
    assert answer.status == 3
    said = [line.split(": ")[0] for line in answer.err.splitlines()]
    assert [word for word in said if word not in {"detector", "embedder", "ingest"}] == ["error", "hint"]
    assert f"text: {name}: no" in answer.err or f"no such file: {name}" in answer.err


@pytest.mark.shared
def test_the_awkward_collection(say, shared, good, tmp_path):
    """What the files claim to be and are not is named; the good camera is done."""
    awkward = shared / "data" / "footage" / "awkward"
    errors = {
        "html_page_named.avi": "no known video format",
        "text_not_video.avi": "no known video format (starts with http)",
        "truncated_no_index.mp4": "no known video format",
        "zero_frames.avi": "holds no picture",
    }
    words = []
    for name in errors:
        camera = name.partition(".")[0]
        shutil.copy(awkward / name, tmp_path)
        write_truth(tmp_path, camera, people=False)
        words.append(f"{camera}={tmp_path / name}")
    answer = say("run", f"a={good}/a.mp4", *words, "--output", tmp_path / "run", *NETWORKS)
    assert answer.status == 4
    for name, error in errors.items():
        assert f"error: {name.partition('.')[0]}: {name}: {error}" in answer.err
    assert answer.err.count("hint: ") == len(errors)
    assert package.open_run(tmp_path / "run").summary().frames == 60


def test_footage_that_is_gone_keeps_what_was_made_from_it(say, own, tmp_path):
    run = tmp_path / "run"
    words = [f"a={own}/a.mp4", f"b={own}/b.mp4", "--output", run, *NETWORKS]
    assert say("run", *words).status == 0
    before = package.open_run(run).tracklets()
    (own / "a.mp4").unlink()
    answer = say("resume", run)
    assert answer.status == 0
    assert "a: a.mp4 is missing; what was made from it stays" in answer.err
    assert package.open_run(run).tracklets().equals(before)


def test_footage_that_changed_is_analysed_again(say, own, tmp_path):
    run = tmp_path / "run"
    assert say("run", f"a={own}/a.mp4", f"b={own}/b.mp4", "--output", run, *NETWORKS).status == 0
    untouched = (run / "track" / "b" / "00000.parquet").stat().st_mtime_ns
    Film("a.mp4", frames=40).write(own)
    answer = say("resume", run)
    assert answer.status == 0
    assert "a: a.mp4 has changed; its camera is analysed again" in answer.err
    assert len(package.open_run(run).files("a")[0].pts) == 40
    assert (run / "track" / "b" / "00000.parquet").stat().st_mtime_ns == untouched


def test_pictures_of_a_black_camera_hold_nobody(spoken):
    _, path = spoken
    frames = list(package.open_run(path).frames("black"))
    assert len(frames) == 12
    assert all(np.all(frame.image == 0) for frame in frames)
