"""Average linkage under constraints, against its definition over all pairs."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.identity.clustering import cluster


@st.composite
def problems(draw):
    """Unit vectors of a few people, pairs that must not meet, and a threshold."""
    seed, count = draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, 14))
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(4, 6))
    vectors = centers[rng.integers(0, 4, count)] + draw(st.sampled_from([0.3, 0.8])) * rng.normal(size=(count, 6))
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    pairs = [pair for pair in combinations(range(count), 2) if rng.random() < draw(st.sampled_from([0.0, 0.1, 0.5]))]
    return vectors, pairs, draw(st.sampled_from([-1.0, 0.0, 0.3, 0.6, 0.9]))


def apart(count, pairs):
    """For each row those that it must not meet."""
    return [np.array([b if a == i else a for a, b in pairs if i in (a, b)], np.int64) for i in range(count)]


def slow(vectors, pairs, threshold):
    """Merge the likest two clusters that may be merged, over and over; likeness is the mean over all pairs."""
    likeness = vectors @ vectors.T
    clusters = [[i] for i in range(len(vectors))]
    while True:
        allowed = [
            (likeness[np.ix_(a, b)].mean(), a, b)
            for a, b in combinations(clusters, 2)
            if not any((min(i, j), max(i, j)) in pairs for i in a for j in b)
        ]
        best = max(allowed, key=lambda found: found[0], default=(-np.inf, [], []))
        if best[0] < threshold:
            return {frozenset(one) for one in clusters}
        clusters = [one for one in clusters if one is not best[1] and one is not best[2]] + [best[1] + best[2]]


def partition(numbers):
    return {frozenset(np.flatnonzero(numbers == number).tolist()) for number in np.unique(numbers)}


@settings(max_examples=200, deadline=None)
@given(problems())
def test_the_partition_is_that_of_the_definition(problem):
    vectors, pairs, threshold = problem
    assert partition(cluster(vectors, apart(len(vectors), pairs), threshold)) == slow(vectors, set(pairs), threshold)


@settings(deadline=None)
@given(problems())
def test_no_constraint_is_ever_broken(problem):
    vectors, pairs, threshold = problem
    numbers = cluster(vectors, apart(len(vectors), pairs), threshold)
    assert all(numbers[a] != numbers[b] for a, b in pairs)


@settings(deadline=None)
@given(problems())
def test_clusters_are_numbered_by_their_first_row(problem):
    vectors, pairs, threshold = problem
    numbers = cluster(vectors, apart(len(vectors), pairs), threshold).tolist()
    assert list(dict.fromkeys(numbers)) == list(range(len(set(numbers))))


@settings(deadline=None)
@given(problems())
def test_nothing_given_is_changed_and_the_answer_is_always_the_same(problem):
    vectors, pairs, threshold = problem
    others, before = apart(len(vectors), pairs), vectors.copy()
    first = cluster(vectors, others, threshold)
    np.testing.assert_array_equal(vectors, before)
    assert all(np.array_equal(a, b) for a, b in zip(others, apart(len(vectors), pairs), strict=True))
    np.testing.assert_array_equal(cluster(vectors, others, threshold), first)


def test_of_equal_choices_the_lowest_rows_are_merged():
    one, other = np.eye(2)
    assert cluster(np.stack([one, one, one]), apart(3, [(0, 1)]), 0.5).tolist() == [0, 1, 0]
    assert cluster(np.stack([one, one, one, one]), apart(4, [(0, 1), (2, 3)]), 0.5).tolist() == [0, 1, 0, 1]
    assert cluster(np.stack([one, other, one, other]), apart(4, []), 0.5).tolist() == [0, 1, 0, 1]


def test_a_likeness_on_the_threshold_is_enough():
    vectors = np.array([[1.0, 0.0], [0.5, 0.75**0.5]])
    assert cluster(vectors, apart(2, []), float(vectors[0] @ vectors[1])).tolist() == [0, 0]
    assert cluster(vectors, apart(2, []), np.nextafter(float(vectors[0] @ vectors[1]), 1)).tolist() == [0, 1]


def test_a_constraint_holds_for_all_who_were_merged():
    # 0 and 1 are one; 2 is like both but was seen together with 1, so it may join neither.
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.99, 0.14]])
    assert cluster(vectors, apart(3, [(1, 2)]), 0.5).tolist() == [0, 0, 1]


@pytest.mark.parametrize("count", [0, 1])
def test_nobody_and_one(count):
    assert cluster(np.ones((count, 3)), apart(count, []), 0.5).tolist() == [0] * count


def test_more_rows_than_one_block():
    rng = np.random.default_rng(0)
    centers = np.eye(40)
    who = rng.integers(0, 40, 1500)
    vectors = centers[who] + 0.05 * rng.normal(size=(1500, 40))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert partition(cluster(vectors, [np.zeros(0, np.int64)] * 1500, 0.5)) == partition(who)
