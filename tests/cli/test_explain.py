"""`explain`: from names to words, JSON and a picture."""

import json

import cv2
import pytest

from vidreid.pipeline.results import Run


@pytest.fixture
def pair(run):
    rows = [row for row in Run(run).evidence().to_pylist() if row["kind"] == "same"]
    return rows[0]["first"], rows[0]["second"]


def test_two_sightings_in_words(say, run, pair):
    answer = say("explain", run, *pair)
    assert answer.status == 0, answer.err
    assert "likeness: " in answer.out
    assert " one person by looks: " in answer.out
    assert answer.out.splitlines()[0].startswith(f"{pair[0]} and {pair[1]} are taken for one person, P")
    assert f"vidreid decide {run} --different {pair[0]} {pair[1]}" in answer.out
    assert answer.out.splitlines()[-1] == "A match is a lead, not proof."


def test_one_sighting_and_a_person(say, run, pair):
    answer = say("explain", run, pair[0])
    assert "held there by:" in answer.out
    identity = answer.out.splitlines()[0].split()[-1]
    text = say("explain", run, identity).out
    assert text.startswith(f"{identity}: ")
    assert "weakest link: " in text


def test_json_holds_what_the_words_say(say, run, pair):
    found = json.loads(say("explain", run, *pair, "--json").out)
    assert found["kind"] == "pair"
    assert found["same"] is True
    assert found["threshold"] == json.loads((run / "match" / "calibration.json").read_text())["threshold"]
    assert 0 < found["link"]["chance"]["low"] < found["link"]["chance"]["high"] < 1
    assert [found["first"]["tracklet"], found["second"]["tracklet"]] == list(pair)


def test_the_picture_is_written(say, run, pair, tmp_path):
    assert say("explain", run, *pair, "--picture", tmp_path / "why.png").status == 0
    assert cv2.imread(str(tmp_path / "why.png")).shape[1] == 1200


@pytest.mark.parametrize(
    ("words", "status", "error", "hint"),
    [
        (("hall/1",), 2, "no sighting or person 'hall/1' in this run", "did you mean hall/000001"),
        (("P0001", "P0002"), 2, "neither one name nor two sightings", "vidreid explain"),
        (("P0001", "--picture", "why.png"), 2, "--picture compares two sightings", "vidreid explain RUN"),
        ((), 2, "Missing argument", "vidreid explain --help"),
    ],
)
def test_wrong_use(say, run, words, status, error, hint):
    answer = say("explain", run, *words)
    assert answer.status == status
    assert error in answer.err
    assert hint in answer.err


def test_what_is_no_run_and_what_is_not_matched(say, run, tmp_path):
    assert "not a run folder" in say("explain", tmp_path, "P0001").err
    (run / "match" / "tracklets.parquet").unlink()
    answer = say("explain", run, "P0001")
    assert answer.status == 3
    assert f"hint: vidreid match {run}" in answer.err
