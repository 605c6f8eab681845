"""`run` and its stages by themselves, without a terminal: plain lines, and a table at the end."""

import json
import shutil
import socket

import pytest

from vidreid.engines.registry import read_registry

WORDS = ("--detector", "oracle", "--embedder", "colours")


@pytest.fixture
def listing(site):
    return site / "cameras.yaml"


def test_each_stage_does_what_is_due_before_it_and_says_what_comes_next(say, listing, tmp_path):
    run = tmp_path / "run"

    answer = say("ingest", listing, "--output", run, *WORDS)
    assert answer.status == 0
    assert "(not matched yet)" in answer.out
    assert f"next: vidreid status {run}" in answer.out
    assert not (run / "track").exists()

    answer = say("embed", run)
    assert answer.status == 0
    assert all(list((run / stage).rglob("*.parquet")) for stage in ("track", "crops", "embed"))
    assert not (run / "match").exists()
    assert not (run / "people.html").exists()

    answer = say("match", run)
    assert answer.status == 0
    assert "people (identities)" in answer.out
    assert (run / "people.html").stat().st_size > 10_000


def test_run_without_a_terminal_prints_plain_lines_and_the_last_table(say, listing, tmp_path):
    run = tmp_path / "run"
    answer = say("run", listing, "--output", run, *WORDS)
    assert answer.status == 0
    assert "\x1b" not in answer.out + answer.err
    assert answer.err.splitlines()[-1].startswith("match: 3 of 3")
    assert any(line.startswith("track: ") and "/s" in line for line in answer.err.splitlines())
    rows = dict(line.split("  ", 1) for line in answer.out.splitlines() if "  " in line)
    assert rows["cameras"].strip() == "3"
    assert "(all footage)" in rows["footage"]
    assert {"sightings (tracklets)", "people (identities)", "frames a second"} <= set(rows)
    assert f"next: look at {run / 'people.html'}  (a match is a lead, not proof)" in answer.out
    assert f"vidreid export {run} --format csv --output {run}-export" in answer.out

    again = json.loads(say("run", run, "--json").out)
    assert again["frames_per_second"] is None  # nothing was left to do
    assert again["exit_status"] == 0
    assert again["covered"] == "all footage"
    assert {"cameras", "hours", "sightings", "people", "people_in_several", "damage", "notes", "failed"} <= set(again)


