"""What every export adds: the manifest and the sums; and where moved footage is found."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from vidreid.pipeline.results import Run
from vidreid.store.folder import RunFolder


@pytest.fixture
def export(say, finished, tmp_path):
    """``export("csv", ...)``: the folder, which must be written without complaint."""

    def call(kind, *words, run=finished, output="out"):
        answer = say("export", run, "--format", kind, "--output", tmp_path / output, *words)
        assert answer.status == 0, answer.err
        return tmp_path / output

    return call


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl", "mot", "coco", "timeline", "clips"])
def test_every_format_is_sealed(export, kind):
    folder = export(kind, "--camera", "yard", "--from", "+00:00:05", "--to", "+00:00:06")
    done = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0
    (made,) = json.loads((folder / "manifest.json").read_text())["exports"]
    assert {*made["files"], "manifest.json", "SHA256SUMS"} == {path.name for path in folder.iterdir()}
    assert made["format"] == kind
    assert made["selection"] == {
        "identities": [],
        "cameras": ["yard"],
        "start": 5.0,
        "end": 6.0,
        "interpolate": True,
        "ids": "identity",
    }


def test_the_same_export_twice_is_the_same_bytes(export):
    one, other = (export("mot", output=name) for name in ("one", "other"))
    assert {path.name: path.read_bytes() for path in one.iterdir()} == {
        path.name: path.read_bytes() for path in other.iterdir()
    }


def test_a_second_export_into_the_folder_updates_both_lists(say, export):
    export("csv")
    folder = export("mot")
    exports = json.loads((folder / "manifest.json").read_text())["exports"]
    assert [one["format"] for one in exports] == ["csv", "mot"]
    assert say("verify", folder).status == 0


def test_a_selection_by_the_clock_is_stated_in_utc(export):
    folder = export("csv", "--from", "2026-04-12T10:00:05+02:00")
    (made,) = json.loads((folder / "manifest.json").read_text())["exports"]
    assert made["selection"]["start"] == "2026-04-12T08:00:05+00:00"


def test_an_export_whose_seal_is_broken_is_not_added_to(say, finished, export):
    folder = export("csv")
    (folder / "manifest.json").write_text("{}")
    answer = say("export", finished, "--format", "mot", "--output", folder)
    assert answer.status == 3
    assert "manifest.json: damaged" in answer.err
    assert not (folder / "hall.txt").exists()


@pytest.fixture
def moved(finished: Path, site: Path, tmp_path: Path) -> Path:
    """A run whose footage is not where it was, but below ``disk``."""
    shutil.copytree(site, tmp_path / "disk" / "site")
    folder = RunFolder(shutil.copytree(finished, tmp_path / "run"))
    folder.record.write_text(folder.record.read_text().replace(str(site), str(tmp_path / "gone")))
    return folder.path


def test_without_its_footage_pictures_cannot_be_exported_and_the_hint_helps(say, moved, tmp_path):
    answer = say("export", moved, "--format", "video", "--output", tmp_path / "out")
    assert answer.status == 3
    assert "north.mp4 is missing" in answer.err
    assert "--footage" in answer.err


def test_moved_footage_is_found_for_an_export_and_remembered(say, moved, tmp_path, export):
    words = ("--from", "+00:00:02", "--to", "+00:00:03")
    export("clips", "--camera", "yard", *words, "--footage", tmp_path / "disk", run=moved)
    export("clips", "--camera", "hall", *words, run=moved)
    assert Run(moved).footage("hall") == [tmp_path / "disk" / "site" / "hall.mp4"]


def test_moved_footage_is_found_by_resume_and_nothing_is_done_again(say, moved, tmp_path):
    answer = say("resume", moved, "--footage", tmp_path / "disk")
    assert answer.status == 0, answer.err
    assert answer.err.count("found: ") == 3
    assert "missing" not in answer.err
    assert "frames a second" not in answer.out  # of frames that were analysed


def test_the_cameras_yaml_may_name_the_old_places(say, moved, site, tmp_path):
    (tmp_path / "gone").mkdir()
    shutil.copy(site / "cameras.yaml", tmp_path / "gone")
    answer = say("run", tmp_path / "gone" / "cameras.yaml", "--output", moved, "--footage", tmp_path / "disk")
    assert answer.status == 0, answer.err
    assert "frames a second" not in answer.out  # of frames that were analysed
    assert Run(moved).footage("hall") == [tmp_path / "disk" / "site" / "hall.mp4"]


def test_a_folder_of_footage_that_is_not_there_is_an_error(say, moved, tmp_path):
    answer = say("resume", moved, "--footage", tmp_path / "nowhere")
    assert answer.status == 3
    assert "no such folder" in answer.err
