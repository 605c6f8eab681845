"""The order in which sightings became groups, cut where one likes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vidreid.types import Array


@dataclass(frozen=True)
class Merges:
    """``group`` (n,): the group, numbered from 0, that each row begins in. Merge k makes group ``count`` + k of groups
    ``first[k]`` and ``second[k]``, whose ``linkage`` never rises; ``pairs`` (m,) are the pairs of rows it brings
    together. ``nearest``: None where every pair of rows was looked at; otherwise too many were alike (everybody in one
    uniform, say), and only each row's so many nearest were."""

    group: Array
    first: Array
    second: Array
    linkage: Array
    pairs: Array
    nearest: int | None = None

    @property
    def count(self) -> int:
        """Groups at the beginning."""
        return int(self.group.max()) + 1 if len(self.group) else 0

    def clusters(self, kept: int) -> Array:
        """Cluster numbers (n,) after the first ``kept`` merges, numbered by their first row."""
        made = self.count + np.arange(kept)
        ends = (np.concatenate([self.first[:kept], self.second[:kept]]), np.concatenate([made, made]))
        nodes = self.count + kept
        _, label = connected_components(coo_array((np.ones(2 * kept), ends), shape=(nodes, nodes)), directed=False)
        found = label[self.group]
        _, first, number = np.unique(found, return_index=True, return_inverse=True)
        return np.asarray(np.argsort(np.argsort(first))[number])

    def share_alike(self, labels: Array) -> Array:
        """Of the pairs of each merge, the share (m,) of two rows of one label; ``labels`` (n,) are numbers from 0."""
        seen = np.zeros((self.count + len(self.first), int(labels.max()) + 1 if len(labels) else 0))
        np.add.at(seen, (self.group, labels), 1.0)
        alike = np.zeros(len(self.first))
        for number, (one, other) in enumerate(zip(self.first, self.second, strict=True)):
            alike[number] = seen[one] @ seen[other]
            seen[self.count + number] = seen[one] + seen[other]
        return np.asarray(alike / self.pairs)
