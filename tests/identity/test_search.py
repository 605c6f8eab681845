"""Search is exact: against a slow obvious reference in float64, whatever the order and number of blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.identity import search as searching
from vidreid.identity.search import Gallery, mean_weights, products, search
from vidreid.identity.splitting import Look, mean_look


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def gallery_of(tracklets, qualities=None):
    """A gallery of tracklets' vectors [(looks, dim)], float16 as they lie on disk."""
    halves = [unit(vectors).astype(np.float16) for vectors in tracklets]
    weights = [
        mean_weights(half, np.ones(len(half)) if qualities is None else qualities[number])
        for number, half in enumerate(halves)
    ]
    first = np.concatenate([[0], np.cumsum([len(half) for half in halves])])
    return Gallery(np.concatenate(halves), first, np.concatenate(weights))


def slowly(gallery, query, top, allowed):
    """Every cosine in float64, sorted with the first of equals first."""
    found = []
    for number in range(len(gallery)):
        rows = range(*gallery.first[number : number + 2])
        each = [(gallery.vectors[row].astype(np.float64) * query.astype(np.float64)).sum() for row in rows]
        weights = gallery.weights[rows].astype(np.float64)
        if allowed is None or allowed[number]:
            found.append((-float((weights * np.array(each)).sum()), number))
    return [(number, -cosine) for cosine, number in sorted(found)[:top]]


@st.composite
def worlds(draw):
    """Tracklets of one to four looks, of which many are equal, and a query."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dim = draw(st.integers(1, 40))
    pool = rng.standard_normal((draw(st.integers(1, 6)), dim)) + 1e-3
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=30))
    gallery = gallery_of([pool[rng.integers(0, len(pool), size)] for size in sizes])
    allowed = draw(st.one_of(st.none(), st.just(rng.random(len(sizes)) < 0.5)))
    return gallery, unit(rng.standard_normal(dim) + 1e-3).astype(np.float32), draw(st.integers(1, 35)), allowed


@given(worlds(), st.sampled_from([1, 64, 1 << 18]))
def test_it_finds_what_an_obvious_search_in_float64_finds(world, block):
    gallery, query, top, allowed = world
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searching, "BLOCK", block)
        numbers, cosines = search(gallery, query, top, allowed)
    assert list(zip(numbers.tolist(), cosines.tolist(), strict=True)) == slowly(gallery, query, top, allowed)


@given(worlds())
def test_products_are_those_of_numpy_to_the_error_of_float32(world):
    gallery, query, _, _ = world
    wanted = gallery.vectors.astype(np.float64) @ query.astype(np.float64)
    assert np.abs(products(gallery.vectors, query) - wanted).max() < 1e-5


def test_every_float16_number_is_read_as_itself():
    numbers = np.arange(1 << 16, dtype=np.uint32).astype(np.uint16).view(np.float16)
    finite = numbers[np.isfinite(numbers)][:, None]
    assert np.array_equal(products(finite, np.ones(1)), finite[:, 0].astype(np.float32))


def test_of_equals_the_first_is_first_wherever_they_lie():
    rng = np.random.default_rng(0)
    same = rng.standard_normal((1, 33))
    gallery = gallery_of([rng.standard_normal((1, 33)) if number % 3 else same for number in range(200)])
    numbers, cosines = search(gallery, unit(same[0]).astype(np.float32), 60)
    assert numbers.tolist() == list(range(0, 180, 3))
    assert len(set(cosines.tolist())) == 1


def test_likeness_is_the_cosine_with_the_mean_look_that_match_compares():
    rng = np.random.default_rng(1)
    tracklets = [unit(rng.standard_normal((size, 64)) + 2) for size in (1, 3, 7)]
    qualities = [rng.random(len(vectors)) for vectors in tracklets]
    query = unit(rng.standard_normal(64)).astype(np.float32)
    numbers, cosines = search(gallery_of(tracklets, qualities), query, 3)
    for number, cosine in zip(numbers, cosines, strict=True):
        looks = [Look(0, 0, *pair) for pair in zip(qualities[number], tracklets[number], strict=True)]
        assert cosine == pytest.approx(float(mean_look(looks) @ query), abs=2e-3)  # float16 keeps three digits


def test_looks_that_cancel_out_are_like_nobody():
    opposite = np.array([[1.0, 0.0], [-1.0, 0.0]])
    _, cosines = search(gallery_of([opposite]), np.array([1, 0], np.float32), 1)
    assert cosines.tolist() == [0]


def test_nobody_to_search_among_is_an_empty_answer():
    empty = Gallery(np.zeros((0, 0), np.float16), np.zeros(1, np.int64), np.zeros(0, np.float32))
    numbers, cosines = search(empty, np.ones(4, np.float32), 5)
    assert len(numbers) == len(cosines) == 0
    some = gallery_of([np.ones((2, 4))])
    assert len(search(some, np.ones(4, np.float32), 5, np.array([False]))[0]) == 0


@pytest.mark.parametrize("first", [[0, 2], [1, 3], [0, 0, 3]])
def test_bounds_that_do_not_fit_the_rows_are_refused(first):
    with pytest.raises(ValueError, match="3 vectors"):
        Gallery(np.zeros((3, 2), np.float16), np.array(first), np.ones(3, np.float32))
