"""The order in which rows became groups, against sets of rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidreid.identity.merges import Merges


@st.composite
def histories(draw):
    """Rows that begin in groups, and two groups at a time that were merged."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    _, group = np.unique(rng.integers(0, 8, draw(st.integers(0, 12))), return_inverse=True)
    count = int(group.max(initial=-1)) + 1
    sizes, alive, steps = np.bincount(group, minlength=count).tolist(), list(range(count)), []
    for _ in range(draw(st.integers(0, max(0, count - 1)))):
        one, other = sorted(rng.choice(alive, 2, replace=False).tolist())
        steps.append((one, other, sizes[one] * sizes[other]))
        alive = [node for node in alive if node not in (one, other)] + [len(sizes)]
        sizes.append(sizes[one] + sizes[other])
    first, second, pairs = np.array(steps, np.int64).reshape(-1, 3).T
    return Merges(group, first, second, np.linspace(1, 0, len(steps)), pairs)


def nodes(merges):
    """The rows of each group that ever was."""
    found = [set(np.flatnonzero(merges.group == number).tolist()) for number in range(merges.count)]
    for one, other in zip(merges.first, merges.second, strict=True):
        found.append(found[one] | found[other])
    return found


@given(histories())
def test_clusters_after_so_many_merges_numbered_by_their_first_row(merges):
    members = nodes(merges)
    for kept in range(len(merges.first) + 1):
        gone = {*merges.first[:kept].tolist(), *merges.second[:kept].tolist()}
        left = [rows for node, rows in enumerate(members[: merges.count + kept]) if node not in gone]
        wanted = {row: number for number, rows in enumerate(sorted(left, key=min)) for row in rows}
        assert merges.clusters(kept).tolist() == [wanted[row] for row in range(len(merges.group))]


@given(histories(), st.integers(0, 2**32 - 1))
def test_the_share_of_pairs_of_one_label(merges, seed):
    labels = np.random.default_rng(seed).integers(0, 3, len(merges.group))
    members = nodes(merges)
    wanted = [
        np.mean([labels[i] == labels[j] for i in members[one] for j in members[other]])
        for one, other in zip(merges.first, merges.second, strict=True)
    ]
    np.testing.assert_allclose(merges.share_alike(labels), wanted)
    assert merges.pairs.tolist() == [
        len(members[one]) * len(members[other]) for one, other in zip(merges.first, merges.second, strict=True)
    ]
