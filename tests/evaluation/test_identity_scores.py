"""Identity scores over cameras, on scenes small enough to score by hand."""

import json
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_scenes import joined, relabelled, scenes, seen, truth

from vidreid.evaluation.identity import evaluate_identity
from vidreid.evaluation.sequence import iou
from vidreid.evaluation.tracking import evaluate_tracking
from vidreid.evaluation.truth import CameraTruth, Truth

LABELS = {"a": seen(*[{0: 1, 1: 2}] * 4), "b": seen(*[{0: 1, 1: 2}] * 4)}


@pytest.mark.parametrize(
    ("story", "outputs", "expected"),
    [
        ("perfect", LABELS, {"idf1": 1, "hota": 1, "deta": 1, "assa": 1, "hota_unaligned": 1, "output_ids": 2}),
        ("nobody was seen", {"a": seen(), "b": seen()}, {"idf1": 0, "hota": 0, "hota_unaligned": 0, "output_ids": 0}),
        (
            "every camera has its own identities: half of every person agrees with one of them",
            {"a": LABELS["a"], "b": seen(*[{0: 3, 1: 4}] * 4)},
            {"idf1": 0.5, "deta": 1 / 3, "assa": 0.5, "hota_unaligned": 0.5**0.5, "output_ids": 4},
        ),
        (
            "the two are exchanged in the other camera",
            {"a": LABELS["a"], "b": seen(*[{0: 2, 1: 1}] * 4)},
            {"idf1": 0.5, "deta": 1 / 3, "assa": 1 / 3, "hota": 1 / 3, "hota_unaligned": 3**-0.5, "output_ids": 2},
        ),
        (
            "one of the two is never seen",
            {"a": seen(*[{0: 7}] * 4), "b": seen(*[{0: 7}] * 4)},
            {"idp": 1, "idr": 0.5, "idf1": 2 / 3, "deta": 0.5, "assa": 1, "output_ids": 1},
        ),
    ],
)
def test_stories_of_two_people_in_two_cameras(story, outputs, expected):
    found = evaluate_identity(truth(**LABELS), outputs).as_dict()
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_every_camera_is_also_scored_by_itself():
    outputs = {"a": LABELS["a"], "b": seen(*[{0: 3, 1: 4}] * 4)}
    found = evaluate_identity(truth(**LABELS), outputs)
    assert found.cameras == evaluate_tracking(truth(**LABELS), outputs)
    assert [each.idf1 for each in found.cameras.values()] == [1, 1]


def test_strangers_in_front_of_partial_labels_do_not_count_and_distractors_do():
    outputs = {"a": joined(LABELS["a"], seen(*[{2: 9, 3: 8}] * 4)), "b": LABELS["b"]}
    assert evaluate_identity(truth(**LABELS), outputs, partial=True).idf1 == 1
    easel = seen({3: 0}).boxes
    labels = Truth({"a": CameraTruth(LABELS["a"], easel), "b": CameraTruth(LABELS["b"])})
    assert evaluate_identity(labels, outputs, partial=True).idf1 == pytest.approx(16 / (16 + 4 / 2))


def test_scores_go_into_json():
    found = json.loads(json.dumps(evaluate_identity(truth(**LABELS), LABELS).as_dict()))
    assert (found["idf1"], found["cameras"]["a"]["mota"]) == (1.0, 1.0)


def brute_force_idf1(labels, outputs):
    """Ristani et al. 2016, equation 7, by trying every one-to-one pairing of people and identities."""
    agree = {}
    for camera, rows in labels.items():
        overlap = iou(rows.boxes, outputs[camera].boxes) >= 0.5
        same_frame = rows.frame[:, None] == outputs[camera].frame[None]
        for left, right in np.argwhere(overlap & same_frame):
            pair = int(rows.ids[left]), int(outputs[camera].ids[right])
            agree[pair] = agree.get(pair, 0) + 1
    people = sorted({each for rows in labels.values() for each in rows.ids.tolist()})
    identities = sorted({each for rows in outputs.values() for each in rows.ids.tolist()})
    identities += [None] * len(people)  # a person may have no identity
    best = max(
        sum(agree.get(pair, 0) for pair in zip(people, chosen, strict=True))
        for chosen in set(permutations(identities, len(people)))
    )
    return 2 * best / sum(len(rows) for side in (labels, outputs) for rows in side.values())


@settings(deadline=None, max_examples=60)
@given(scenes(3), scenes(3), scenes(3), scenes(3))
def test_idf1_is_that_of_the_best_pairing_of_people_and_identities(label_a, label_b, output_a, output_b):
    labels, outputs = {"a": label_a, "b": label_b}, {"a": output_a, "b": output_b}
    assert evaluate_identity(truth(**labels), outputs).idf1 == pytest.approx(brute_force_idf1(labels, outputs))


@settings(deadline=None, max_examples=30)
@given(scenes(), scenes())
def test_truth_against_itself_is_perfect(a, b):
    found = evaluate_identity(truth(a=a, b=b), {"a": a, "b": b})
    assert [found.idf1, found.hota, found.deta, found.assa, found.hota_unaligned] == pytest.approx([1] * 5)


@settings(deadline=None, max_examples=30)
@given(scenes(), scenes(), scenes(), scenes(), st.permutations(range(4)))
def test_idf1_does_not_depend_on_the_names_of_identities(label_a, label_b, output_a, output_b, names):
    labels = truth(a=label_a, b=label_b)
    outputs = {"a": output_a, "b": output_b}
    renamed = {camera: relabelled(rows, lambda ident: 50 + names[ident]) for camera, rows in outputs.items()}
    assert evaluate_identity(labels, renamed).idf1 == pytest.approx(evaluate_identity(labels, outputs).idf1)


@settings(deadline=None, max_examples=30)
@given(scenes(), scenes())
def test_identities_of_one_camera_are_scored_as_its_tracks_are(labels, output):
    found = evaluate_identity(truth(a=labels), {"a": output})
    assert (found.idf1, found.hota_unaligned) == pytest.approx((found.cameras["a"].idf1, found.cameras["a"].hota))
