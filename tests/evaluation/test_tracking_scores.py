"""Tracking scores of one camera, on scenes small enough to score by hand."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled_scenes import joined, relabelled, scenes, seen, truth

from vidreid.errors import InputError
from vidreid.evaluation.mot import Rows
from vidreid.evaluation.tracking import evaluate_tracking
from vidreid.evaluation.truth import CameraTruth, Truth

TWO = [{0: 1, 1: 2}] * 4
EMPTY = seen()


def score(labels, output, **options):
    return evaluate_tracking(truth(c=labels), {"c": output}, **options)["c"]


@pytest.mark.parametrize(
    ("story", "output", "expected"),
    [
        ("perfect", seen(*TWO), {"mota": 1, "idf1": 1, "hota": 1, "deta": 1, "assa": 1, "tp": 8}),
        ("nobody was seen", EMPTY, {"mota": 0, "idf1": 0, "hota": 0, "recall": 0, "fn": 8, "output_ids": 0}),
        (
            "the two swap ids half-way",
            seen({0: 1, 1: 2}, {0: 1, 1: 2}, {0: 2, 1: 1}, {0: 2, 1: 1}),
            {"mota": 0.75, "idf1": 0.5, "id_switches": 2, "deta": 1, "assa": 1 / 3, "hota": 3**-0.5},
        ),
        (
            "one person is split into two tracks",
            seen({0: 1, 1: 2}, {0: 1, 1: 2}, {0: 3, 1: 2}, {0: 3, 1: 2}),
            {"mota": 7 / 8, "idf1": 6 / 8, "id_switches": 1, "fragments": 0, "assa": 0.75, "output_ids": 3},
        ),
        (
            "two people, one after another, share a track",
            seen({0: 1}, {0: 1}, {1: 1}, {1: 1}),
            {"mota": 0.5, "idf1": 4 / 12, "idp": 0.5, "idr": 0.25, "id_switches": 0, "tp": 4, "fn": 4, "output_ids": 1},
        ),
        (
            "one person is lost for a frame",
            seen({0: 1, 1: 2}, {1: 2}, {0: 1, 1: 2}, {0: 1, 1: 2}),
            {"mota": 7 / 8, "idf1": 14 / 15, "fragments": 1, "id_switches": 0, "recall": 7 / 8, "precision": 1},
        ),
        (
            "a ghost beside them",
            joined(seen(*TWO), seen({3: 9}, {3: 9})),
            {"mota": 0.75, "precision": 0.8, "recall": 1, "fp": 2, "idp": 0.8, "idr": 1},
        ),
    ],
)
def test_stories_of_two_people(story, output, expected):
    found = score(seen(*TWO), output).as_dict()
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_a_box_is_right_from_the_threshold_on():
    loose = seen(*TWO, shift=0.25)  # IoU 0.6
    assert score(seen(*TWO), loose).tp == 8
    assert score(seen(*TWO), loose, threshold=0.7).as_dict() | {"hota": 0} == (
        score(seen(*TWO), loose, threshold=0.9).as_dict() | {"hota": 0}
    )
    assert (score(seen(*TWO), loose, threshold=0.7).tp, score(seen(*TWO), loose, threshold=0.7).idf1) == (0, 0)


def test_an_overlap_of_exactly_the_threshold_is_right():
    half = Rows(np.ones(1, np.int64), np.ones(1, np.int64), np.array([[0, 0, 40, 50]], np.float32))
    assert (score(seen({0: 1}), half).tp, score(seen({0: 1}), half).idf1) == (1, 1)


def test_a_track_goes_on_where_it_still_fits_though_another_fits_better():
    output = joined(seen({0: 5}, {0: 5}, shift=0.25), seen({}, {0: 6}))
    assert score(seen({0: 1}, {0: 1}), output).id_switches == 0
    backwards = joined(seen({0: 5}, {0: 5}, shift=0.25), seen({0: 6}))
    assert score(seen({0: 1}, {0: 1}), backwards).id_switches == 1


def test_only_labelled_frames_count():
    labels = Truth({"c": CameraTruth(seen({}, {0: 1}, {0: 1}), span=(2, 3))})
    found = evaluate_tracking(labels, {"c": seen({0: 5}, {0: 5}, {0: 5}, {0: 5})})["c"]
    assert (found.precision, found.idf1, found.left_out) == (1, 1, 2)


def test_ids_of_one_camera_say_nothing_of_another():
    found = evaluate_tracking(truth(a=seen({0: 1}), b=seen({0: 2})), {"a": seen({0: 8}), "b": seen({0: 8})})
    assert [each.idf1 for each in found.values()] == [1, 1]


def test_a_labelled_camera_without_output_is_refused():
    with pytest.raises(InputError, match="b: labels, but no output") as refusal:
        evaluate_tracking(truth(a=seen({0: 1}), b=seen({0: 2})), {"a": seen({0: 8}), "B": seen({0: 8})})
    assert refusal.value.hint == "outputs are of: a, B"


@pytest.mark.parametrize(("labels", "output"), [({0: 1, 1: 1}, {0: 1}), ({0: 1}, {0: 1, 1: 1})])
def test_an_id_with_two_boxes_in_a_frame_is_refused(labels, output):
    with pytest.raises(InputError, match=r"c: (labels|output): id 1 has two boxes in frame 2"):
        score(seen({}, labels), seen({}, output))


def test_scores_go_into_json():
    assert json.loads(json.dumps(score(seen(*TWO), seen(*TWO)).as_dict()))["mota"] == 1.0


@given(scenes())
def test_truth_against_itself_is_perfect(rows):
    found = score(rows, rows)
    assert [found.mota, found.idf1, found.hota, found.deta, found.assa] == pytest.approx([1] * 5)
    assert (found.fp, found.fn, found.id_switches, found.left_out) == (0, 0, 0, 0)


@given(scenes(), scenes(), st.permutations(range(4)))
def test_names_of_output_ids_do_not_matter(labels, output, names):
    renamed = relabelled(output, lambda ident: 1000 - 7 * names[ident])
    assert score(labels, renamed).as_dict() == pytest.approx(score(labels, output).as_dict())


@given(scenes(), scenes(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(labels, output, random):
    order = list(range(len(output)))
    random.shuffle(order)
    found = score(labels, output.take(order)).as_dict()
    assert found == pytest.approx(score(labels, output).as_dict())


@given(scenes(), scenes(), st.integers(1, 6))
def test_a_ghost_never_helps(labels, output, frames):
    before = score(labels, output)
    after = score(labels, joined(output, seen(*[{9: 99}] * frames)))
    assert after.recall == before.recall
    for name in ("mota", "idf1", "idp", "hota", "deta", "precision"):
        assert getattr(after, name) <= getattr(before, name) + 1e-12


@given(scenes(), scenes())
def test_counts_add_up(labels, output):
    found = score(labels, output)
    assert (found.tp + found.fn, found.tp + found.fp) == (found.truth_boxes, found.output_boxes)
    assert found.mota == pytest.approx(1 - (found.fn + found.fp + found.id_switches) / found.truth_boxes)
    assert found.idf1 == pytest.approx(2 * found.idp * found.idr / max(found.idp + found.idr, 1e-12))
