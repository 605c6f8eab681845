"""Partial labels: what matches no label is left out, unless it lies on a declared distractor."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from labelled_scenes import HEIGHT, STEP, WIDTH, joined, scenes, seen, truth

from vidreid.evaluation.mot import Rows
from vidreid.evaluation.partial import MATCH_IOU, counted
from vidreid.evaluation.sequence import iou
from vidreid.evaluation.tracking import evaluate_tracking
from vidreid.evaluation.truth import CameraTruth, Truth

EASEL = np.array([[3 * STEP, 0, 3 * STEP + WIDTH, HEIGHT]], np.float32)
NONE = np.zeros((0, 4), np.float32)
LABELS = seen({0: 1, 1: 2}, {0: 1, 1: 2}, {}, {0: 1})


def score(output, *, distractors=NONE, partial=True):
    return evaluate_tracking(Truth({"c": CameraTruth(LABELS, distractors)}), {"c": output}, partial=partial)["c"]


def test_an_unlabelled_stranger_is_left_out():
    output = joined(LABELS, seen({2: 9}, {2: 9}))
    assert (score(output).precision, score(output).left_out) == (1.0, 2)
    assert (score(output, partial=False).precision, score(output, partial=False).fp) == (5 / 7, 2)


def test_an_output_on_a_distractor_is_false():
    output = joined(LABELS, seen({3: 9}, {3: 9}, shift=0.2))
    assert score(output, distractors=EASEL).fp == 2
    assert score(output).fp == 0


def test_a_frame_without_labels_does_not_count_even_on_a_distractor():
    output = joined(LABELS, seen({}, {}, {3: 9}))
    assert (score(output, distractors=EASEL).fp, score(output, distractors=EASEL).left_out) == (0, 1)


def test_a_box_beside_the_distractor_is_a_stranger():
    output = joined(LABELS, seen({3: 9}, shift=0.6))  # IoU 0.25
    assert score(output, distractors=EASEL).fp == 0


def test_the_second_box_on_a_person_is_left_out():
    output = joined(LABELS, seen({0: 9}, shift=0.2))
    assert (score(output).tp, score(output).fp, score(output).left_out) == (5, 0, 1)


def test_a_box_that_matches_loosely_counts_and_is_wrong_at_half():
    loose = seen({0: 1, 1: 2}, {0: 1, 1: 2}, {}, {0: 1}, shift=0.5)  # IoU 1/3
    assert (score(loose).tp, score(loose).fp, score(loose).fn) == (0, 5, 5)


def test_a_missed_person_is_missed():
    assert (score(seen({0: 1})).recall, score(seen({0: 1})).fn) == (1 / 5, 4)


boxes = st.lists(
    st.tuples(*[st.integers(0, 20)] * 2, *[st.integers(10, 30)] * 2).map(
        lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
    ),
    min_size=1,
    max_size=4,
)


@given(boxes, boxes)
def test_the_assignment_is_one_to_one_and_of_the_largest_total_overlap(labelled, offered):
    labels, output = (
        Rows(np.ones(len(each), np.int64), np.arange(len(each)), np.array(each, np.float32))
        for each in (labelled, offered)
    )
    overlap = iou(labels.boxes, output.boxes)
    overlap[overlap < MATCH_IOU] = 0
    padded = np.zeros((max(overlap.shape), max(overlap.shape)))
    padded[: overlap.shape[0], : overlap.shape[1]] = overlap
    totals = {
        order: sum(padded[row, column] for row, column in enumerate(order))
        for order in permutations(range(len(padded)))
    }
    best = [
        {column for row, column in enumerate(order) if padded[row, column] > 0}
        for order, total in totals.items()
        if np.isclose(total, max(totals.values()), rtol=0, atol=1e-12)
    ]
    assert set(np.flatnonzero(counted(labels, output, NONE)).tolist()) in best


@given(scenes(), scenes())
def test_strangers_change_nothing(labels, output):
    strangers = seen(*[{7: 77, 8: 88}] * 6)
    alone = evaluate_tracking(truth(c=labels), {"c": output}, partial=True)["c"]
    crowded = evaluate_tracking(truth(c=labels), {"c": joined(output, strangers)}, partial=True)["c"]
    assert crowded.as_dict() | {"left_out": alone.left_out} == alone.as_dict()


@given(scenes(), scenes())
def test_partial_scoring_equals_the_exhaustive_one_once_the_uncounted_boxes_are_gone(labels, output):
    kept = output.take(counted(labels, output, NONE))
    partial = evaluate_tracking(truth(c=labels), {"c": output}, partial=True)["c"]
    exhaustive = evaluate_tracking(truth(c=labels), {"c": kept})["c"]
    assert partial.as_dict() | {"left_out": 0} == exhaustive.as_dict()
