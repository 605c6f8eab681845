"""Search is exact: against a slow obvious reference in float64, whatever the order and number of blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.identity import search as searching
from vidreid.identity.levels import Levels, find_levels, level_among, scores, unit
from vidreid.identity.search import Gallery, Query, products, score

STRANGERS = np.array([0.5, 0.4], np.float32)
NOBODY = np.zeros(0, np.int64)
SCALE = 0.1


def gallery_of(vectors, cameras, levels=None):
    """A gallery of vectors as they lie on disk."""
    cameras = np.asarray(cameras, np.int64)
    half = unit(np.asarray(vectors)).astype(np.float16)
    if levels is None:
        levels = find_levels(half.astype(np.float32), cameras, STRANGERS, SCALE).level
    return Gallery(half, cameras, levels)


def query_of(vector, camera=None, own=NOBODY, levels=None):
    return Query(unit(np.asarray(vector)[None])[0], camera, np.asarray(own, np.int64), levels)


def slowly(gallery, query, top, allowed):
    """Every score in float64, sorted with the first of equals first."""
    wanted = query.vector.astype(np.float64)
    products = [(row.astype(np.float64) * wanted).sum() for row in gallery.vectors]
    levels = []
    for camera in range(gallery.levels.shape[1]):
        there = gallery.cameras == camera
        others = [products[row] for row in np.flatnonzero(there) if row not in query.own]
        levels.append(level_among(np.array([others]), there.sum(), STRANGERS)[0])
    levels = levels if query.levels is None else query.levels
    found = []
    for row in np.flatnonzero(allowed).tolist():
        back = gallery.levels[row].mean() if query.camera is None else gallery.levels[row, query.camera]
        shared = (levels[gallery.cameras[row]] + back) / 2
        found.append((-(products[row] - shared) / SCALE, row))
    return [(row, -score) for score, row in sorted(found)[:top]]


@st.composite
def worlds(draw):
    """Sightings of a few cameras, of which many are equal; a query of one of these cameras or of none; who may be
    found."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dim, count = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    pool = rng.standard_normal((draw(st.integers(1, 6)), dim)) + 1e-3
    cameras = rng.integers(0, draw(st.integers(1, 4)), count)
    gallery = gallery_of(pool[rng.integers(0, len(pool), count)], cameras)
    camera = draw(st.one_of(st.none(), st.integers(0, gallery.levels.shape[1] - 1)))
    own = np.flatnonzero(rng.random(count) < draw(st.sampled_from([0, 0.2])))
    levels = draw(st.one_of(st.none(), st.just(rng.random(gallery.levels.shape[1]))))
    query = query_of(rng.standard_normal(dim) + 1e-3, camera, own, levels)
    return gallery, query, draw(st.integers(1, 45)), rng.random(count) < draw(st.sampled_from([0.5, 1.1]))


@given(worlds(), st.sampled_from([1, 64, 1 << 18]))
def test_it_finds_what_an_obvious_search_in_float64_finds(world, block):
    gallery, query, top, allowed = world
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searching, "BLOCK", block)
        rows, found = score(gallery, query, STRANGERS, SCALE).best(top, allowed)
    assert list(zip(rows.tolist(), found.tolist(), strict=True)) == slowly(gallery, query, top, allowed)


@given(worlds())
def test_products_are_those_of_numpy_to_the_error_of_float32(world):
    gallery, query, _, _ = world
    wanted = gallery.vectors.astype(np.float64) @ query.vector.astype(np.float64)
    assert np.abs(products(gallery.vectors, query.vector) - wanted).max() < 1e-5


def test_every_float16_number_is_read_as_itself():
    numbers = np.arange(1 << 16, dtype=np.uint32).astype(np.uint16).view(np.float16)
    finite = numbers[np.isfinite(numbers)][:, None]
    assert np.array_equal(products(finite, np.ones(1)), finite[:, 0].astype(np.float32))


def test_a_sighting_scores_with_the_others_as_match_scores_them():
    rng = np.random.default_rng(0)
    cameras = rng.integers(0, 3, 90)
    gallery = gallery_of(rng.standard_normal((90, 16)), cameras)
    vectors, levels = gallery.vectors.astype(np.float32), Levels(gallery.levels, SCALE)
    wanted = scores(vectors @ vectors.T, levels, np.arange(90), cameras)
    for known in (True, False):  # its levels are those of the gallery whether they are stored or found again
        query = Query(vectors[7], int(cameras[7]), np.array([7]), gallery.levels[7] if known else None)
        rows, found = score(gallery, query, STRANGERS, SCALE).best(90, np.arange(90) != 7)
        assert sorted(rows.tolist()) == [row for row in range(90) if row != 7]
        assert found == pytest.approx(wanted[7, rows], abs=1e-4)


def test_of_equals_the_first_is_first_wherever_they_lie():
    rng = np.random.default_rng(0)
    same = rng.standard_normal(33)
    vectors = [rng.standard_normal(33) if number % 3 else same for number in range(200)]
    gallery = gallery_of(vectors, np.zeros(200), np.zeros((200, 1), np.float32))
    rows, found = score(gallery, query_of(same), STRANGERS, SCALE).best(60, np.ones(200, bool))
    assert rows.tolist() == list(range(0, 180, 3))
    assert len(set(found.tolist())) == 1


def test_somebody_who_is_like_everybody_scores_less():
    """The level of the crowd is taken off both sides."""
    vectors = np.eye(2, 8)
    level = np.array([[0.2], [0.4]], np.float32)
    query = query_of(vectors.sum(0), camera=0, levels=np.zeros(1))
    rows, found = score(gallery_of(vectors, [0, 0], level), query, STRANGERS, SCALE).best(2, np.ones(2, bool))
    assert rows.tolist() == [0, 1]
    assert found[0] - found[1] == pytest.approx((0.4 - 0.2) / 2 / SCALE, abs=1e-5)


def test_nobody_to_search_among_is_an_empty_answer():
    some = gallery_of(np.ones((2, 4)), [0, 1])
    rows, found = score(some, query_of(np.ones(4)), STRANGERS, SCALE).best(5, np.zeros(2, bool))
    assert len(rows) == len(found) == 0
