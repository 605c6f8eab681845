"""`verify`: an export or a run that is what it was passes; whatever differs is named, with exit status 3."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from vidreid.digests import file_sha256
from vidreid.store.folder import RunFolder


@pytest.fixture
def run(finished: Path, site: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, with footage of its own."""
    shutil.copytree(site, tmp_path / "site")
    folder = RunFolder(shutil.copytree(finished, tmp_path / "run"))
    folder.record.write_text(folder.record.read_text().replace(str(site), str(tmp_path / "site")))
    return folder.path


@pytest.fixture
def export(say, run: Path, tmp_path: Path) -> Path:
    """A folder with two exports."""
    for kind in ("csv", "mot"):
        answer = say("export", run, "--format", kind, "--output", tmp_path / "export")
        assert answer.status == 0, answer.err
    return tmp_path / "export"


def flip(path: Path, share: float = 0.5) -> None:
    """Change one byte, ``share`` of the way into a file, and nothing that a folder's listing shows."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[int(len(data) * share)] ^= 0xFF
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_an_export_that_nobody_touched_passes(say, export: Path) -> None:
    answer = say("verify", export)
    assert answer.status == 0
    assert "5 files and 3 footage files checked: all as they were" in answer.out
    assert subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=export, check=False).returncode == 0


def test_verifying_writes_nothing(say, export: Path, run: Path) -> None:
    before = {path: path.stat().st_mtime_ns for folder in (export, run) for path in folder.rglob("*")}
    say("verify", export)
    say("verify", run)
    assert {path: path.stat().st_mtime_ns for folder in (export, run) for path in folder.rglob("*")} == before


@pytest.mark.parametrize("name", ["sightings.csv", "hall.txt", "manifest.json"])
def test_a_changed_file_is_named(say, export: Path, name: str) -> None:
    flip(export / name)
    answer = say("verify", export)
    assert answer.status == 3
    assert f"different  {name}: changed: its SHA-256 is" in answer.out


def test_a_file_changed_with_its_sum_contradicts_the_manifest(say, export: Path) -> None:
    old = file_sha256(export / "hall.txt")
    flip(export / "hall.txt")
    sums = export / "SHA256SUMS"
    sums.write_text(sums.read_text().replace(old, file_sha256(export / "hall.txt")))
    answer = say("verify", export)
    assert answer.status == 3
    assert "hall.txt: manifest.json and SHA256SUMS state different SHA-256" in answer.out


def test_missing_files_and_lines_are_named(say, export: Path) -> None:
    (export / "hall.txt").unlink()
    sums = export / "SHA256SUMS"
    sums.write_text("".join(line for line in sums.read_text().splitlines(True) if "yard" not in line))
    answer = say("verify", export)
    assert answer.status == 3
    assert "hall.txt: missing" in answer.out
    assert "yard.txt: not in SHA256SUMS" in answer.out


@pytest.mark.parametrize("name", ["manifest.json", "SHA256SUMS"])
def test_without_one_of_its_lists_an_export_fails(say, export: Path, name: str) -> None:
    (export / name).unlink()
    answer = say("verify", export)
    assert answer.status == 3
    assert f"{name}: missing" in answer.out


def test_files_that_are_not_of_the_export_are_named_and_are_no_difference(say, export: Path) -> None:
    (export / "notes.doc").write_text("mine")
    answer = say("verify", export)
    assert answer.status == 0
    assert "unlisted   notes.doc" in answer.out


def test_flipped_bytes_in_footage_are_found(say, export: Path, run: Path, tmp_path: Path) -> None:
    flip(tmp_path / "site" / "hall.mp4")
    for folder in (export, run):
        answer = say("verify", folder)
        assert answer.status == 3
        assert f"{tmp_path / 'site' / 'hall.mp4'}: changed" in answer.out
        assert "north.mp4" not in answer.out


def test_footage_that_is_not_found_is_named_and_found_below_another_folder(say, export, run, tmp_path: Path) -> None:
    shutil.move(tmp_path / "site", tmp_path / "disk" / "deep" / "site")
    for folder in (export, run):
        answer = say("verify", folder)
        assert answer.status == 0
        assert answer.out.count("unchecked  ") == 3
        found = json.loads(say("verify", folder, "--footage", tmp_path / "disk", "--json").out)
        assert (found["footage"], found["not_found"], found["differences"]) == (3, [], [])
    flip(tmp_path / "disk" / "deep" / "site" / "yard.mp4")
    answer = say("verify", export, "--footage", tmp_path / "disk")
    assert answer.status == 3
    assert "yard.mp4: changed" in answer.out


def test_a_run_that_nobody_touched_passes(say, run: Path) -> None:
    answer = say("verify", run)
    assert answer.status == 0, answer.out
    assert "33 parts and 3 footage files checked: all as they were" in answer.out


@pytest.mark.parametrize(
    "name",
    ["ingest/hall.parquet", "track/hall/00001.parquet", "crops/yard/00000.parquet", "embed/north/00002.parquet"],
)
def test_a_damaged_part_of_a_run_is_named(say, run: Path, name: str) -> None:
    flip(run / name, 0.2)  # what a part says of itself, which comes last, has no checksums
    answer = say("verify", run)
    assert answer.status == 3
    assert f"different  {name}: damaged" in answer.out


@pytest.mark.parametrize("name", ["match/evidence.parquet", "match/vectors.npy", "match/calibration.json"])
def test_a_damaged_table_of_the_match_is_named(say, run: Path, name: str) -> None:
    flip(run / name)
    answer = say("verify", run)
    assert answer.status == 3
    assert Path(name).name in answer.out


def test_a_part_that_is_gone_though_it_was_matched_is_named(say, run: Path) -> None:
    (run / "crops" / "hall" / "00001.parquet").unlink()
    answer = say("verify", run)
    assert answer.status == 3
    assert "crops/hall/00001.parquet: missing, though it was matched" in answer.out


def test_findings_as_json(say, export: Path) -> None:
    flip(export / "hall.txt")
    answer = say("verify", export, "--json")
    found = json.loads(answer.out)
    assert answer.status == found["exit_status"] == 3
    assert (found["kind"], found["files"], len(found["differences"])) == ("export", 5, 1)
    assert len(found["seal"]) == 64


def test_a_folder_that_is_neither_is_an_error(say, tmp_path: Path) -> None:
    answer = say("verify", tmp_path)
    assert answer.status == 3
    assert "neither a run nor an export" in answer.err
