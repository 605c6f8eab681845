"""Footage that lies elsewhere: found by name and size, believed by its hash, and nothing is done again for it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from vidreid.digests import file_sha256
from vidreid.errors import InputError
from vidreid.footage.cameras import Site, read_site
from vidreid.pipeline.moved import Below, learn, located
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.results import Run
from vidreid.pipeline.run import Options, run
from vidreid.store.folder import RunFolder


@pytest.fixture
def moved(finished: Path, site: Path, tmp_path: Path) -> tuple[RunFolder, Path]:
    """A run whose footage was where it is not, and the disk on which it is now, two folders down."""
    folder = RunFolder(shutil.copytree(finished, tmp_path / "run"))
    disk = tmp_path / "disk" / "2026" / "april"
    disk.mkdir(parents=True)
    record = folder.read()
    for camera in record.cameras:
        for file in camera.files:
            shutil.copy(file.path, disk)
        files = tuple(replace(file, path=str(tmp_path / "gone" / Path(file.path).name)) for file in camera.files)
        record = record.with_camera(replace(camera, files=files))
    folder.write(record)
    return folder, tmp_path / "disk"


def test_moved_files_are_found_below_the_folder(moved) -> None:
    folder, disk = moved
    notes: list[str] = []
    learn(folder, disk, notes.append)
    found = Run(folder.path)
    assert all(
        path.is_relative_to(disk) and path.is_file() for camera in found.cameras for path in found.footage(camera)
    )
    assert len(notes) == len(found.cameras)
    assert all("found" in note for note in notes)


def test_nothing_is_done_again(moved) -> None:
    folder, disk = moved
    parts = {path: path.stat().st_mtime_ns for path in folder.path.rglob("*.parquet")}
    learn(folder, disk, lambda line: None)
    report = run(folder, Site(), {}, Options(), Silent())
    assert (report.failed, report.notes, report.frames) == ({}, [], 0)
    assert {path: path.stat().st_mtime_ns for path in folder.path.rglob("*.parquet")} == parts


def test_the_old_paths_in_a_command_do_not_make_the_run_forget(moved, site: Path) -> None:
    folder, disk = moved
    learn(folder, disk, lambda line: None)
    shutil.copy(site / "north.mp4", disk.parent)
    gone = [f"{name}={disk.parent / 'gone' / name}.mp4" for name in ("hall", "yard")]
    report = run(folder, read_site([f"north={disk.parent / 'north.mp4'}", *gone]), {}, Options("ingest"), Silent())
    assert report.failed == {}
    assert Run(folder.path).footage("hall")[0].is_relative_to(disk)


def test_a_file_of_its_name_and_size_with_other_bytes_is_not_believed(moved) -> None:
    folder, disk = moved
    impostor = next(disk.rglob("hall.mp4"))
    data = bytearray(impostor.read_bytes())
    data[-1] ^= 1
    impostor.write_bytes(data)
    before = folder.read()
    with pytest.raises(
        InputError, match=r"hall: .*hall\.mp4 has the name and size of the missing file, but other bytes"
    ):
        learn(folder, disk, lambda line: None)
    assert folder.read() == before


def test_of_two_files_of_one_name_the_true_one_is_taken(moved) -> None:
    folder, disk = moved
    true = next(disk.rglob("hall.mp4"))
    (disk / "a").mkdir()
    (disk / "a" / "hall.mp4").write_bytes(bytes(true.stat().st_size))
    learn(folder, disk, lambda line: None)
    assert Run(folder.path).footage("hall") == [true]


def test_files_of_one_name_and_size_are_told_apart(tmp_path: Path) -> None:
    for day, content in (("12", b"one"), ("13", b"two")):
        (tmp_path / day).mkdir()
        (tmp_path / day / "hiv00001.mp4").write_bytes(content)
    below = Below(tmp_path)
    digests = {day: file_sha256(tmp_path / day / "hiv00001.mp4") for day in ("12", "13")}
    assert below.find("hiv00001.mp4", 3, digests["13"], digests.values()) == (tmp_path / "13" / "hiv00001.mp4", None)
    lost = "0" * 64
    assert below.find("hiv00001.mp4", 3, lost, [*digests.values(), lost]) == (None, None)
    assert below.find("hiv00001.mp4", 3, lost, [digests["12"], lost]) == (None, tmp_path / "13" / "hiv00001.mp4")


def test_what_is_not_there_either_is_said(moved, tmp_path: Path) -> None:
    folder, _ = moved
    (tmp_path / "empty").mkdir()
    notes: list[str] = []
    learn(folder, tmp_path / "empty", notes.append)
    assert all("is missing, and not below" in note for note in notes)
    assert len(notes) == 3


def test_footage_in_its_place_is_not_looked_for(finished: Path, site: Path) -> None:
    record = RunFolder(finished).read()
    assert located(record, Below(site), pytest.fail) == record


def test_a_folder_that_is_not_there_is_named(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        learn(RunFolder(finished), tmp_path / "nowhere", lambda line: None)
