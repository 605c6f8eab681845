"""`evaluate identity`, of a run and of a data set."""

import json
import re

import numpy as np
import pytest
from crowds import write_crowd

KEYS = ("pair_precision", "pair_recall", "pair_f1", "b3_f1", "purity", "completeness", "promised", "achieved")


@pytest.fixture
def crowd(tmp_path):
    return write_crowd(tmp_path / "crowd", sequences=2, pictures=2)


def test_scores_of_a_data_set_stand_below_what_was_put_together(say, crowd):
    answer = say("evaluate", "identity", "--dataset", crowd, "--embedder", "colours")
    assert answer.status == 0
    head, *lines = answer.out.splitlines()
    assert re.fullmatch(
        r"colours on crowd: 13 tracklets of 3 people, \d+ identities found \(expected: \d mixed, \d split\)", head
    )
    assert [line.split()[0] for line in lines[:6]] == list(KEYS[:6])
    assert lines[-2].startswith("false match rate per comparison, expected: ")
    share = r"0\.\d{3}"
    assert re.fullmatch(
        rf"promised 0.02, expected {share} \({share} to {share}\), achieved 0.000 \(95 % interval 0.000 to {share}\)",
        lines[-1],
    )
    assert "note: 1 tracklets of identity 0 are distractors" in answer.err


def test_json_has_the_scores_the_promise_and_what_was_achieved(say, crowd):
    answer = say("evaluate", "identity", "--dataset", crowd, "--embedder", "colours", "--wrong-pairs", "0.1", "--json")
    found = json.loads(answer.out)
    assert set(KEYS) <= set(found)
    assert (found["promised"], found["achieved"], found["pair_precision"]) == (0.1, 0, 1)
    assert (found["tracklets"], found["people"], found["distractors"]) == (13, 3, 1)


def test_where_nothing_is_put_together_there_is_nothing_to_be_right(say, crowd, tmp_path):
    paths = [f"pictures/p{p}_c{c}_s{s}_0.png" for p in (1, 2, 3) for c in (1, 2) for s in (0, 1)]
    np.savez(tmp_path / "f.npz", paths=paths, features=np.eye(12))
    words = ("evaluate", "identity", "--dataset", crowd, "--features", tmp_path / "f.npz", "--min-pictures", 2)
    found = json.loads(say(*words, "--json").out)
    assert (found["pair_precision"], found["achieved"], found["pair_recall"]) == (None, None, 0)
    lines = say(*words).out.splitlines()
    assert lines[1].split() == ["pair_precision", "-"]
    assert lines[-1] == "promised 0.02, expected -, achieved -"


def test_what_was_expected_stands_beside_what_came_out(say, crowd):
    found = json.loads(say("evaluate", "identity", "--dataset", crowd, "--embedder", "colours", "--json").out)
    expected = found["expected"]
    assert expected["pairs"] == found["pairs"]
    assert expected["wrong_share"][0] <= found["promised"]
    for low_first in (expected["wrong_share"], expected["false_match_rate"]):
        value, low, high = low_first
        assert 0 <= low <= value < high <= 1
    assert found["card_people"] > 0


def test_vectors_made_elsewhere_have_the_card_of_the_embedder_that_is_named(say, crowd, tmp_path):
    paths = [f"pictures/p{p}_c{c}_s{s}_0.png" for p in (1, 2, 3) for c in (1, 2) for s in (0, 1)]
    np.savez(tmp_path / "f.npz", paths=paths, features=np.repeat(np.eye(3, 512), 4, 0))
    words = ("evaluate", "identity", "--dataset", crowd, "--features", tmp_path / "f.npz", "--min-pictures", 2)
    nobody, whose = say(*words), say(*words, "--embedder", "colours")
    assert "note: f has no card" in nobody.err
    assert whose.status == 0
    assert "no card" not in whose.err


def test_vectors_that_are_not_of_the_embedder_that_is_named_are_refused(say, crowd, tmp_path):
    paths = [f"pictures/p{p}_c{c}_s{s}_0.png" for p in (1, 2, 3) for c in (1, 2) for s in (0, 1)]
    np.savez(tmp_path / "f.npz", paths=paths, features=np.eye(12))
    words = ("--features", tmp_path / "f.npz", "--min-pictures", 2, "--embedder", "shipped")
    answer = say("evaluate", "identity", "--dataset", crowd, *words)
    assert answer.status == 3
    assert "vectors of 12 numbers are not those of slim-afa, which has 256" in answer.err


def test_a_plot_of_a_run_is_written_beside_its_scores(say, finished, site, tmp_path):
    answer = say("evaluate", "identity", finished, "--truth", site, "--plot", tmp_path / "t.svg")
    assert answer.status == 0
    assert (tmp_path / "t.svg").read_text().startswith("<?xml")
    names = [line.split()[0] for line in answer.out.splitlines()]
    assert names[-4:] == ["purity", "completeness", "cross_pair_precision", "cross_pair_recall"]


def test_a_plot_of_no_known_kind_is_refused(say, finished, site, tmp_path):
    answer = say("evaluate", "identity", finished, "--truth", site, "--plot", tmp_path / "t.jpg")
    assert answer.status == 2
    assert "t.jpg: not a kind of picture" in answer.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "neither a run nor a data set to score"),
        (["RUN", "--dataset", "CSV"], "a run and a data set"),
        (["RUN"], "--truth is missing"),
        (["RUN", "--truth", "x", "--wrong-pairs", "0.1"], "--wrong-pairs is an option of a data set"),
        (["RUN", "--truth", "x", "--features", "f.npz"], "--features is an option of a data set"),
        (["--dataset", "CSV", "--truth", "x"], "--truth is an option of a run"),
        (["--dataset", "CSV", "--distractor", "a:1,2,3,4"], "--distractor is an option of a run"),
        (["--dataset", "CSV", "--wrong-pairs", "0"], "0"),
    ],
)
def test_options_that_contradict_each_other_are_wrong_use(say, crowd, finished, words, message):
    given = {"RUN": finished, "CSV": crowd}
    answer = say("evaluate", "identity", *(given.get(word, word) for word in words))
    assert answer.status == 2
    assert message in answer.err
    assert "hint:" in answer.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--dataset", "nowhere.csv"], "nowhere.csv: no such file"),
        (["--dataset", "ark", "--data", "."], "ark"),
        (["--dataset", "market1501", "--data", "EMPTY"], "bounding_box_test"),
        (["--dataset", "CSV", "--min-pictures", "9"], "0 tracklets of 9 pictures or more"),
        (["--dataset", "CSV", "--features", "OTHER"], "no features of 13 of 13 pictures"),
        (["--dataset", "CSV", "--features", "FLAT"], "features float64 (2,)"),
    ],
)
def test_data_that_cannot_be_scored_is_one_line(say, crowd, tmp_path, words, message):
    np.savez(tmp_path / "other.npz", paths=["x.png"], features=np.ones((1, 2)))
    np.savez(tmp_path / "flat.npz", paths=["x.png", "y.png"], features=np.ones(2))
    (tmp_path / "empty").mkdir()
    given = {"CSV": crowd, "OTHER": tmp_path / "other.npz", "FLAT": tmp_path / "flat.npz", "EMPTY": tmp_path / "empty"}
    embedder = [] if "--features" in words else ["--embedder", "colours"]
    answer = say("evaluate", "identity", *(given.get(word, word) for word in words), *embedder)
    assert answer.status in (2, 3)
    assert message in answer.err
    assert "Traceback" not in answer.err
