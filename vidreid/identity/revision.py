"""Clusters anew where a person decided, and only there: everybody else keeps name and members."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vidreid.types import Array

NOBODY = -1


def revise(
    base: Array, named: Sequence[int], recluster: Callable[[Array], Array], *, nobody: Sequence[int] = ()
) -> Array:
    """Cluster numbers (n,) int64 after decisions; `NOBODY` for the rows of ``nobody``, which leave their cluster.

    ``base`` (n,) numbers from 0 of the clusters without decisions (the parts of a row that was split have its
    number); ``named`` rows that decisions speak of. The clusters that hold a named row or one of ``nobody`` are
    touched: ``recluster`` is given their rows (m,), in order, without those of ``nobody``, and returns any numbers (m,)
    of their clusters. All other rows stay as they are. A new cluster takes the number of the old one with which it
    has most rows in common, the largest common parts first; what finds none left is numbered after the last of
    ``base``, in order of first rows.
    """
    labels = np.array(base, np.int64)
    out = np.isin(np.arange(len(labels)), np.asarray(nobody, np.int64))
    touched = np.isin(labels, labels[[*named, *nobody]])
    labels[out] = NOBODY
    rows = np.flatnonzero(touched & ~out)
    if len(rows):
        fresh = int(np.max(base)) + 1
        labels[rows] = _kept(np.asarray(base)[rows], np.asarray(recluster(rows)), fresh)
    return labels


def mend(
    people: Array, same: Sequence[tuple[int, int]], apart: Sequence[Array], recluster: Callable[[Array], Array]
) -> Array:
    """Clusters (m,) of rows that were of ``people`` (m,) before, numbers from 0.

    People whom pairs of rows in ``same`` join become one as they are, unless ``apart`` (m,) keeps a row of theirs from
    another: ``recluster`` is given the rows (k,) of such people and returns any numbers (k,) of their clusters.
    """
    names, number = np.unique(people, return_inverse=True)
    one, other = np.array(same, np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(one)), (number[one], number[other])), shape=(len(names), len(names)))
    _, group = connected_components(links, directed=False)
    found = np.zeros(len(people), np.int64)
    for rows in (np.flatnonzero(group[number] == each) for each in np.unique(group)):
        whole = not any(np.isin(apart[row], rows).any() for row in rows.tolist())
        found[rows] = found.max() + 1 + (0 if whole else np.unique(recluster(rows), return_inverse=True)[1])
    return np.unique(found, return_inverse=True)[1]


def _kept(old: Array, new: Array, fresh: int) -> Array:
    """The numbers (m,) that rows of old and new clusters (m,) get; numbers from ``fresh`` on were never used."""
    _, first, new = np.unique(new, return_index=True, return_inverse=True)
    common = Counter(zip(new.tolist(), old.tolist(), strict=True))
    given: dict[int, int] = {}
    # Ties go to the lower old number, then to the cluster that begins first: the outcome depends on no order.
    for cluster, number in sorted(common, key=lambda pair: (-common[pair], pair[1], first[pair[0]])):
        if cluster not in given and number not in given.values():
            given[cluster] = number
    without = [cluster for cluster in np.argsort(first).tolist() if cluster not in given]
    given |= {cluster: fresh + place for place, cluster in enumerate(without)}
    return np.array([given[cluster] for cluster in new.tolist()], np.int64)
