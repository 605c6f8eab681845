"""`demo`: films, runs, scores, draws."""

import json

import cv2
import pytest

from vidreid.engines.registry import shipped

WITHOUT_NETWORKS = ("--detector", "oracle", "--embedder", "colours")


def test_ten_seconds_through_the_command_line(say, tmp_path):
    words = ("demo", "--output", tmp_path / "demo", "--seconds", 10, *WITHOUT_NETWORKS)
    answer = say(*words, "--json")
    assert answer.status == 0
    made = json.loads(answer.out)
    assert set(made["tracking"]) == {"north", "hall", "yard"}
    assert all(0 <= score["mota"] <= 1 for score in made["tracking"].values())
    assert 0 < made["identity"]["idf1"] <= 1
    assert {kind: network["name"] for kind, network in made["networks"].items()} == {
        "detector": "oracle",
        "embedder": "colours",
    }
    assert cv2.imread(made["picture"]).std() > 10
    assert (tmp_path / "demo/run/people.html").is_file()

    again = say(*words)
    assert again.status == 0
    assert "detector: oracle (the world's own truth" in again.out
    assert "embedder: colours (colours of clothing, no network)" in again.out
    assert f"IDF1 {made['identity']['idf1']:.3f}" in again.out
    assert "film:" not in again.err  # nothing was filmed again

    other = say(*words, "--seed", 1)
    assert other.status == 3
    assert "holds the film of another demo" in other.err


def test_a_fresh_install_finds_and_names_people_with_the_networks_that_ship(say, tmp_path):
    detectors = [name for name, entry in shipped().items() if entry.kind == "detector"]
    if not detectors:
        pytest.skip("no detector ships with this checkout")
    answer = say("demo", "--output", tmp_path / "demo", "--seconds", 10)
    assert answer.status == 0, answer.err
    assert f"detector: {detectors[0]} (ships with vidreid, openvino)" in answer.out
    assert "embedder: slim-afa (ships with vidreid, openvino)" in answer.out
    made = json.loads(say("demo", "--output", tmp_path / "demo", "--seconds", 10, "--json").out)
    assert all(score["mota"] > 0.5 for score in made["tracking"].values())
    assert made["identity"]["idf1"] > 0.5
