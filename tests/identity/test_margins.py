"""How near each decision was."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.identity.margins import CLEAR, Margins, margins


@st.composite
def clusterings(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 12))
    vectors = rng.normal(size=(count, 4))
    _, numbers = np.unique(rng.integers(0, draw(st.integers(1, 5)), count), return_inverse=True)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), numbers


@settings(deadline=None)
@given(clusterings())
def test_margins_are_means_over_pairs(clustering):
    vectors, numbers = clustering
    found = margins(vectors, numbers)
    for i, vector in enumerate(vectors):
        mine = [float(vector @ vectors[j]) for j in range(len(vectors)) if numbers[j] == numbers[i] and j != i]
        others = {
            number: np.mean([float(vector @ vectors[j]) for j in np.flatnonzero(numbers == number)])
            for number in set(numbers.tolist()) - {int(numbers[i])}
        }
        assert found.own[i] == pytest.approx(np.mean(mine) if mine else np.nan, nan_ok=True)
        assert found.other[i] == pytest.approx(max(others.values(), default=np.nan), nan_ok=True)
        assert found.nearest[i] == (max(others, key=others.__getitem__) if others else -1)


def test_doubt_is_one_on_the_threshold_and_none_where_all_is_clear():
    clear = CLEAR * (1 - 0.7)
    own = np.array([0.7, 0.7 + clear, 0.7 + clear / 2, np.nan, np.nan])
    other = np.array([0.1, 0.7 - clear, 0.1, 0.7, np.nan])
    doubt = Margins(own, np.zeros(5, np.int64), other).doubt(0.7)
    np.testing.assert_allclose(doubt, [1, 0, 0.5, 1, 0], atol=1e-12)


def test_a_threshold_of_one_leaves_doubt_only_about_twins():
    own, other = np.array([1.0, np.nan, np.nan]), np.array([0.3, 1.0, 0.3])
    np.testing.assert_array_equal(Margins(own, np.zeros(3, np.int64), other).doubt(1.0), [1, 1, 0])


def test_one_held_below_the_threshold_is_in_doubt():
    assert Margins(np.array([0.5]), np.array([-1]), np.array([np.nan])).doubt(0.7) == [1]


def test_nobody():
    assert margins(np.zeros((0, 3)), np.zeros(0, np.int64)).doubt(0.5).shape == (0,)


def test_more_rows_than_one_block():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(1100, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    numbers = np.arange(1100) % 7
    found, last = margins(vectors, numbers), vectors[1099]
    same = [j for j in range(1099) if numbers[j] == numbers[1099]]
    assert found.own[1099] == pytest.approx((vectors[same] @ last).mean())
