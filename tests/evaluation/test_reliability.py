"""Whether probabilities hold, checked on sightings whose people are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vidreid.evaluation.reliability import EDGES, Labelled, check, check_calibration, reliability
from vidreid.pipeline.calibrated import Meaning, calibration_of
from vidreid.pipeline.results import Run


def world(people=60, sightings=6, spread=0.8, seed=5, cameras=3) -> Labelled:
    """Unit vectors about one centre a person; everybody's identity is right."""
    chance = np.random.default_rng(seed)
    person = np.repeat(np.arange(1, people + 1), sightings)
    centres = chance.normal(size=(people + 1, 24))
    vectors = centres[person] + spread * chance.normal(size=(len(person), 24))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    first = 100 * np.arange(len(person))
    return Labelled(
        lambda rows: vectors[rows] @ vectors.T,
        np.arange(len(person)) % cameras,
        np.stack([first, first + 50], 1),
        person.copy(),
        person.copy(),
    )


def meaning(likeness, probability) -> Meaning:
    nobody = np.zeros(len(likeness))
    return Meaning(likeness, probability, nobody, nobody, nobody, 0.0)


FLAT = meaning(np.array([-1.0, 1.0]), np.array([0.3, 0.3]))


def truth_at(labelled: Labelled, edges):
    """The share of one person among pairs of two cameras by likeness, pair by pair: the best prediction there is."""
    found, alike = [[0, 0] for _ in edges], labelled.likeness(np.arange(len(labelled.people)))
    for i in range(len(labelled.people)):
        for j in range(i):
            if labelled.cameras[i] != labelled.cameras[j]:
                place = int(np.searchsorted(edges, alike[i, j]))
                found[min(place, len(edges) - 1)][int(labelled.people[i] == labelled.people[j])] += 1
    return np.array([same / max(1, same + other) for other, same in found])


@pytest.fixture(scope="module")
def honest():
    """Probabilities that are those of another draw of the same kind of people."""
    edges = np.linspace(-1, 1, 41)
    return meaning(edges - 0.025, truth_at(world(seed=7), edges))


@pytest.fixture(scope="module")
def found(finished: Path):
    run = Run(finished)
    return run, calibration_of(run)


def test_honest_probabilities_lie_within_the_intervals_of_truth(honest):
    bins = reliability(world(), honest, "cross")
    assert len(bins) >= 4
    within = [each.observed.low - 0.02 <= each.predicted <= each.observed.high + 0.02 for each in bins]
    assert np.mean(within) >= 0.75


def test_boasting_is_seen(honest):
    boast = replace(honest, probability=np.sqrt(honest.probability))
    bins = reliability(world(), boast, "cross")
    assert any(each.observed.high < each.predicted for each in bins)


def test_every_pair_of_two_cameras_is_in_one_bin(honest):
    labelled = world(people=9, sightings=4)
    pairs = sum(a != b for k, a in enumerate(labelled.cameras) for b in labelled.cameras[:k])
    assert sum(each.pairs for each in reliability(labelled, honest, "cross")) == pairs
    for each in reliability(labelled, honest, "cross"):
        assert each.low <= each.predicted <= each.high
        assert 0 <= each.observed.low <= each.observed.value <= each.observed.high <= 1
        assert each.low in EDGES


def test_one_camera_compares_those_who_were_not_in_it_at_once():
    labelled = world(people=4, sightings=2, cameras=1)
    spans = np.array([(0, 10), (5, 15), (20, 30), (40, 50), (60, 70), (80, 90), (100, 110), (120, 130)])
    labelled = replace(labelled, spans=spans)
    bins = reliability(labelled, FLAT, "same")
    assert reliability(labelled, FLAT, "cross") == []
    assert sum(each.pairs for each in bins) == 8 * 7 / 2 - 1


def test_strangers_are_nobodys_equal():
    labelled = world(people=5, sightings=4)
    strangers = replace(labelled, people=np.zeros(20, np.int64))
    (only,) = reliability(strangers, FLAT, "cross")
    assert only.observed.value == 0
    assert only.observed.high > 0


def test_the_share_of_wrong_pairs_is_that_of_the_pairs_put_together(found):
    labelled = world(people=20, sightings=4)
    wrong = labelled.identities.copy()
    wrong[wrong == 2] = 1  # 28 pairs, 16 of them wrong; 18 people have 6 right ones
    result = check(replace(labelled, identities=wrong), found[1])
    assert (result.pairs, result.wrong) == (28 + 18 * 6, 16)
    assert result.achieved.value == pytest.approx(16 / 136)
    assert result.achieved.low < 16 / 136 < result.achieved.high


def test_no_wrong_pair_is_no_proof_of_none(found):
    result = check(world(people=20, sightings=4), found[1])
    assert result.achieved.value == 0
    assert result.achieved.high > 3 / 60


def test_nobody_put_together_achieves_nothing(found):
    labelled = world(people=5, sightings=2)
    assert check(replace(labelled, identities=np.arange(10)), found[1]).achieved is None


def test_a_run_is_checked_against_the_labels_of_its_site(found, site):
    notes, result = check_calibration(*found, site / "gt")
    assert notes == []
    assert 2 <= result.people <= 4
    assert result.sightings >= result.people
    assert result.bins["same"]
    assert result.bins["cross"]


def test_a_run_of_which_nobody_is_labelled(found, tmp_path):
    for camera in found[0].cameras:
        (tmp_path / f"{camera}.txt").write_text("9999,1,0,0,9,9,1,1,1.0\n")
    _, result = check_calibration(*found, tmp_path, partial=True)
    assert (result.sightings, result.achieved, result.bins) == (0, None, {"same": [], "cross": []})
