"""Settings and clocks that cannot be meant, and those that change what is done."""

from __future__ import annotations

import pytest

import vidreid as package

NETWORKS = ("--detector", "oracle", "--embedder", "colours")


def two_lines(answer):
    """The error and its hint, and nothing else."""
    error, hint = answer.err.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    return error, hint


@pytest.mark.parametrize(
    ("text", "key", "near"),
    [
        ("detection: {scroe: 0.2}", "detection.scroe", "'score'"),
        ("segment: {seconds: 60}", "segment", "'segments'"),
        ("crops: {colour: red}", "crops.colour", "jpeg"),
    ],
)
def test_an_unknown_setting_names_the_nearest_known_one(say, good, tmp_path, text, key, near):
    settings = tmp_path / "settings.yaml"
    settings.write_text(text)
    answer = say("run", f"a={good}/a.mp4", "--output", tmp_path / "run", "--settings", settings, *NETWORKS)
    error, hint = two_lines(answer)
    assert answer.status == 3
    assert f"{settings}: unknown key {key!r}" in error
    assert near in hint
    assert not (tmp_path / "run").exists()


def cameras(tmp_path, text):
    path = tmp_path / "cameras.yaml"
    path.write_text(text)
    return path


def test_an_unknown_key_of_a_camera_names_the_nearest_known_one(say, good, tmp_path):
    listing = cameras(tmp_path, f"cameras: {{a: {{files: [{good}/a.mp4], strat: 2026-04-12T08:00:00Z}}}}")
    answer = say("run", listing, "--output", tmp_path / "run", *NETWORKS)
    error, hint = two_lines(answer)
    assert answer.status == 3
    assert "unknown key 'cameras.a.strat'" in error
    assert "did you mean 'start'?" in hint


def test_a_camera_given_twice_in_a_yaml_is_an_error(say, good, tmp_path):
    listing = cameras(tmp_path, f"cameras:\n  a: {{files: [{good}/a.mp4]}}\n  a: {{files: [{good}/b.mp4]}}\n")
    answer = say("run", listing, "--output", tmp_path / "run", *NETWORKS)
    assert answer.status == 3
    assert "'a' is given twice in" in two_lines(answer)[0]


OVERLAP = """cameras:
  a:
    files: [{{file: {0}/a.mp4, start: 2026-04-12T08:00:10Z}}, {{file: {0}/b.mp4, start: 2026-04-12T08:00:02Z}}]
"""


def test_files_of_one_camera_that_overlap_in_time_are_an_error_that_names_both(say, good, tmp_path):
    answer = say("run", cameras(tmp_path, OVERLAP.format(good)), "--output", tmp_path / "run", *NETWORKS)
    error, hint = (line for line in answer.err.splitlines() if not line.startswith(("ingest", "detector", "embedder")))
    assert answer.status == 3
    assert error == "error: a: b.mp4 starts 10 s before a.mp4 ends"
    assert "start" in hint


def test_one_camera_in_two_yamls_with_overlapping_clocks_stops_that_camera_only(say, own, tmp_path):
    listings = []
    for number, second in enumerate((10, 2)):
        listings.append(tmp_path / f"{number}.yaml")
        file = f"{own}/{'ab'[number]}.mp4"
        listings[-1].write_text(f"cameras: {{x: {{files: [{file}], start: '2026-04-12T08:00:{second:02}Z'}}}}")
    (own / "gt" / "x.txt").write_text((own / "gt" / "a.txt").read_text())
    answer = say("run", *listings, f"b={own}/b.mp4", "--output", tmp_path / "run", *NETWORKS)
    assert answer.status == 4
    assert "error: x: b.mp4 starts 10 s before a.mp4 ends" in answer.err
    assert package.open_run(tmp_path / "run").tracklets()["camera"].to_pylist() == ["b"]


def test_a_corrected_clock_is_taken_up_and_checked_again(say, good, tmp_path):
    listing, run = cameras(tmp_path, OVERLAP.format(good).replace("08:00:02", "08:01:00")), tmp_path / "run"
    assert say("run", listing, "--output", run, *NETWORKS).status == 0
    made = (run / "track" / "a" / "00000.parquet").stat().st_mtime_ns
    listing.write_text(OVERLAP.format(good))
    assert say("run", listing, "--output", run, *NETWORKS).status in (3, 4)
    listing.write_text(OVERLAP.format(good).replace("08:00:02", "08:02:00"))
    assert say("run", listing, "--output", run, *NETWORKS).status == 0
    assert (run / "track" / "a" / "00000.parquet").stat().st_mtime_ns == made


def test_other_settings_on_a_known_run_name_what_they_touch_and_redo_it(say, run, tmp_path):
    tracked = {path: path.stat().st_mtime_ns for path in (run / "track").rglob("*.parquet")}
    answer = say("run", run, "--wrong-pairs", "0.1")
    assert answer.status == 0
    assert {path: path.stat().st_mtime_ns for path in (run / "track").rglob("*.parquet")} == tracked

    settings = tmp_path / "settings.yaml"
    settings.write_text("crops: {jpeg: 80}")
    answer = say("run", run, "--settings", settings)
    assert answer.status == 0
    assert "track: 2 of 2 segments are done again (crops.jpeg 90 -> 80)" in answer.err
    assert all(path.stat().st_mtime_ns != before for path, before in tracked.items())


@pytest.mark.usefixtures("no_detector")
def test_a_missing_network_is_named_before_any_footage_is_read(say, good, tmp_path, own_home):
    """The camera's file is no footage, and nobody gets to see that."""
    (tmp_path / "text.mp4").write_text("just words")
    answer = say("run", f"c={tmp_path}/text.mp4", "--output", tmp_path / "run", "--embedder", "colours", "--offline")
    error, hint, *places = answer.err.splitlines()
    assert answer.status == 5
    assert error == "error: no detector on this machine"
    assert hint.startswith("hint: give --detector PATH")
    assert all(str(own_home) in place for place in places)
    assert not list((tmp_path / "run").rglob("*.parquet"))
