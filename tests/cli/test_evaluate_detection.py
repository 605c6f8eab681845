"""`evaluate detection` with a network that finds what pictures say."""

import json

import pytest
from labelled_pictures import HERE, THERE, write_detector, write_pictures


@pytest.fixture
def pictures(tmp_path):
    return write_pictures(
        tmp_path / "pictures", {"shop": [(HERE, [HERE]), (HERE, [THERE])], "street": [(THERE, [THERE])]}
    )


@pytest.fixture
def detection(say, tmp_path, pictures):
    """``detection("--json")`` scores a detector that sees and one that does not."""
    sees, blind = write_detector(tmp_path / "a", "sees"), write_detector(tmp_path / "b", "blind", color="bgr")
    return lambda *words: say(
        "evaluate", "detection", "--data", pictures, "--detector", sees, "--detector", blind, *words
    )


def test_detectors_stand_beside_each_other_set_by_set(detection):
    answer = detection()
    assert answer.status == 0
    head, *rows = answer.out.splitlines()
    assert head.split() == [
        *("set", "detector", "pictures", "boxes", "AP50", "AP50:95", "from", "score", "recall", "false/picture")
    ]
    assert [row.split() for row in rows] == [
        ["shop", "sees", "2", "2", "0.505", "0.505", "0.050", "0.500", "0.500"],
        ["shop", "blind", "2", "2", "0.000", "0.000", "0.050", "0.000", "0.000"],
        ["street", "sees", "1", "1", "1.000", "1.000", "0.050", "1.000", "0.000"],
        ["street", "blind", "1", "1", "0.000", "0.000", "0.050", "0.000", "0.000"],
    ]


def test_json_is_what_the_table_shows_and_the_curve(detection):
    rows = json.loads(detection("--json").out)
    assert [(row["set"], row["detector"], row["recall"]) for row in rows] == [
        ("shop", "sees", 0.5),
        ("shop", "blind", 0.0),
        ("street", "sees", 1.0),
        ("street", "blind", 0.0),
    ]
    assert rows[0]["curve"] == [1.0] * 51 + [0.0] * 50


def test_what_means_nothing_is_a_dash(detection):
    answer = detection("--partial", "shop")
    assert "note: shop: labels are partial, which gives recall alone" in answer.err
    assert answer.out.splitlines()[1].split() == ["shop", "sees", "2", "2", "-", "-", "0.050", "0.500", "-"]


def test_a_set_that_is_not_there_is_one_line(detection):
    answer = detection("--partial", "park")
    assert answer.status == 3
    assert answer.err.splitlines() == ["error: no set park", "hint: sets: shop, street"]
