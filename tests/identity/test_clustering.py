"""Average linkage under constraints, against its definition over all pairs."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vidreid.identity.clustering import agglomerate
from vidreid.identity.neighbours import MOST

NOBODY = np.zeros(0, np.int64)


def cluster(vectors, apart, threshold, together=(), most=MOST):
    """Clusters of unit vectors that average linkage of cosines makes down to a threshold."""
    merges = agglomerate(vectors, vectors, apart, together, threshold, most)
    return merges.clusters(len(merges.linkage))


def unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


@st.composite
def problems(draw):
    """Unit vectors of a few people, some of them equal, pairs that must not meet, and a threshold."""
    seed, count = draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, 14))
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(4, 6))
    noise = draw(st.sampled_from([0.0, 0.3, 0.8]))
    vectors = unit(centers[rng.integers(0, 4, count)] + noise * rng.normal(size=(count, 6)))
    chance = draw(st.sampled_from([0.0, 0.1, 0.5]))
    pairs = [pair for pair in combinations(range(count), 2) if rng.random() < chance]
    return vectors, pairs, draw(st.sampled_from([-1.0, 0.0, 0.3, 0.6, 0.9]))


@st.composite
def linked_problems(draw):
    """The same, and pairs that must meet, none of which have to stay apart."""
    vectors, pairs, threshold = draw(problems())
    rows = st.integers(0, max(0, len(vectors) - 1))
    links = draw(st.lists(st.tuples(rows, rows), max_size=5)) if len(vectors) else []
    groups = groups_of(len(vectors), links)
    return vectors, [pair for pair in pairs if not any(set(pair) <= set(one) for one in groups)], threshold, links


def apart(count, pairs):
    """For each row those that it must not meet."""
    return [np.array([b if a == i else a for a, b in pairs if i in (a, b)], np.int64) for i in range(count)]


def groups_of(count, links):
    """The rows that ``links`` put together, directly or by way of others."""
    groups = [[i] for i in range(count)]
    for a, b in links:
        first, second = (next(one for one in groups if row in one) for row in (a, b))
        if first is not second:
            groups = [one for one in groups if one is not first and one is not second] + [first + second]
    return groups


def slow(likeness, pairs, threshold, links=()):
    """Merge the likest two clusters that may be merged, over and over; likeness is the mean over all pairs.

    Returns the clusters, and the likeness of each merge.
    """
    clusters, history = groups_of(len(likeness), links), []
    while True:
        clusters.sort(key=min)
        allowed = [
            (likeness[np.ix_(a, b)].mean().round(9), a, b)
            for a, b in combinations(clusters, 2)
            if not any((min(i, j), max(i, j)) in pairs for i in a for j in b)
        ]
        best, one, other = max(allowed, key=lambda found: found[0], default=(-np.inf, [], []))
        if best < threshold:
            return {frozenset(rows) for rows in clusters}, history
        history.append(best)
        clusters = [rows for rows in clusters if rows is not one and rows is not other] + [one + other]


def partition(numbers):
    return {frozenset(np.flatnonzero(numbers == number).tolist()) for number in np.unique(numbers)}


@settings(max_examples=200)
@given(linked_problems())
def test_the_merges_are_those_of_the_definition(problem):
    vectors, pairs, threshold, links = problem
    merges = agglomerate(vectors, vectors, apart(len(vectors), pairs), links, threshold)
    wanted, history = slow(vectors @ vectors.T, set(pairs), threshold, links)
    assert partition(merges.clusters(len(merges.linkage))) == wanted
    np.testing.assert_allclose(merges.linkage, history, atol=1e-8)
    assert (np.diff(merges.linkage) <= 1e-9).all()
    assert merges.nearest is None


@settings(max_examples=200)
@given(linked_problems())
def test_a_likeness_may_be_the_product_of_two_sides(problem):
    vectors, pairs, threshold, links = problem
    # Every row lowers the likeness of its pairs by something of its own.
    level, one = np.abs(vectors[:, :1]).round(2) / 2, np.ones((len(vectors), 1))
    left, right = np.hstack([vectors, level, one]), np.hstack([vectors, -one, -level])
    merges = agglomerate(left, right, apart(len(vectors), pairs), links, threshold)
    wanted, history = slow(vectors @ vectors.T - level - level.T, set(pairs), threshold, links)
    assert partition(merges.clusters(len(merges.linkage))) == wanted
    np.testing.assert_allclose(merges.linkage, history, atol=1e-8)


@given(linked_problems())
def test_what_contradicts_itself_is_refused(problem):
    vectors, pairs, threshold, links = problem
    groups = [one for one in groups_of(len(vectors), links) if len(one) > 1]
    assume(groups)
    contradiction = [*pairs, (min(groups[-1]), max(groups[-1]))]
    with pytest.raises(ValueError, match="both together and apart"):
        cluster(vectors, apart(len(vectors), contradiction), threshold, links)


@given(linked_problems(), st.sampled_from([MOST, 20, 5, 1]))
def test_no_constraint_is_ever_broken(problem, most):
    vectors, pairs, threshold, links = problem
    numbers = cluster(vectors, apart(len(vectors), pairs), threshold, links, most)
    assert all(numbers[a] != numbers[b] for a, b in pairs)
    assert all(numbers[a] == numbers[b] for a, b in links)


@given(problems())
def test_nothing_given_is_changed_and_the_answer_is_always_the_same(problem):
    vectors, pairs, threshold = problem
    others, before = apart(len(vectors), pairs), vectors.copy()
    first = cluster(vectors, others, threshold)
    np.testing.assert_array_equal(vectors, before)
    assert all(np.array_equal(a, b) for a, b in zip(others, apart(len(vectors), pairs), strict=True))
    np.testing.assert_array_equal(cluster(vectors, others, threshold), first)


@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_unequal_rows_does_not_matter(problem, random):
    vectors, pairs, threshold = problem
    likeness = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)].round(6)
    assume(len(np.unique(likeness)) == len(likeness))
    order = random.sample(range(len(vectors)), len(vectors))
    place = np.argsort(order)
    moved = [(min(place[a], place[b]), max(place[a], place[b])) for a, b in pairs]
    numbers = cluster(vectors[order], apart(len(vectors), moved), threshold)
    assert partition(numbers[place]) == partition(cluster(vectors, apart(len(vectors), pairs), threshold))


def test_of_equal_choices_the_lowest_rows_are_merged():
    one, other = np.eye(2)
    assert cluster(np.stack([one, one, one]), apart(3, [(0, 1)]), 0.5).tolist() == [0, 1, 0]
    assert cluster(np.stack([one, one, one, one]), apart(4, [(0, 1), (2, 3)]), 0.5).tolist() == [0, 1, 0, 1]
    assert cluster(np.stack([one, other, one, other]), apart(4, []), 0.5).tolist() == [0, 1, 0, 1]


def test_a_likeness_on_the_threshold_is_enough():
    vectors = np.array([[1.0, 0.0], [0.6, 0.8]])
    assert cluster(vectors, apart(2, []), 0.6).tolist() == [0, 0]
    assert cluster(vectors, apart(2, []), 0.6 + 1e-8).tolist() == [0, 1]


def test_a_constraint_holds_for_all_who_were_merged():
    # 0 and 1 are one; 2 is like both but was seen together with 1, so it may join neither.
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.99, 0.14]])
    assert cluster(vectors, apart(3, [(1, 2)]), 0.5).tolist() == [0, 0, 1]


@pytest.mark.parametrize("count", [0, 1])
def test_nobody_and_one(count):
    assert cluster(np.ones((count, 3)), apart(count, []), 0.5).tolist() == [0] * count


def test_hundreds_of_people():
    rng = np.random.default_rng(0)
    who = rng.integers(0, 200, 1500)
    vectors = unit(np.eye(200)[who] + 0.02 * rng.normal(size=(1500, 200)))
    assert partition(cluster(vectors.astype(np.float16), [NOBODY] * 1500, 0.5)) == partition(who)


def test_everybody_in_one_uniform_seen_two_at_a_time():
    rng = np.random.default_rng(0)
    vectors = unit(np.ones((400, 8)) + 0.01 * rng.normal(size=(400, 8)))
    pairs = [(i, i + 1) for i in range(0, 400, 2)]
    merges = agglomerate(vectors, vectors, apart(400, pairs), [], 0.5, most=4000)
    numbers = merges.clusters(len(merges.linkage))
    assert merges.nearest == 10
    assert all(numbers[a] != numbers[b] for a, b in pairs)
