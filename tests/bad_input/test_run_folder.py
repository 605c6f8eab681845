"""Run folders that are damaged, foreign, too new, read-only or full."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

import vidreid as package

NETWORKS = ("--detector", "oracle", "--embedder", "colours")
TABLES = ("tracklets", "identities", "evidence")


def test_a_run_of_a_newer_format_is_left_alone(say, run):
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"format": 99}))
    for command in ("status", "resume"):
        answer = say(command, run)
        error, hint = answer.err.splitlines()
        assert answer.status == 3
        assert error == f"error: {run}: a run of format 99, this program reads up to 1"
        assert "upgrade" in hint


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": "new"}'])
def test_a_damaged_record_is_named(say, run, text):
    (run / "run.json").write_text(text)
    for command in ("status", "resume"):
        answer = say(command, run)
        error, _ = answer.err.splitlines()
        assert answer.status == 3
        assert error == f"error: {run / 'run.json'}: damaged"


@pytest.mark.parametrize("command", ["status", "resume"])
@pytest.mark.parametrize("what", ["folder", "nothing"])
def test_what_is_no_run_folder_is_named(say, tmp_path, command, what):
    place = tmp_path / "place"
    if what == "folder":
        place.mkdir()
        (place / "holiday.txt").write_text("sun")
    answer = say(command, place)
    error, hint = answer.err.splitlines()
    assert answer.status == 3
    assert error == f"error: {place}: not a run folder (no run.json)"
    assert hint == "hint: give the folder that `run` made"


def test_a_folder_with_other_things_in_it_is_not_written_to(say, good, tmp_path):
    (tmp_path / "holiday.txt").write_text("sun")
    answer = say("run", f"a={good}/a.mp4", "--output", tmp_path, *NETWORKS)
    assert answer.status == 3
    assert "not empty and not a run folder" in answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.txt"]


def test_a_place_below_a_file_cannot_be_written(say, good, tmp_path):
    (tmp_path / "file").touch()
    answer = say("run", f"a={good}/a.mp4", "--output", tmp_path / "file" / "run", *NETWORKS)
    error, hint = answer.err.splitlines()
    assert answer.status == 3
    assert error.startswith(f"error: {tmp_path / 'file' / 'run'}: cannot be written: ")
    assert hint == "hint: choose another --output"


@pytest.mark.parametrize("stage", ["ingest", "track", "crops", "embed", "match"])
def test_a_part_without_its_end_is_made_anew(say, run, stage):
    """The footer of a part is lost: `status` says that it is due, `run` that it is made anew."""
    before = [getattr(package.open_run(run), table)() for table in TABLES]
    name = {"ingest": "ingest/a", "match": "match/tracklets"}.get(stage, f"{stage}/a/00000")
    part = run / f"{name}.parquet"
    sound = part.read_bytes()
    part.write_bytes(sound[: len(sound) - 40])

    status = say("status", run)
    assert status.status == 0
    assert "0%" in status.out if stage == "ingest" else "due" in status.out
    answer = say("resume", run)
    assert answer.status == 0
    if stage in {"track", "crops", "embed"}:
        assert "its file is damaged" in status.out
        assert "1 of 2 segments are done again (its file is damaged)" in answer.err
    assert part.read_bytes() == sound
    assert [getattr(package.open_run(run), table)() for table in TABLES] == before


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bits_in_a_part_are_never_read_as_numbers(say, run, seed):
    """Either the part is made anew, or the error says which file to delete; then the run is as before."""
    before = [getattr(package.open_run(run), table)() for table in TABLES]
    part = run / "embed" / "a" / "00000.parquet"
    data = bytearray(part.read_bytes())
    for at in random.Random(seed).sample(range(8, len(data) - 8), 3):
        data[at] ^= 0x40
    part.write_bytes(data)
    shutil.rmtree(run / "match")
    answer = say("resume", run)
    assert "Traceback" not in answer.err
    if answer.status:
        assert answer.status == 3
        assert f"delete {part} and run again" in answer.err
        part.unlink()
        assert say("resume", run).status == 0
    assert [getattr(package.open_run(run), table)() for table in TABLES] == before


@pytest.fixture
def mounted(tmp_path):
    """Mounts a small file system of its own: ``mounted(size)`` is its folder."""
    folders = []

    def mount(options: str) -> Path:
        folder = tmp_path / f"disk{len(folders)}"
        folder.mkdir()
        if os.name != "posix" or shutil.which("mount") is None:
            pytest.skip("needs the command mount")
        words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"needs the right to mount a file system: {done.stderr.strip()}")
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_read_only_folder_is_named(say, good, mounted):
    disk = mounted("size=1m,ro")
    answer = say("run", f"a={good}/a.mp4", "--output", disk / "run", *NETWORKS)
    error, hint = answer.err.splitlines()
    assert answer.status == 3
    assert error == f"error: {disk / 'run'}: cannot be written: read-only file system"
    assert hint == "hint: choose another --output"


@pytest.mark.parametrize(
    ("kilobytes", "said"),
    [
        (12, "cannot be written: no space left on device"),  # while it reads the files
        (40, "too little free disk: about "),  # before it looks at pictures
        (72, "too little free disk: about "),
    ],
)
def test_after_a_full_disk_resume_finishes_as_if_nothing_had_been(say, done, good, mounted, kilobytes, said):
    disk = mounted("size=4m")
    filler = disk / "filler"
    filler.write_bytes(bytes((4096 - kilobytes) * 1024))
    run = disk / "run"
    answer = say("run", f"a={good}/a.mp4", f"b={good}/b.mp4", "--output", run, *NETWORKS)
    usual = ("detector: ", "embedder: ", "ingest: ", "track: ", "match: ")
    lines = [line for line in answer.err.splitlines() if not line.startswith(usual)]
    assert answer.status == 3
    assert len(lines) == 2
    assert said in lines[0]
    assert lines[1].startswith("hint: make room")
    assert not list(run.rglob(".part-*"))

    filler.unlink()
    known = (run / "run.json").is_file()
    again = ["resume", run] if known else ["run", f"a={good}/a.mp4", f"b={good}/b.mp4", "--output", run, *NETWORKS]
    assert say(*again).status == 0
    assert exported(say, run) == exported(say, done)


def test_a_disk_that_fills_meanwhile_stops_the_run_and_loses_nothing(say, done, good, tmp_path, full_disk):
    run = tmp_path / "run"
    with full_disk(4_000):  # less than the pictures of a segment
        answer = say("run", f"a={good}/a.mp4", f"b={good}/b.mp4", "--output", run, *NETWORKS)
    assert answer.status == 3
    assert "cannot be written: file too large" in answer.err
    assert not list(run.rglob(".part-*"))
    assert say("resume", run).status == 0
    assert exported(say, run) == exported(say, done)


def exported(say, run):
    """Everything that `export` writes of a run, byte by byte."""
    folder = run.parent / "export"
    shutil.rmtree(folder, ignore_errors=True)
    assert say("export", run, "--format", "csv", "--output", folder).status == 0
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
