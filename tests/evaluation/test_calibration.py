"""How many pairs of one person, and of two people, reach a threshold."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.embedding.pooling import normalize
from vidreid.errors import InputError
from vidreid.evaluation.calibration import calibrate

LEVELS = (-0.5, 0.0, 0.3, 0.6, 0.9)


def crowd(seed, people=6, cameras=3, sightings=4, spread=0.6, dim=8):
    """Unit vectors, identities and cameras of people who look like themselves, more or less."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(1, people + 1), sightings)
    looks = rng.normal(size=(people + 1, dim))[who] + spread * rng.normal(size=(len(who), dim))
    shuffled = rng.permutation(len(who))
    return normalize(looks[shuffled]), who[shuffled], rng.integers(0, cameras, len(who))


def slow(vectors, identities, cameras, level, *, same):
    """The share of pairs, one by one."""
    reached = [
        float(vectors[i] @ vectors[j]) >= level
        for i, j in itertools.combinations(range(len(vectors)), 2)
        if cameras[i] != cameras[j] and (identities[i] == identities[j]) == same and min(identities[[i, j]]) > 0
    ]
    return sum(reached) / len(reached)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_rates_are_those_of_pairs_across_cameras(seed):
    vectors, identities, cameras = crowd(seed)
    identities[:3] = -1, 0, 0  # junk and distractors: not counted
    cameras[3:5] = 0, 1
    identities[3:7] = 1, 1, 2, 2
    for level in calibrate(vectors, identities, cameras, LEVELS):
        for found, same in ((level.true_match, True), (level.false_match, False)):
            assert found.value == pytest.approx(slow(vectors, identities, cameras, level.threshold, same=same))


def test_an_interval_holds_its_rate_and_narrows_with_people():
    widths = []
    for people in (8, 80):
        (level,) = calibrate(*crowd(1, people), [0.5])
        for found in (level.true_match, level.false_match):
            assert 0 <= found.low <= found.value <= found.high <= 1
        widths.append(level.true_match.high - level.true_match.low)
    assert widths[1] < 0.6 * widths[0]


def test_an_interval_of_95_percent_holds_the_truth_about_as_often():
    """The truth is the rate of very many people; 60 crowds of 40 are drawn from among them."""
    (truth,) = calibrate(*crowd(0, 600, sightings=2), [0.5])
    hits = {"true": 0, "false": 0}
    for seed in range(1, 61):
        (level,) = calibrate(*crowd(seed, 40, sightings=2), [0.5])
        hits["true"] += level.true_match.low <= truth.true_match.value <= level.true_match.high
        hits["false"] += level.false_match.low <= truth.false_match.value <= level.false_match.high
    assert min(hits.values()) >= 50


def test_pictures_of_the_same_sighting_do_not_narrow_the_interval():
    """Ten copies of each picture are ten times ten the pairs, and no more people."""
    vectors, identities, cameras = crowd(3, 12)
    (once,) = calibrate(vectors, identities, cameras, [0.5])
    (often,) = calibrate(vectors.repeat(10, 0), identities.repeat(10), cameras.repeat(10), [0.5])
    for name in ("true_match", "false_match"):
        one, other = getattr(once, name), getattr(often, name)
        assert (other.low, other.high) == (pytest.approx(one.low), pytest.approx(one.high))


def test_what_never_happened_may_happen_to_the_next_person():
    vectors = np.eye(10, dtype=np.float32).repeat(2, 0)
    (level,) = calibrate(vectors, np.arange(1, 11).repeat(2), np.tile([0, 1], 10), [0.5])
    assert (level.true_match.value, level.false_match.value) == (1, 0)
    assert level.false_match.high == pytest.approx(1 - 0.025**0.1)
    assert level.true_match.low == pytest.approx(0.025**0.1)


def test_rows_are_plain_values():
    (level,) = calibrate(*crowd(2), [0.5])
    assert set(level.as_dict()) == {"threshold", "true_match", "true_match_95", "false_match", "false_match_95"}


@pytest.mark.parametrize(
    ("identities", "cameras"),
    [([1, 1, 2], [0, 0, 1]), ([1, 1, 1], [0, 1, 2]), ([0, 0, -1], [0, 1, 2]), ([], [])],
    ids=["nobody twice", "one person", "nobody known", "nothing"],
)
def test_no_pairs_are_an_error(identities, cameras):
    vectors = np.ones((len(identities), 2), np.float32)
    with pytest.raises(InputError, match="no pairs"):
        calibrate(vectors, np.array(identities, int), np.array(cameras, int))
