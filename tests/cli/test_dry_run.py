"""`run --dry-run`: what a run would see, take and achieve."""

import json
import shutil

import pytest
import yaml


@pytest.fixture(scope="session")
def settings(finished, tmp_path_factory):
    """A file with the settings of the finished run."""
    found = json.loads((finished / "run.json").read_text())["settings"]
    path = tmp_path_factory.mktemp("dry") / "settings.yaml"
    path.write_text(yaml.safe_dump(found))
    return path


@pytest.fixture(scope="session")
def dry(site, settings, vidreid):
    """The folder of a dry run of the small world's first seconds, and what it said."""
    folder = settings.parent / "run"
    words = ("--output", folder, "--settings", settings, "--dry-run", "--to", "+00:00:05")
    return folder, vidreid("run", site / "cameras.yaml", *words)


@pytest.fixture
def film(site, tmp_path):
    """One camera of that world, its clock unknown."""
    (tmp_path / "gt").mkdir()
    shutil.copy(site / "gt" / "hall.txt", tmp_path / "gt")
    return shutil.copy(site / "hall.mp4", tmp_path)


def test_a_table_of_cameras_and_one_of_choices(dry):
    _, answer = dry
    assert answer.status == 0, answer.err
    lines = answer.out.splitlines()
    for camera in ("north", "hall", "yard"):
        line = next(line for line in lines if line.startswith(camera))
        assert "median" in line
        assert line.endswith("start of 1 of 1 files")
    rows = [line for line in lines if line.startswith("--fps")]
    assert [row.split()[1] for row in rows] == ["5", "10", "all"]
    assert all(row.count("%") == 2 for row in rows)
    assert any(line.startswith("free on that disk: ") for line in lines)
    assert "preview.png" in answer.out


def test_ingest_is_kept_and_nothing_else(dry, say):
    folder, _ = dry
    made = {path: path.stat().st_mtime_ns for path in (folder / "ingest").iterdir()}
    assert {path.name for path in made} == {"north.parquet", "hall.parquet", "yard.parquet"}
    assert not any((folder / stage).exists() for stage in ("track", "crops", "embed", "match"))
    assert (folder / "preview.png").is_file()
    assert say("ingest", folder).status == 0
    assert {path: path.stat().st_mtime_ns for path in made} == made


def test_json_says_the_same(say, film, settings, tmp_path):
    words = ("--output", tmp_path / "run", "--settings", settings, "--dry-run", "--to", "+5", "--json", "--fps", 3)
    found = json.loads(say("run", film, *words).out)
    assert [choice["fps"] for choice in found["choices"]] == [3, 5, 10, "all"]
    assert found["choices"][0]["people_idf1"] is None
    (camera,) = found["cameras"]
    assert (camera["camera"], camera["clock"], camera["gaps"], camera["looked_at"]) == ("hall", "unknown", [], 20)
    assert found["free_bytes"] > 0
    assert found["failed"] == {}


def test_a_camera_that_cannot_be_read_is_named_and_the_others_go_on(say, film, settings, tmp_path):
    (tmp_path / "text.mp4").write_text("no film at all")
    (tmp_path / "gt" / "broken.txt").touch()
    words = ("--output", tmp_path / "run", "--settings", settings, "--dry-run", "--to", "+5")
    answer = say("run", film, f"broken={tmp_path / 'text.mp4'}", *words)
    assert answer.status == 4
    assert "error: broken: text.mp4" in answer.err
    assert "\nhall" in answer.out
