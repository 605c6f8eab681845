"""Whom a tracklet follows, and how well identities group tracklets."""

import numpy as np
import pytest
from labelled_scenes import joined, seen, truth

from vidreid.evaluation.identity import evaluate_identity
from vidreid.evaluation.sightings import NOBODY, THING, UNKNOWN, true_people
from vidreid.evaluation.truth import CameraTruth, Truth

LABELS = seen(*[{0: 1, 1: 2}] * 6)


@pytest.mark.parametrize(
    ("story", "tracklets", "people"),
    [
        ("each follows one", [{0: 7, 1: 8}] * 6, {7: 1, 8: 2}),
        ("it follows whom it follows longest", [{0: 7}] * 4 + [{1: 7}] * 2, {7: 1}),
        ("half of its boxes are enough", [{0: 7}] * 3 + [{3: 7}] * 3, {7: 1}),
        ("less than half are not", [{0: 7}] * 2 + [{3: 7}] * 4, {7: NOBODY}),
        ("someone without a label", [{2: 7}] * 6, {7: NOBODY}),
        ("nobody", [{}] * 6, {}),
    ],
)
def test_stories_of_a_tracklet(story, tracklets, people):
    assert true_people(CameraTruth(LABELS), seen(*tracklets)) == people


def test_a_box_of_less_than_half_overlap_follows_nobody():
    assert true_people(CameraTruth(LABELS), seen(*[{0: 7}] * 6, shift=0.25)) == {7: 1}
    assert true_people(CameraTruth(LABELS), seen(*[{0: 7}] * 6, shift=0.6)) == {7: NOBODY}


def test_two_tracklets_on_one_label_do_not_both_follow_it():
    both = joined(seen(*[{0: 7}] * 6), seen(*[{0: 8}] * 6, shift=0.25))
    assert true_people(CameraTruth(LABELS), both) == {7: 1, 8: NOBODY}


def test_of_partial_labels_someone_without_one_is_unknown_and_a_declared_thing_is_itself():
    camera = CameraTruth(LABELS, seen({3: 0}, {4: 0}).boxes)
    found = true_people(camera, seen(*[{0: 5, 2: 6, 3: 7, 4: 8}] * 6), partial=True)
    assert found == {5: 1, 6: UNKNOWN, 7: THING, 8: THING - 1}


def test_frames_without_labels_say_nothing():
    camera = CameraTruth(LABELS, span=(1, 6))
    assert true_people(camera, seen(*[{0: 7}] * 6, *[{3: 7}] * 30)) == {7: 1}
    assert true_people(camera, seen(*[{}] * 6, *[{3: 7}] * 30)) == {}


def numbered(rows, names):
    """The tracklet of each row: where it is a name of (identity, from which frame on)."""
    return np.array([names[int(who)](int(frame)) for who, frame in zip(rows.ids, rows.frame, strict=True)])


def test_a_person_in_two_identities_is_less_complete_and_two_in_one_less_pure():
    outputs = {"a": LABELS, "b": seen(*[{0: 3, 1: 2}] * 6)}
    found = evaluate_identity(truth(a=LABELS, b=LABELS), outputs).as_dict()
    assert (found["purity"], found["completeness"], found["pairs"]) == (1, 0.75, 1)
    assert (found["cross_pair_precision"], found["cross_pair_recall"]) == (1, 0.5)
    outputs = {"a": LABELS, "b": seen(*[{0: 2, 1: 1}] * 6)}
    found = evaluate_identity(truth(a=LABELS, b=LABELS), outputs).as_dict()
    assert (found["purity"], found["cross_pair_precision"], found["cross_pair_recall"]) == (0.5, 0, 0)


def test_tracklets_count_where_they_are_told():
    rows = seen(*[{0: 1, 1: 2}] * 6)
    halves = {"a": numbered(rows, {1: lambda frame: 10 + (frame > 3), 2: lambda frame: 20})}
    assert evaluate_identity(truth(a=rows), {"a": rows}).grouping.pairs == 0
    found = evaluate_identity(truth(a=rows), {"a": rows}, halves)
    assert (found.grouping.pairs, found.grouping.pair_precision) == (1, 1)


def test_one_thing_seen_twice_is_no_wrong_pair_and_a_person_put_to_it_is():
    labels = Truth({"a": CameraTruth(LABELS, seen({3: 0}).boxes)})
    rows = seen(*[{3: 9}] * 6)
    twice = {"a": numbered(rows, {9: lambda frame: frame > 3})}
    assert evaluate_identity(labels, {"a": rows}, twice, partial=True).grouping.wrong_pairs == 0
    rows = seen(*[{3: 9}] * 3, *[{0: 9}] * 3)
    both = {"a": numbered(rows, {9: lambda frame: frame > 3})}
    assert evaluate_identity(labels, {"a": rows}, both, partial=True).grouping.wrong_pairs == 1


def test_nobody_seen_is_nothing_to_judge():
    found = evaluate_identity(truth(a=LABELS), {"a": seen()}).as_dict()
    assert (found["purity"], found["completeness"], found["pairs"]) == (None, None, 0)
