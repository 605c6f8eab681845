"""k-reciprocal re-ranking against a slow reading of the paper, set by set."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.evaluation import reranking
from vidreid.evaluation.distances import prepared
from vidreid.evaluation.reranking import reranked


def slow(queries, gallery, k1, k2, weight):
    """Every equation in loops over Python sets and dense rows."""
    points = np.concatenate([queries, gallery]).astype(np.float64)
    n = len(points)
    distance = np.array([[((p - q) ** 2).sum() for q in points] for p in points])
    distance /= distance.max(1, keepdims=True)
    order = [sorted(range(n), key=lambda other, row=row: (distance[row][other], other)) for row in range(n)]

    def reciprocal(p, k):
        return {q for q in order[p][: k + 1] if p in order[q][: k + 1]}

    encoded = np.zeros((n, n))
    for p in range(n):
        own = reciprocal(p, k1)
        expanded = set(own)
        for q in own:
            theirs = reciprocal(q, round(k1 / 2))
            if len(theirs & own) > 2 / 3 * len(theirs):
                expanded |= theirs
        for q in expanded:
            encoded[p, q] = np.exp(-distance[p, q])
        encoded[p] /= encoded[p].sum()
    encoded = np.array([encoded[order[p][:k2]].mean(0) for p in range(n)])

    mixed = np.zeros((len(queries), len(gallery)))
    for p in range(len(queries)):
        for g in range(len(queries), n):
            least, most = np.minimum(encoded[p], encoded[g]).sum(), np.maximum(encoded[p], encoded[g]).sum()
            mixed[p, g - len(queries)] = (1 - weight) * (1 - least / most) + weight * distance[p, g]
    return mixed


@pytest.mark.parametrize("block", [3, 128])
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 25)),
    k1=st.integers(1, 9),
    k2=st.integers(1, 5),
    weight=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_the_vectorised_distances_are_those_of_the_slow_reading(block, seed, sizes, k1, k2, weight):
    points = np.random.default_rng(seed).normal(size=(sum(sizes), 4)).astype(np.float32)
    queries, gallery = points[: sizes[0]], points[sizes[0] :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reranking, "BLOCK", block)
        fast = reranked(queries, gallery, k1=k1, k2=k2, weight=weight)
    assert fast.dtype == np.float32
    np.testing.assert_allclose(fast, slow(queries, gallery, k1, k2, weight), atol=2e-6)


def test_with_the_whole_weight_the_order_is_the_original_one():
    points = np.random.default_rng(1).normal(size=(40, 8)).astype(np.float32)
    unit = prepared(points, "cosine")
    order = reranked(unit[:5], unit[5:], weight=1.0).argsort(1)
    assert np.array_equal(order, (-unit[:5] @ unit[5:].T).argsort(1))


def test_a_neighbour_in_common_brings_two_pictures_together():
    """A query, its person half turned, and the person's back: only the half turned one resembles both."""
    front, half, back, other = [0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [0.0, 1.9]
    crowd = [[9.0 + i % 3, 9.0 + i // 3] for i in range(9)]
    gallery = np.array([half, back, other, [0.1, 2.4], [0.0, 2.2], *crowd], np.float32)
    before = ((gallery - np.array(front)) ** 2).sum(1)
    after = reranked(np.array([front], np.float32), gallery, k1=2, k2=1, weight=0.0)[0]
    assert before[2] < before[1]
    assert after[1] < after[2]


def test_equal_pictures_have_equal_distances():
    same = np.ones((7, 3), np.float32)
    np.testing.assert_allclose(reranked(same[:2], same[2:], k1=20, k2=6), np.zeros((2, 5)), atol=1e-6)
