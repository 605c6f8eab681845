"""`status`: what of a run is done, stale and why, or due."""

import json
import shutil

import pytest


@pytest.fixture
def changed(finished, tmp_path):
    """A copy of the finished run of which another score is wanted."""
    folder = shutil.copytree(finished, tmp_path / "run")
    record = json.loads((folder / "run.json").read_text())
    record["settings"]["detection"]["score"] = 0.25
    (folder / "run.json").write_text(json.dumps(record))
    return folder


def test_a_finished_run_is_done_in_every_camera(say, finished):
    answer = say("status", finished)
    assert answer.status == 0
    rows = [line.split() for line in answer.out.splitlines()]
    assert [row[0] for row in rows[1:4]] == ["north", "hall", "yard"]
    assert all(row[1] == "100%" and row[3] == "done" for row in rows[1:4])
    assert "match   done" in answer.out
    assert "on disk ingest" in answer.out


def test_json_holds_the_same_with_bytes_of_every_stage(say, finished):
    state = json.loads(say("status", finished, "--json").out)
    assert [camera["analysed"] for camera in state["cameras"]] == [1.0, 1.0, 1.0]
    assert state["match"]["status"] == "done"
    assert set(state["bytes"]) == {"ingest", "track", "crops", "embed", "match"}
    assert min(state["bytes"].values()) > 0


def test_a_changed_setting_makes_stale_and_is_named_with_both_values(say, changed):
    answer = say("status", changed)
    assert "stale" in answer.out
    assert "-> 0.25" in answer.out
    assert "detection.score" in answer.out


def test_a_part_that_is_gone_is_due(say, finished, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "run")
    sorted(folder.glob("embed/hall/*.parquet"))[0].unlink()
    hall = json.loads(say("status", folder, "--json").out)["cameras"][1]
    assert hall["stages"]["embed"]["due"] == 1
    assert hall["analysed"] < 1.0


def test_a_folder_that_is_no_run_is_named_with_what_to_give(say, tmp_path):
    answer = say("status", tmp_path)
    assert answer.status == 3
    assert answer.err.startswith(f"error: {tmp_path}: not a run folder")
    assert "hint: " in answer.err
