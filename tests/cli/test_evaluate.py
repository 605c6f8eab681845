"""`evaluate tracking` and `evaluate identity` on the world whose truth is known."""

import json

import pytest


def test_tracking_is_a_row_a_camera(say, finished, site):
    answer = say("evaluate", "tracking", finished, "--truth", site / "gt")
    assert answer.status == 0
    head, *rows = answer.out.splitlines()
    assert head.split() == ["camera", "mota", "idf1", "hota", "precision", "recall", "id_switches"]
    assert [row.split()[0] for row in rows] == ["north", "hall", "yard"]


def test_tracking_json_is_what_the_table_shows(say, finished, site):
    scores = json.loads(say("evaluate", "tracking", finished, "--truth", site, "--json").out)
    table = say("evaluate", "tracking", finished, "--truth", site).out.splitlines()[1:]
    assert {row.split()[0]: row.split()[1] for row in table} == {
        camera: f"{score['mota']:.3f}" for camera, score in scores.items()
    }
    assert all(score["mota"] > 0.8 for score in scores.values())


def test_identity_is_one_score_over_all_cameras(say, finished, site):
    score = json.loads(say("evaluate", "identity", finished, "--truth", site, "--json").out)
    text = say("evaluate", "identity", finished, "--truth", site).out
    assert 0 < score["idf1"] <= 1
    assert f"{'idf1':<22}{score['idf1']:.3f}" in text


def test_what_a_reader_should_know_stands_beside_the_scores(say, finished, site):
    answer = say("evaluate", "tracking", finished, "--truth", site, "--partial")
    assert "note: --partial leaves out every box that matches no label" in answer.err
    assert "note" not in answer.out


@pytest.mark.parametrize("what", ["tracking", "identity"])
def test_a_folder_without_labels_is_one_line(say, finished, tmp_path, what):
    answer = say("evaluate", what, finished, "--truth", tmp_path)
    assert answer.status == 3
    assert "no labels for north, hall, yard" in answer.err
    assert "name them <camera>.txt" in answer.err


def test_a_distractor_that_is_no_box_is_wrong_use(say, finished, site):
    answer = say("evaluate", "tracking", finished, "--truth", site, "--distractor", "hall:here")
    assert answer.status == 2
    assert "write it like" in answer.err
