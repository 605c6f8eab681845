"""Pairs of rows that are alike, against the product of all with all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.identity import neighbours as room
from vidreid.identity.neighbours import neighbours


@st.composite
def rows(draw):
    """A few rows whose products are exact in float32, so that a slow reference agrees to the bit; many are equal."""
    count = draw(st.integers(0, 12))
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1))).integers(-2, 3, (count, 3)).astype(np.float32)


def expected(vectors, floor, share):
    """Pairs above the floor where each is among the other's ``share`` nearest, of equals the first."""
    likeness = vectors @ vectors.T
    kept = []
    for i, row in enumerate(likeness):
        passing = [j for j in range(len(row)) if j != i and row[j] >= floor]
        kept.append(sorted(passing, key=lambda j: (-row[j], j))[:share])
    return {(i, j): likeness[i, j] for i in range(len(kept)) for j in kept[i] if i in kept[j]}


def entries(found):
    graph = found.likeness.tocoo()
    return {(int(i), int(j)): value for i, j, value in zip(*graph.coords, graph.data, strict=True)}


@given(rows(), st.sampled_from([-3.0, 0.0, 1.0, 3.0]), st.sampled_from([np.float16, np.float32, np.float64]))
def test_every_pair_above_the_floor_is_there(vectors, floor, kind):
    found = neighbours(vectors.astype(kind), floor)
    assert entries(found) == expected(vectors, floor, len(vectors))
    assert found.nearest is None


@given(rows(), st.sampled_from([-3.0, 0.0, 1.0]), st.integers(1, 4))
def test_a_crowded_row_keeps_its_nearest_and_says_so(vectors, floor, share):
    found = neighbours(vectors, floor, most=share * len(vectors))
    crowded = ((vectors @ vectors.T >= floor) & ~np.eye(len(vectors), dtype=bool)).sum(1) > share
    assert entries(found) == expected(vectors, floor, share)
    assert found.nearest == (share if crowded.any() else None)
    assert found.likeness.nnz <= share * len(vectors)


@given(rows(), st.integers(1, 40))
def test_the_size_of_a_block_changes_nothing(vectors, tile):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "TILE", tile)
        found = neighbours(vectors, 0.0)
    assert entries(found) == entries(neighbours(vectors, 0.0))


@given(rows())
def test_the_neighbours_of_a_row_are_in_order_and_the_highest_is_known(vectors):
    found = neighbours(vectors, 0.0)
    for i, row in enumerate(vectors @ vectors.T):
        expected = [j for j in range(len(row)) if row[j] >= 0 and j != i]
        assert found.of(i).tolist() == expected
        assert found.highest()[i] == max(row[expected], default=-np.inf)


def test_a_memory_map_is_read_where_it_lies(tmp_path):
    vectors = np.random.default_rng(0).integers(-2, 3, (50, 4)).astype(np.float16)
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    assert entries(neighbours(mapped, 1.0)) == entries(neighbours(vectors, 1.0))


@given(rows(), st.sampled_from([-3.0, 0.0, 3.0]))
def test_a_likeness_may_be_the_product_of_two_sets_of_vectors(vectors, floor):
    # Row i brings its own level to every pair: likeness + level[i] + level[j].
    level, one = vectors[:, :1], np.ones((len(vectors), 1), np.float32)
    left, right = np.hstack([vectors, level, one]), np.hstack([vectors, one, level])
    whole = left @ right.T
    expected = {(i, j): whole[i, j] for i, j in np.argwhere(whole >= floor).tolist() if i != j}
    assert entries(neighbours(left, floor, others=right)) == expected
