"""A run in Berlin's time, from the command line: local times are typed and seen, and nothing is made anew for it."""

import csv
import json
import shutil
from datetime import UTC, datetime

import pytest

from vidreid.footage.zones import zone_named
from vidreid.pipeline.results import Run
from vidreid.store.folder import RunFolder

BERLIN = zone_named("Europe/Berlin")


@pytest.fixture
def berlin(finished, tmp_path):
    """The finished run, whose footage begins at 08:00 UTC, with Berlin's time said of it afterwards."""
    folder = shutil.copytree(finished, tmp_path / "run")
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**record, "timezone": "Europe/Berlin"}))
    return folder


def longest(run):
    return max(Run(run).tracklets().to_pylist(), key=lambda row: row["boxes"])


def exported(say, run, folder, *words):
    assert say("export", run, "--format", "csv", "--output", folder, *words).status == 0
    with (folder / "sightings.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_zone_of_a_run_makes_nothing_stale(say, berlin):
    assert json.loads(say("status", berlin, "--json").out)["match"]["status"] == "done"


def test_typed_times_are_local_and_with_a_zone_what_they_say(say, berlin, tmp_path):
    local = exported(say, berlin, tmp_path / "a", "--from", "2026-04-12 10:00:05", "--to", "2026-04-12T10:00:10")
    utc = exported(say, berlin, tmp_path / "b", "--from", "2026-04-12T08:00:05Z", "--to", "2026-04-12T08:00:10Z")
    assert local
    assert local == utc
    assert {row["local_time"][:17] for row in local} == {"2026-04-12T10:00:"}
    assert {row["local_time"][-6:] for row in local} == {"+02:00"}


def test_search_takes_and_prints_local_times(say, berlin):
    row = longest(berlin)
    middle = (row["start"] + (row["end"] - row["start"]) / 2).astimezone(BERLIN)
    frame = [
        json.loads(say("search", berlin, "--at", row["camera"], text, "--json").out)["frame"]
        for text in (f"{middle:%H:%M:%S.%f}", f"{middle:%Y-%m-%dT%H:%M:%S.%f}", f"{middle.astimezone(UTC).isoformat()}")
    ]
    assert len(set(frame)) == 1
    answer = say("search", berlin, "--tracklet", row["tracklet"], "--after", "10:00:00")
    assert answer.status == 0, answer.err
    hits = [line for line in answer.out.splitlines() if line.lstrip()[:1].isdigit() and ". " in line]
    assert hits
    assert all("2026-04-12 10:" in line and "+02:00 (08:" in line and "UTC)" in line for line in hits[1:])
    assert "2026" not in say("search", berlin, "--tracklet", row["tracklet"], "--after", "12:00:00").out


def test_a_split_at_a_local_time_is_the_same_as_at_that_time_in_utc(say, berlin):
    row = longest(berlin)
    middle = (row["start"] + (row["end"] - row["start"]) / 2).astimezone(BERLIN)
    for text in (f"{middle:%H:%M:%S.%f}", f"{middle.astimezone(UTC).isoformat()}"):
        assert say("decide", berlin, "--split", row["tracklet"], text, "--no-match").status == 0
        say("decide", berlin, "--undo", "last", "--no-match")
    entries = json.loads(say("decide", berlin, "--list", "--json").out)
    splits = [entry for entry in entries if entry["kind"] == "split"]
    assert len(splits) == 2
    assert splits[0]["sightings"] == splits[1]["sightings"]


def test_an_explanation_is_in_local_time_and_its_json_in_utc(say, berlin):
    name = longest(berlin)["tracklet"]
    assert "+02:00 (08:" in say("explain", berlin, name).out
    found = json.loads(say("explain", berlin, name, "--json").out)
    assert datetime.fromisoformat(found["sighting"]["start"]) == longest(berlin)["start"]
    assert found["sighting"]["start"].endswith("Z")


def test_a_time_that_clocks_never_show_is_refused(say, berlin, tmp_path):
    answer = say("export", berlin, "--format", "csv", "--output", tmp_path, "--from", "2026-03-29 02:30:00")
    assert answer.status == 3
    assert "does not exist in Europe/Berlin" in answer.err


def test_the_page_of_people_is_in_local_time(say, berlin):
    shutil.rmtree(berlin / "match")
    assert say("match", berlin).status == 0
    text = (berlin / "people.html").read_text()
    assert "Times are local (Europe/Berlin, UTC+02:00), 2026-04-12." in text
    assert "(08:00:" in text


def test_a_reading_given_after_the_run_makes_only_match_anew(say, site, finished, tmp_path):
    """From the stamp that somebody read to the times of the sightings: three commands."""
    run = shutil.copytree(finished, tmp_path / "run")
    cameras = site / "clocked.yaml"
    shutil.copy(site / "cameras.yaml", cameras)
    name = RunFolder(run).read().cameras[0].name
    before = {row["tracklet"]: row["start"] for row in Run(run).tracklets().to_pylist()}
    parts = {
        path: path.stat().st_mtime_ns for stage in ("track", "embed") for path in run.glob(f"{stage}/**/*.parquet")
    }
    answer = say("clock", cameras, name, "--at", "00:00:00", "--shows", "2026-04-12T08:00:30Z")
    assert answer.status == 0, answer.err
    answer = say("run", cameras, "--output", run)
    assert answer.status == 0, answer.err
    assert f"match: done again (clocks.{name}" in answer.err
    assert {path: path.stat().st_mtime_ns for path in parts} == parts
    after = {row["tracklet"]: row["start"] for row in Run(run).tracklets().to_pylist()}
    moved = {key: (after[key] - before[key]).total_seconds() for key in before}
    assert {round(seconds, 3) for key, seconds in moved.items() if key.startswith(f"{name}/")} == {30.0}
    assert {seconds for key, seconds in moved.items() if not key.startswith(f"{name}/")} == {0.0}
