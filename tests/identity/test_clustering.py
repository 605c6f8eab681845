"""Average linkage under constraints, against its definition over all pairs."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vidreid.identity.clustering import average, cluster
from vidreid.identity.neighbours import neighbours

NOBODY = np.zeros(0, np.int64)


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
    """The same, and pairs that must meet; it may ask for what cannot be."""
    vectors, pairs, threshold = draw(problems())
    rows = st.integers(0, max(0, len(vectors) - 1))
    links = draw(st.lists(st.tuples(rows, rows), max_size=5)) if len(vectors) else []
    return vectors, pairs, threshold, links


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


def contradictory(count, pairs, links):
    return any({a, b} <= set(group) for group in groups_of(count, links) for a, b in pairs)


def slow(vectors, pairs, threshold, links=(), linkage=average):
    """Merge the likest two clusters that may be merged, over and over; likeness is the mean over all pairs."""
    likeness = vectors @ vectors.T
    clusters = groups_of(len(vectors), links)
    while True:
        clusters.sort(key=min)
        allowed = [
            (linkage(likeness[np.ix_(a, b)].mean().round(9), len(a), np.array(len(b))), a, b)
            for a, b in combinations(clusters, 2)
            if not any((min(i, j), max(i, j)) in pairs for i in a for j in b)
        ]
        best = max(allowed, key=lambda found: found[0], default=(-np.inf, [], []))
        if best[0] < threshold:
            return {frozenset(one) for one in clusters}
        clusters = [one for one in clusters if one is not best[1] and one is not best[2]] + [best[1] + best[2]]


def partition(numbers):
    return {frozenset(np.flatnonzero(numbers == number).tolist()) for number in np.unique(numbers)}


@settings(max_examples=200)
@given(problems())
def test_the_partition_is_that_of_the_definition(problem):
    vectors, pairs, threshold = problem
    assert partition(cluster(vectors, apart(len(vectors), pairs), threshold)) == slow(vectors, set(pairs), threshold)


@settings(max_examples=200)
@given(linked_problems())
def test_what_must_be_together_is_and_the_rest_follows_from_there(problem):
    vectors, pairs, threshold, links = problem
    assume(not contradictory(len(vectors), pairs, links))
    numbers = cluster(vectors, apart(len(vectors), pairs), threshold, links)
    assert all(numbers[a] == numbers[b] for a, b in links)
    assert partition(numbers) == slow(vectors, set(pairs), threshold, links)


@given(linked_problems())
def test_what_contradicts_itself_is_refused(problem):
    vectors, pairs, threshold, links = problem
    assume(contradictory(len(vectors), pairs, links))
    with pytest.raises(ValueError, match="both together and apart"):
        cluster(vectors, apart(len(vectors), pairs), threshold, links)


def growing(likeness, size, sizes):
    """A linkage by which the large attract."""
    return likeness + 0.1 * np.log(size * sizes)


def wary(likeness, size, sizes):
    """A linkage by which the small have to be liker."""
    return likeness - 0.2 / np.minimum(size, sizes)


@settings(max_examples=200)
@given(linked_problems(), st.sampled_from([(growing, 1.0), (wary, 0.0)]))
def test_another_linkage_is_followed_to_the_letter(problem, chosen):
    vectors, pairs, threshold, links = problem
    linkage, most = chosen
    assume(not contradictory(len(vectors), pairs, links))
    numbers = cluster(vectors, apart(len(vectors), pairs), threshold, links, linkage=linkage, floor=threshold - most)
    assert partition(numbers) == slow(vectors, set(pairs), threshold, links, linkage)


@given(linked_problems(), st.integers(1, 20))
def test_no_constraint_is_ever_broken(problem, most):
    vectors, pairs, threshold, links = problem
    assume(not contradictory(len(vectors), pairs, links))
    for near in (None, neighbours(vectors, threshold, most)):
        numbers = cluster(vectors, apart(len(vectors), pairs), threshold, links, near=near)
        assert all(numbers[a] != numbers[b] for a, b in pairs)
        assert all(numbers[a] == numbers[b] for a, b in links)


@given(problems())
def test_clusters_are_numbered_by_their_first_row(problem):
    vectors, pairs, threshold = problem
    numbers = cluster(vectors, apart(len(vectors), pairs), threshold).tolist()
    assert list(dict.fromkeys(numbers)) == list(range(len(set(numbers))))


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
    assert cluster(vectors, apart(2, []), 0.6 + 1e-9).tolist() == [0, 1]


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
    near = neighbours(vectors, 0.5, most=4000)
    numbers = cluster(vectors, apart(400, pairs), 0.5, near=near)
    assert near.nearest == 10
    assert all(numbers[a] != numbers[b] for a, b in pairs)