def test_resume_of_a_finished_run_does_nothing_again(say, finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*.parquet")}
    answer = say("resume", run)
    assert answer.status == 0
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*.parquet")} == before


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_footage_that_holds_no_picture_is_one_line_and_status_3(say, tmp_path, words):
    (tmp_path / "notes.mp4").write_text("these are no pictures\n")
    answer = say("ingest", f"c0={tmp_path / 'notes.mp4'}", "--output", tmp_path / "run", *words)
    assert answer.status == 3
    assert answer.err.splitlines()[-2].startswith("error: c0: notes.mp4: no known video format")
    assert answer.err.splitlines()[-1] == "hint: export it as MP4 in the recorder's player"
    assert not answer.out


def test_no_camera_with_a_picture_is_status_3_and_each_is_named(say, tmp_path):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_text("these are no pictures\n")
    answer = say("ingest", tmp_path / "a.mp4", tmp_path / "b.mp4", "--output", tmp_path / "run", "--json")
    assert answer.status == 3
    found = json.loads(answer.out)
    assert found["exit_status"] == 3
    assert set(found["failed"]) == {"a", "b"}


def test_settings_come_from_the_yaml_and_options_on_top(say, listing, tmp_path):
    settings = tmp_path / "settings.yaml"
    settings.write_text("tracking: {tracker: ocsort}\nmatching: {wrong_pairs: 0.9}\n")
    say("ingest", listing, "--output", tmp_path / "run", "--settings", settings, "--wrong-pairs", "0.1")
    kept = json.loads((tmp_path / "run/run.json").read_text())["settings"]
    assert kept == {"tracking": {"tracker": "ocsort"}, "matching": {"wrong_pairs": 0.1}}


SITE = """
travel: [{between: [yard, hall], seconds: 5}]
overlaps: [[north, hall]]
"""


def known(run):
    record = json.loads((run / "run.json").read_text())
    return record["travel"], record["overlaps"]


def test_what_is_said_of_ways_and_views_is_kept_until_more_is_said(say, site, finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    names = "".join(f"  {name}: {{files: [{site}/{name}.mp4]}}\n" for name in ("north", "hall", "yard"))
    listing = tmp_path / "site.yaml"
    listing.write_text(f"cameras:\n{names}{SITE}")
    assert known(run) == ([], [])
    answer = say("run", listing, "--output", run)
    assert answer.status == 0
    assert "match: done again (" in answer.err
    assert "site" in answer.err
    assert known(run) == ([["hall", "yard", 5.0]], [["hall", "north"]])

    assert say("run", f"hall={site}/hall.mp4", "--output", run).status == 0
    assert known(run) == ([["hall", "yard", 5.0]], [["hall", "north"]])

    listing.write_text(f"cameras:\n{names}overlaps: [[hall, yard]]\n")
    assert say("run", listing, "--output", run).status == 0
    assert known(run) == ([], [["hall", "yard"]])


def test_a_way_to_no_camera_is_refused(say, tmp_path, site):
    listing = tmp_path / "site.yaml"
    listing.write_text(f"cameras: {{hall: {{files: [{site}/hall.mp4]}}}}\noverlaps: [[hall, attic]]\n")
    answer = say("run", listing, "--output", tmp_path / "run", *WORDS)
    assert answer.status == 3
    assert "overlaps: 'attic' is no camera" in answer.err


def test_an_unknown_key_of_the_yaml_names_the_nearest(say, listing, tmp_path):
    settings = tmp_path / "settings.yaml"
    settings.write_text("matching: {wrong_pears: 0.1}\n")
    answer = say("run", listing, "--output", tmp_path / "run", "--settings", settings)
    assert answer.status == 3
    assert "unknown key 'matching.wrong_pears'" in answer.err
    assert "did you mean 'wrong_pairs'?" in answer.err


def test_it_says_which_networks_are_in_use_and_how_to_get_the_stronger(say, listing, tmp_path, own_home):
    words = ("run", listing, "--output", tmp_path / "run", "--detector", "oracle")
    first, second, third, *_ = say(*words).err.splitlines()
    assert first == "detector: oracle (the world's own truth, perturbed like a detector's output)"
    assert second == "embedder: slim-afa (ships with vidreid, openvino)"
    stronger, _, get = third.removeprefix("stronger embedder: ").partition(": ")
    assert stronger == read_registry().order["embedder"][0]
    assert str(own_home / "models" / stronger) in get

    found = json.loads(say(*words, "--json").out)["networks"]
    assert found["detector"]["name"] == "oracle"
    assert (found["embedder"]["name"], found["embedder"]["runtime"]) == ("slim-afa", "openvino")
    assert found["embedder"]["stronger"] == f"{stronger}: {get}"


def test_who_chose_a_network_is_not_told_of_a_stronger_one(say, listing, tmp_path):
    err = say("run", listing, "--output", tmp_path / "run", "--detector", "oracle", "--embedder", "slim-afa").err
    assert "embedder: slim-afa (ships with vidreid, openvino)" in err.splitlines()
    assert "stronger" not in err


@pytest.mark.parametrize("words", [(), ("--offline",)])
def test_a_run_asks_no_other_machine_for_anything(say, listing, tmp_path, monkeypatch, words):
    asked = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *address, **how: asked.append(address) or [])
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: asked.append(address))
    assert say("run", listing, "--output", tmp_path / "run", "--detector", "oracle", *words).status == 0
    assert asked == []


@pytest.mark.usefixtures("no_detector")
def test_a_missing_network_is_status_5_and_says_where_it_goes(say, listing, tmp_path, own_home):
    answer = say("run", listing, "--output", tmp_path / "run")
    assert answer.status == 5
    assert "no detector on this machine" in answer.err
    assert str(own_home) in answer.err
    assert not (tmp_path / "run/ingest").exists()
