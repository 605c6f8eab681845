"""How alike strangers look, and scores above that, against loops over all pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.identity import levels as room
from vidreid.identity.levels import FEWEST, NEAREST, RANKS, SETTLED, centred, find_levels, scores, slopes

STRANGERS, SCALE, CROWD = np.array([0.4, 0.3], np.float32), 0.07, 10.0


@st.composite
def sightings(draw, most=12):
    """Unit vectors and the camera of each, the last camera that saw somebody included."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(0, most))
    vectors = rng.normal(size=(count, 5)) + draw(st.sampled_from([0.0, 1.0]))
    cameras = rng.integers(0, draw(st.integers(1, 4)), count)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), cameras


def slow_level(vectors, cameras, row, camera):
    """The mean of the nearest others in a camera, the card's strangers among them, as far as a crowd is there."""
    there = [other for other in np.flatnonzero(cameras == camera) if other != row]
    likeness = sorted([*(float(vectors[row] @ vectors[other]) for other in there), *STRANGERS.tolist()], reverse=True)
    size = np.count_nonzero(cameras == camera)
    share = size**2 / (size**2 + CROWD**2)
    return share * np.mean(likeness[:NEAREST]) + (1 - share) * STRANGERS.mean()


def slow_slopes(vectors, cameras):
    """How fast likeness falls from the third to the tenth nearest other of each camera with enough of them."""
    found = []
    for row, vector in enumerate(vectors):
        for camera in np.unique(cameras):
            there = [other for other in np.flatnonzero(cameras == camera) if other != row]
            if np.count_nonzero(cameras == camera) >= FEWEST:
                near = sorted((float(vector @ vectors[other]) for other in there), reverse=True)
                found.append((near[RANKS[0] - 1] - near[RANKS[1] - 1]) / np.log(RANKS[1] / RANKS[0]))
    return found


@given(sightings(), st.sampled_from([1, 5, 512]))
def test_levels_and_scores_are_those_of_the_definition(seen, block):
    vectors, cameras = seen
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "BLOCK", block)
        found = find_levels(vectors, cameras, STRANGERS, SCALE, CROWD)
    count = int(cameras.max(initial=-1)) + 1
    level = [[slow_level(vectors, cameras, row, camera) for camera in range(count)] for row in range(len(vectors))]
    np.testing.assert_allclose(found.level, np.reshape(level, (len(vectors), count)), atol=1e-6)
    assert found.scale == pytest.approx(SCALE)

    rows = np.arange(len(vectors))
    of_all = scores(vectors @ vectors.T, found, rows, cameras)
    for i in rows:
        for j in rows:
            shared = (level[i][cameras[j]] + level[j][cameras[i]]) / 2
            assert of_all[i, j] == pytest.approx((float(vectors[i] @ vectors[j]) - shared) / SCALE, abs=1e-4)


@given(st.integers(0, 2**32 - 1), st.sampled_from([(60, 0), (30, 70), (55, 52)]))
@settings(max_examples=10)
def test_a_camera_of_many_says_how_fast_strangers_become_rare(seed, sizes):
    vectors = np.random.default_rng(seed).normal(size=(sum(sizes), 6))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    cameras = np.repeat([0, 1], sizes)
    wanted = slow_slopes(vectors, cameras)
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    np.testing.assert_allclose(np.sort(slopes(likeness, cameras)), np.sort(wanted), atol=1e-5)
    weight = len(wanted) / len(np.unique(cameras))
    mixed = (weight * np.median(wanted) + SETTLED * SCALE) / (weight + SETTLED)
    assert find_levels(vectors, cameras, STRANGERS, SCALE).scale == pytest.approx(mixed, abs=1e-5)


@given(sightings(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(seen, random):
    vectors, cameras = seen
    order = np.array(random.sample(range(len(vectors)), len(vectors)), np.int64)
    found, moved = (
        find_levels(vectors[rows], cameras[rows], STRANGERS, SCALE) for rows in (np.arange(len(order)), order)
    )
    np.testing.assert_allclose(moved.level, found.level[order], atol=1e-6)


@given(sightings())
def test_nobody_is_less_alike_to_a_camera_than_the_strangers_that_the_card_knows(seen):
    found = find_levels(*seen, STRANGERS, SCALE)
    assert (found.level >= STRANGERS.mean() - 1e-6).all()


def test_one_alone_is_measured_against_the_card():
    found = find_levels(np.array([[1.0, 0.0]], np.float32), np.array([0]), STRANGERS, SCALE)
    np.testing.assert_allclose(found.level, [[STRANGERS.mean()]], rtol=1e-6)


@given(sightings(most=8), st.integers(1, 50))
def test_a_camera_that_saw_many_takes_its_own_mean_away(seen, times):
    vectors, cameras = seen
    network = np.full(5, 0.1, np.float32)
    many, where = np.tile(vectors, (times, 1)), np.tile(cameras, times)
    moved, means = centred(many, where, network)
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)
    for camera in np.unique(cameras):
        own = many[where == camera]
        share = len(own) / (len(own) + SETTLED)
        np.testing.assert_allclose(means[camera], share * own.mean(0) + (1 - share) * network, atol=1e-6)
        rest = own - means[camera]
        np.testing.assert_allclose(
            moved[where == camera], rest / np.linalg.norm(rest, axis=1, keepdims=True), atol=1e-5
        )
