"""How near each decision was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.identity import margins as room
from vidreid.identity.margins import margins


@st.composite
def clusterings(draw):
    """The likeness of all pairs, as the product of two sides, and cluster numbers."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 12))
    vectors, level = rng.normal(size=(count, 4)), rng.normal(size=(count, 1))
    left, right = np.hstack([vectors, level, level**0]), np.hstack([vectors, level**0, level])
    _, numbers = np.unique(rng.integers(0, draw(st.integers(1, 5)), count), return_inverse=True)
    return left, right, numbers


@given(clusterings(), st.sampled_from([1, 3, 128]))
def test_margins_are_means_over_pairs(clustering, block):
    left, right, numbers = clustering
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "BLOCK", block)
        found = margins(left, right, numbers)
    likeness = left @ right.T
    for i, mine in enumerate(numbers):
        rest = [likeness[i, j] for j in np.flatnonzero(numbers == mine) if j != i]
        others = {k: likeness[i, numbers == k].mean() for k in set(numbers.tolist()) - {int(mine)}}
        assert found.own[i] == pytest.approx(np.mean(rest) if rest else np.nan, nan_ok=True)
        assert found.other[i] == pytest.approx(max(others.values(), default=np.nan), nan_ok=True)
        assert found.nearest[i] == (max(others, key=others.__getitem__) if others else -1)


def test_nobody():
    found = margins(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0, np.int64))
    assert found.own.shape == found.nearest.shape == found.other.shape == (0,)
