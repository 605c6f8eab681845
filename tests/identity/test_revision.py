"""After a decision only the people it touches are clustered anew, and numbers stay with the largest part."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.identity.revision import NOBODY, mend, revise


@st.composite
def worlds(draw):
    """(base, named rows, nobody rows, clusters that recluster finds for every row)."""
    size = draw(st.integers(1, 14))
    numbers = st.lists(st.integers(0, 5), min_size=size, max_size=size).map(np.array)
    rows = st.lists(st.integers(0, size - 1), max_size=5)
    return draw(numbers), draw(rows), draw(rows), draw(numbers)


@given(worlds())
def test_who_is_not_touched_keeps_number_and_members(world):
    base, named, nobody, found = world
    labels = revise(base, named, lambda rows: found[rows], nobody=nobody)
    untouched = ~np.isin(base, base[[*named, *nobody]])
    assert np.array_equal(labels[untouched], base[untouched])
    assert not set(labels[~untouched]) & set(base[untouched])


@given(worlds())
def test_those_touched_are_together_exactly_as_they_were_clustered(world):
    """So pairs that must be together are, and pairs that must not are not, wherever ``recluster`` sees to it."""
    base, named, nobody, found = world
    labels = revise(base, named, lambda rows: found[rows], nobody=nobody)
    rows = np.flatnonzero(np.isin(base, base[[*named, *nobody]]) & ~np.isin(np.arange(len(base)), nobody))
    together = labels[rows][:, None] == labels[rows][None]
    assert np.array_equal(together, found[rows][:, None] == found[rows][None])


@given(worlds())
def test_nobody_is_exactly_who_was_discarded(world):
    base, named, nobody, found = world
    labels = revise(base, named, lambda rows: found[rows], nobody=nobody)
    assert set(np.flatnonzero(labels == NOBODY)) == set(nobody)


@given(worlds())
def test_a_number_stays_with_the_largest_common_part_and_new_ones_follow_the_last(world):
    base, named, nobody, found = world
    labels = revise(base, named, lambda rows: found[rows], nobody=nobody)
    last = base.max()
    fresh = [label for label in dict.fromkeys(labels.tolist()) if label > last]
    assert fresh == list(range(last + 1, last + 1 + len(fresh)))
    common = {(new, old): ((labels == new) & (base == old)).sum() for new in set(labels) for old in set(base)}
    for (new, old), rows in common.items():
        if new in (NOBODY, old) or not rows:
            continue
        # What has more in common with an old number than its own holder must have got a still better one.
        holder, own = common.get((old, old), 0), common.get((new, new), 0)
        assert holder >= rows or own >= rows


@given(worlds())
def test_without_decisions_and_with_the_same_clusters_nothing_changes(world):
    base, named, _, _ = world
    assert np.array_equal(revise(base, [], lambda rows: rows), base)
    assert np.array_equal(revise(base, named, lambda rows: base[rows]), base)


@pytest.mark.parametrize(
    ("base", "named", "found", "labels"),
    [
        ([0, 0, 0, 1, 1, 2], [0, 3], [7, 7, 7, 7, 7, 9], [0, 0, 0, 0, 0, 2]),  # two are one: the larger keeps
        ([0, 1, 1, 1, 2], [0, 1], [5, 5, 5, 5, 5], [1, 1, 1, 1, 2]),  # the larger, though it is later
        ([0, 1], [0, 1], [5, 5], [0, 0]),  # as large: the earlier
        ([0, 0, 0, 1], [0], [3, 4, 4, 0], [2, 0, 0, 1]),  # one is two: the rest is new
        ([0, 0, 1, 1], [0, 2], [3, 4, 3, 4], [0, 1, 0, 1]),  # exchanged: both numbers stay in use
        ([0, 0, 4, 4], [0], [3, 4, 0, 0], [0, 5, 4, 4]),  # new numbers come after the last, holes stay
    ],
)
def test_who_keeps_which_number(base, named, found, labels):
    found = np.array(found)
    assert revise(np.array(base), named, lambda rows: found[rows]).tolist() == labels


def test_nothing_to_cluster_calls_nobody():
    assert revise(np.array([0, 1]), [], lambda rows: pytest.fail("called"), nobody=[0]).tolist() == [NOBODY, 1]
    assert revise(np.zeros(0, np.int64), [], lambda rows: pytest.fail("called")).tolist() == []


def blocked(size, *pairs):
    """Constraints that keep these pairs apart."""
    return [np.array([b for one in pairs for b in one if row in one and b != row], np.int64) for row in range(size)]


def test_people_whom_a_decision_joins_are_one_whatever_they_look_like():
    people = np.array([4, 4, 7, 7, 9])
    assert mend(people, [(0, 2)], blocked(5, (0, 4)), lambda rows: pytest.fail("called")).tolist() == [0, 0, 0, 0, 1]


def test_only_those_whom_something_keeps_apart_are_clustered_anew():
    people = np.array([4, 4, 7, 7, 9])
    called = []
    found = mend(people, [(0, 2)], blocked(5, (1, 3)), lambda rows: called.append(rows.tolist()) or rows % 2)
    assert called == [[0, 1, 2, 3]]
    assert found.tolist() == [0, 1, 0, 1, 2]


@given(worlds(), st.lists(st.tuples(st.integers(0, 13), st.integers(0, 13)), max_size=5), st.booleans())
def test_nobody_is_mixed_with_others_whom_no_decision_names(world, pairs, forbidden):
    people, _, _, found = world
    pairs = [(a % len(people), b % len(people)) for a, b in pairs]
    different = [(a, b) for a, b in pairs if forbidden and a != b]
    labels = mend(people, pairs, blocked(len(people), *different), lambda rows: found[rows])
    group = people.copy()
    for _ in people:
        for a, b in pairs:
            group[np.isin(group, group[[a, b]])] = min(group[a], group[b])
    together = labels[:, None] == labels
    assert not (together & (group[:, None] != group)).any()
    if not different:
        assert np.array_equal(together, group[:, None] == group)
    assert sorted(set(labels.tolist())) == list(range(labels.max() + 1))
