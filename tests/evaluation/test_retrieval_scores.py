"""CMC and mAP against a slow reading of the rules, one gallery entry at a time; ties, junk and distractors included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.errors import InputError
from vidreid.evaluation import retrieval
from vidreid.evaluation.distances import distances, prepared, squared_euclidean
from vidreid.evaluation.retrieval import Labels, average_precision, rankings, score


def labels(identities, cameras, names=None):
    """Labels, the rows named by their number where nobody names them."""
    names = [f"entry {row}" for row in range(len(identities))] if names is None else names
    return Labels(np.array(identities, np.int64), np.array(cameras, np.int64), tuple(names))


def matrix(values):
    """Given distances as the scores take them."""
    table = np.array(values, np.float32)
    return lambda rows: table[rows]


# The slow reference: what the field's programs do, a query and an entry at a time


def slow_ranking(row, who, camera, gallery):
    """(entry, right) nearest first, without what does not count."""
    kept = []
    for entry in sorted(range(len(gallery)), key=lambda entry: (row[entry], entry)):
        identity = gallery.identities[entry]
        if identity == -1 or (identity == who and gallery.cameras[entry] == camera):
            continue
        kept.append((entry, identity == who and who != 0))
    return kept


def slow_trapezoid(flags):
    """The area under the precision-recall curve, as the MATLAB programs add it up."""
    area, found, recall_before, precision_before = 0.0, 0, 0.0, 1.0
    for place, right in enumerate(flags):
        found += right
        recall, precision = found / sum(flags), found / (place + 1)
        area += (recall - recall_before) * (precision_before + precision) / 2
        recall_before, precision_before = recall, precision
    return area


def slow_rectangle(flags):
    found, total = 0, 0.0
    for place, right in enumerate(flags):
        if right:
            found += 1
            total += found / (place + 1)
    return total / found


SLOW_AP = {"rectangle": slow_rectangle, "trapezoid": slow_trapezoid}


@st.composite
def problems(draw):
    """Few people, few cameras and few different distances, so that everything collides."""
    people, cameras = st.integers(-1, 4), st.integers(1, 3)
    sizes = draw(st.integers(0, 7)), draw(st.integers(0, 25))
    sides = [
        (draw(st.lists(people, min_size=n, max_size=n)), draw(st.lists(cameras, min_size=n, max_size=n))) for n in sizes
    ]
    query, gallery = labels(*sides[0]), labels(*sides[1])
    table = draw(st.lists(st.integers(0, 5), min_size=sizes[0] * sizes[1], max_size=sizes[0] * sizes[1]))
    return np.array(table, np.float32).reshape(sizes), query, gallery


@pytest.mark.parametrize("block", [2, 256])
@pytest.mark.parametrize("ap", ["rectangle", "trapezoid"])
@given(problem=problems())
def test_every_query_scores_as_in_the_slow_reading(block, ap, problem):
    table, query, gallery = problem
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retrieval, "BLOCK", block)
        found = score(matrix(table), query, gallery, ap=ap)
    for row in range(len(query)):
        identity, camera = query.identities[row], query.cameras[row]
        kept = slow_ranking(table[row], identity, camera, gallery)
        flags = [right for _, right in kept]
        assert found.first[row] == (flags.index(True) + 1 if any(flags) else 0)
        assert found.ap[row] == pytest.approx(SLOW_AP[ap](flags) if any(flags) else 0)
        assert found.best_right[row] == next((entry for entry, right in kept if right), -1)
        assert found.best_wrong[row] == next((entry for entry, right in kept if not right), -1)


@given(problem=problems(), depth=st.integers(1, 30))
def test_the_curve_counts_the_queries_that_found_theirs_so_early(problem, depth):
    table, query, gallery = problem
    found = score(matrix(table), query, gallery)
    firsts = [first for first in found.first if first > 0]
    curve = found.cmc(depth)
    assert curve.shape == (depth,)
    for rank in range(depth):
        wanted = sum(first <= rank + 1 for first in firsts) / len(firsts) if firsts else float("nan")
        assert curve[rank] == pytest.approx(wanted, nan_ok=True)
    assert found.mean_ap == pytest.approx(np.mean(found.ap[found.first > 0]) if firsts else float("nan"), nan_ok=True)


@given(problem=problems(), seed=st.integers(0, 99))
def test_chosen_queries_are_ranked_as_all_of_them_are(problem, seed):
    table, query, gallery = problem
    every = {
        number: order.tolist() for number, order, _ in rankings(matrix(table), query, gallery, np.arange(len(query)))
    }
    chosen = np.random.default_rng(seed).permutation(len(query))[:3]
    some = [(number, order.tolist()) for number, order, _ in rankings(matrix(table), query, gallery, chosen)]
    assert some == [(number, every[number]) for number in chosen]


@given(problem=problems())
def test_no_score_depends_on_junk(problem):
    table, query, gallery = problem
    kept = np.flatnonzero(gallery.identities != -1)
    without = labels(gallery.identities[kept], gallery.cameras[kept], [gallery.names[row] for row in kept])
    found, cleaned = score(matrix(table), query, gallery), score(matrix(table[:, kept]), query, without)
    assert np.array_equal(found.first, cleaned.first)
    assert np.array_equal(found.ap, cleaned.ap)


# The rules, one by one


def test_the_query_itself_and_its_person_by_its_own_camera_never_count():
    query, gallery = labels([7], [1]), labels([7, 7, 8, 7], [1, 1, 2, 2])
    found = score(matrix([[0.0, 0.1, 0.2, 0.3]]), query, gallery)
    assert found.first == [2]
    assert (found.best_right, found.best_wrong) == ([3], [2])


def test_a_query_without_a_match_is_not_scored():
    query, gallery = labels([7, 9], [1, 1], ["a", "b"]), labels([7, 8], [2, 2])
    found = score(matrix([[0.2, 0.1], [0.1, 0.2]]), query, gallery)
    assert found.scored.tolist() == [True, False]
    assert found.mean_ap == 0.5
    assert found.cmc(3).tolist() == [0.0, 1.0, 1.0]


def test_distractors_are_wrong_for_everybody_and_match_no_query():
    query, gallery = labels([7, 0], [1, 1], ["a", "b"]), labels([0, 7], [2, 2])
    found = score(matrix([[0.1, 0.2], [0.1, 0.2]]), query, gallery)
    assert found.first.tolist() == [2, 0]
    assert found.best_wrong.tolist() == [0, 0]


def test_equal_distances_stand_in_the_order_of_the_gallery():
    query = labels([7], [1], ["query"])
    assert score(matrix([[0.5, 0.5, 0.5]]), query, labels([8, 7, 7], [2, 2, 2])).first == [2]
    assert score(matrix([[0.5, 0.5, 0.5]]), query, labels([7, 8, 7], [2, 2, 2])).first == [1]


def test_the_two_average_precisions_of_a_known_ranking():
    # Right entries stand first, third and sixth: precisions 1, 2/3, 1/2; just before them 1, 1/2, 2/5.
    hits = np.array([0, 2, 5])
    assert average_precision(hits, "rectangle") == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)
    assert average_precision(hits, "trapezoid") == pytest.approx((1 + 2 / 3 + 1 / 2 + 1 + 1 / 2 + 2 / 5) / 6)


def test_labels_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="2 identities, 1 cameras"):
        Labels(np.array([1, 2]), np.array([1]), ("a", "b"))


# Distances


@st.composite
def embeddings(draw):
    dim, seed = draw(st.sampled_from([2, 4, 6])), draw(st.integers(0, 2**32 - 1))
    sizes = draw(st.integers(1, 6)), draw(st.integers(1, 9))
    return [
        np.random.default_rng(seed + side).normal(size=(size, dim)).astype(np.float32)
        for side, size in enumerate(sizes)
    ]


@given(pair=embeddings(), branches=st.sampled_from([1, 2]))
def test_cosine_is_the_mean_over_branches_each_by_itself(pair, branches):
    found = distances(*(prepared(side, "cosine", branches) for side in pair), "cosine")(np.arange(len(pair[0])))
    for row, query in enumerate(pair[0].astype(np.float64)):
        for column, entry in enumerate(pair[1].astype(np.float64)):
            parts = zip(np.split(query, branches), np.split(entry, branches), strict=True)
            cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in parts]
            assert found[row, column] == pytest.approx(1 - np.mean(cosines), abs=1e-5)


@given(pair=embeddings())
def test_euclidean_takes_the_vectors_as_they_are(pair):
    found = distances(*(prepared(side, "euclidean", 2) for side in pair), "euclidean")(np.arange(len(pair[0])))
    wanted = np.square(pair[0][:, None].astype(np.float64) - pair[1][None]).sum(2)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_squared_distances_are_never_negative():
    vectors = np.random.default_rng(0).normal(100, 1e-3, size=(50, 64)).astype(np.float32)
    assert squared_euclidean(vectors, vectors).min() >= 0


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_vectors_that_cannot_be_compared_are_refused(metric, value):
    vectors = np.ones((4, 3), np.float32)
    vectors[2, 1] = value
    with pytest.raises(InputError, match="1 of 4 hold numbers that are not finite"):
        prepared(vectors, metric)
