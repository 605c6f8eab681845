"""Vectors of crops to one vector a clip."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.embedding.pooling import normalize, pool

SEEDS = st.integers(0, 2**32 - 1)


def slow_unit(vector, branches):
    """Each branch to one length, the whole to length 1, number by number."""
    size = len(vector) // branches
    out = []
    for branch in range(branches):
        part = vector[branch * size : (branch + 1) * size]
        length = sum(float(value) ** 2 for value in part) ** 0.5
        out += [float(value) / length / branches**0.5 for value in part]
    return out


@settings(deadline=None)
@given(SEEDS, st.integers(1, 5), st.integers(1, 4), st.integers(1, 6))
def test_each_branch_weighs_the_same(seed, count, branches, size):
    vectors = np.random.default_rng(seed).normal(size=(count, branches * size))
    unit = normalize(vectors, branches)
    assert unit.dtype == np.float32
    np.testing.assert_allclose(unit, [slow_unit(vector, branches) for vector in vectors], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-5)


@settings(deadline=None)
@given(SEEDS, st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(1, 3))
def test_a_clip_is_the_unit_mean_of_its_crops(seed, lengths, branches):
    rng = np.random.default_rng(seed)
    clips = [normalize(rng.normal(size=(length, 6 * branches)), branches) for length in lengths]
    wanted = [slow_unit(sum(clip.astype(float)) / len(clip), branches) for clip in clips]
    np.testing.assert_allclose(pool(clips, branches), wanted, atol=1e-4)


@settings(deadline=None)
@given(SEEDS, st.integers(1, 4))
def test_a_clip_does_not_depend_on_the_other_clips(seed, count):
    rng = np.random.default_rng(seed)
    clips = [rng.normal(size=(rng.integers(1, 5), 8)).astype(np.float32) for _ in range(count)]
    for row, clip in zip(pool(clips, 2), clips, strict=True):
        np.testing.assert_array_equal(row, pool([clip], 2)[0])


def test_a_branch_without_length_stays_zero():
    np.testing.assert_allclose(
        normalize(np.array([[0.0, 0, 3, 4]]), 2), [[0, 0, 0.6 / 2**0.5, 0.8 / 2**0.5]], rtol=1e-6
    )


def test_branches_must_be_equal_parts():
    with pytest.raises(ValueError, match="reshape"):
        normalize(np.ones((1, 5)), 2)


def test_no_clips_no_vectors():
    assert pool([]).shape[0] == 0
