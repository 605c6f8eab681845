"""`calibrate`: what a likeness means in a run."""

import json

import cv2
import pytest


def test_the_curve_and_the_promise(say, run):
    answer = say("calibrate", run)
    assert answer.status == 0, answer.err
    assert answer.out.startswith("promised             2 % of the pairs put together are wrong")
    assert "<- put together from here on" in answer.out
    assert "one person, in one camera" in answer.out
    assert "one person, in two cameras" in answer.out
    assert " 100 %" not in answer.out


def test_json_is_what_match_wrote(say, run):
    found = json.loads(say("calibrate", run, "--json").out)
    written = json.loads((run / "match" / "calibration.json").read_text())
    assert found["curves"] == written["curves"]
    assert found["sources"] == written["sources"]
    assert "check" not in found


def test_a_plot_is_drawn(say, run, tmp_path):
    assert say("calibrate", run, "--plot", tmp_path / "curve.png").status == 0
    assert cv2.imread(str(tmp_path / "curve.png")).shape[1] == 2100


def test_labels_check_it(say, run, site):
    answer = say("calibrate", run, "--truth", site / "gt")
    assert answer.status == 0, answer.err
    assert "checked on" in answer.out
    assert "promised             2 %:" in answer.out
    check = json.loads(say("calibrate", run, "--truth", site / "gt", "--json").out)["check"]
    assert check["promised"] == 0.02
    assert check["bins"]["same"]
    assert check["bins"]["cross"]


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        (("--partial",), 2, "labels' options without --truth"),
        (("--truth", "nowhere"), 3, "nowhere: no such folder"),
        (("--plot", "curve.jpeg"), 2, "curve.jpeg: not a kind of picture"),
    ],
)
def test_wrong_use(say, run, words, status, error):
    answer = say("calibrate", run, *words)
    assert answer.status == status
    assert error in answer.err


def test_what_an_older_program_matched(say, run):
    (run / "match" / "calibration.json").unlink()
    answer = say("calibrate", run)
    assert answer.status == 3
    assert "an older program matched it" in answer.err
    assert f"hint: vidreid match {run}" in answer.err


def test_what_is_not_matched(say, run):
    for file in (run / "match").iterdir():
        file.unlink()
    answer = say("calibrate", run)
    assert answer.status == 3
    assert f"hint: vidreid match {run}" in answer.err
