"""`demo`: films, runs, scores, draws."""

import json

import cv2


def test_ten_seconds_through_the_command_line(say, tmp_path):
    answer = say("demo", "--output", tmp_path / "demo", "--seconds", 10, "--json")
    assert answer.status == 0
    made = json.loads(answer.out)
    assert set(made["tracking"]) == {"north", "hall", "yard"}
    assert all(0 <= score["mota"] <= 1 for score in made["tracking"].values())
    assert 0 < made["identity"]["idf1"] <= 1
    assert cv2.imread(made["picture"]).std() > 10
    assert (tmp_path / "demo/run/people.html").is_file()

    again = say("demo", "--output", tmp_path / "demo", "--seconds", 10)
    assert again.status == 0
    assert "the world's oracle: its own truth" in again.out
    assert "colours of clothing, without a network" in again.out
    assert f"IDF1 {made['identity']['idf1']:.3f}" in again.out
    assert "film:" not in again.err  # nothing was filmed again

    other = say("demo", "--output", tmp_path / "demo", "--seconds", 10, "--seed", 1)
    assert other.status == 3
    assert "holds the film of another demo" in other.err
