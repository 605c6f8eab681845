"""The strongest pairs that hold a group together."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidreid.identity.spanning import chain, strongest_tree


@st.composite
def strengths(draw):
    count = draw(st.integers(1, 7))
    values = draw(st.lists(st.one_of(st.floats(-1, 1), st.just(-np.inf)), min_size=count**2, max_size=count**2))
    upper = np.triu(np.reshape(values, (count, count)), 1)
    upper[np.tril_indices(count)] = -np.inf
    return np.maximum(upper, upper.T)


def widest(strength):
    """The strongest weakest pair on any way between two rows, by trying all ways (Floyd and Warshall)."""
    best = strength.copy()
    for k in range(len(best)):
        best = np.maximum(best, np.minimum(best[:, k : k + 1], best[k]))
    return best


@given(strengths(), st.data())
def test_no_other_way_has_a_stronger_weakest_pair(strength, data):
    root = data.draw(st.integers(0, len(strength) - 1))
    through, best = strongest_tree(strength, root), widest(strength)
    for row in set(range(len(strength))) - {root}:
        way = chain(through, row)
        if np.isinf(best[row, root]):
            assert way == [row]
        else:
            assert way[0] == row
            assert way[-1] == root
            assert min(strength[a, b] for a, b in pairwise(way)) == best[row, root]


def test_a_weak_pair_goes_by_a_friend_of_both():
    strength = np.array([[-np.inf, 0.3, 0.9], [0.3, -np.inf, 0.8], [0.9, 0.8, -np.inf]])
    assert chain(strongest_tree(strength, root=1), 0) == [0, 2, 1]


def test_who_is_alone_hangs_on_nobody():
    assert strongest_tree(np.array([[-np.inf]])).tolist() == [-1]
