"""Detectors on labelled pictures and footage, set by set."""

import shutil

import pytest
from labelled_pictures import HERE, THERE, write_detector, write_pictures

from vidreid.detection.oracle import Oracle
from vidreid.errors import InputError, MissingError, UsageError
from vidreid.pipeline.progress import Silent
from vidreid.training.detector.scoring import OpenDetector, open_detector, open_sets, score_set


@pytest.fixture
def pictures(tmp_path):
    return write_pictures(
        tmp_path / "pictures",
        {"shop": [(HERE, [HERE]), (HERE, [THERE]), (HERE, [HERE, THERE])], "empty": [(HERE, []), (None, [])]},
    )


@pytest.fixture
def network(tmp_path):
    return write_detector(tmp_path / "network")


def scores(network, *words, partial=()):
    reporter = Silent()
    sets, _ = open_sets([str(word) for word in words], partial)
    with open_detector(str(network)) as detector:
        return {one.name: score_set(detector, one, reporter) for one in sets}, reporter.notes


def test_every_set_has_a_score_of_its_own(network, pictures):
    found, _ = scores(network, pictures)
    assert list(found) == ["shop", "empty"]
    assert (found["shop"].pictures, found["shop"].boxes, found["shop"].recall) == (3, 4, 0.5)
    assert found["shop"].false_positives == pytest.approx(1 / 3)
    assert (found["empty"].boxes, found["empty"].recall, found["empty"].false_positives) == (0, None, 0.5)


def test_of_partly_labelled_sets_there_is_recall_alone(network, pictures):
    (pictures / "shop/labels/0.txt").write_text("")  # without labels a picture does not count
    found, _ = scores(network, pictures, partial=["shop"])
    assert (found["shop"].pictures, found["shop"].boxes, found["shop"].recall) == (2, 3, pytest.approx(1 / 3))
    assert (found["shop"].ap50, found["shop"].false_positives) == (None, None)
    assert found["empty"].false_positives == 0.5


def test_a_broken_picture_is_left_out_and_said(network, pictures):
    (pictures / "shop/images/1.png").write_bytes(b"no picture")
    found, notes = scores(network, pictures)
    assert (found["shop"].pictures, found["shop"].boxes, found["shop"].false_positives) == (2, 3, 0)
    assert [note for note in notes if "shop/images/1.png" in note]


def test_a_detector_is_used_from_the_score_that_is_stated_for_it(network):
    with open_detector(str(network)) as detector:
        assert (detector.name, detector.score) == ("glance", 0.05)
    card = network.with_suffix(".yaml")
    card.write_text(card.read_text() + "score: 0.3\n")
    with open_detector(str(network)) as detector:
        assert detector.score == 0.3


def test_footage_is_scored_on_every_labelled_frame(site):
    ((yard,), _) = open_sets([str(site / "yard.mp4")])
    oracle = OpenDetector("oracle", Oracle({"yard": site / "gt/yard.txt"}), 0.05)
    score = score_set(oracle, yard, Silent())
    rows = (site / "gt/yard.txt").read_text().splitlines()
    assert (score.pictures, score.boxes) == (250, len(rows))
    assert score.ap50 > 0.9
    assert score.ap < score.ap50


def test_labels_of_footage_are_partial_where_its_scene_says_so(site, tmp_path):
    shutil.copy(site / "yard.mp4", tmp_path)
    shutil.copy(site / "gt/yard.txt", tmp_path)
    (tmp_path / "scene.json").write_text('{"exhaustive": "partial", "range": {"yard": [1, 200]}}')
    ((yard,), notes) = open_sets([f"footage={tmp_path}"])
    labelled = {line.split(",")[0] for line in (tmp_path / "yard.txt").read_text().splitlines()}
    assert yard.partial
    assert 0 < len(yard.pictures) == len([frame for frame in labelled if int(frame) <= 200])
    assert notes == [f"{tmp_path.name}: labels are partial, which gives recall alone"]


@pytest.mark.parametrize(
    ("words", "partial", "kind", "line"),
    [
        (["{0}", "{0}"], [], InputError, "a second set shop"),
        (["{0}"], ["park"], InputError, "no set park"),
        (["{0}/nowhere"], [], InputError, "no such file"),
        (["coco={0}"], [], UsageError, "no layout 'coco'"),
    ],
)
def test_data_that_mean_nothing_are_one_line(pictures, words, partial, kind, line):
    with pytest.raises(kind, match=line):
        open_sets([word.format(pictures) for word in words], partial)


@pytest.mark.parametrize(
    ("wanted", "kind", "line"), [("nobody", MissingError, "no detector"), ("oracle", InputError, "looks at no picture")]
)
def test_only_networks_are_scored(wanted, kind, line):
    with pytest.raises(kind, match=line), open_detector(wanted):
        pass
