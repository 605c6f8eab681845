"""Which pairs hold a group together: the strongest ones that reach everybody."""

from __future__ import annotations

import numpy as np

from vidreid.types import Array


def strongest_tree(strength: Array, root: int = 0) -> Array:
    """The row (n,) through which each row of a group hangs on ``root``; -1 for the root itself.

    ``strength`` (n, n) is symmetric, -inf where nothing holds a pair. Of all trees this one has the strongest weakest
    pair, on the way between any two rows (Prim's algorithm). A row that nothing holds hangs on nothing: -1.
    """
    through = np.full(len(strength), -1, np.int64)
    reached = np.array(strength[root], np.float64)
    through[np.isfinite(reached)] = root
    through[root], reached[root] = -1, np.nan
    while (waiting := np.flatnonzero(reached > -np.inf)).size:
        row = int(waiting[reached[waiting].argmax()])
        reached[row] = np.nan
        stronger = strength[row] > reached
        through[stronger], reached[stronger] = row, strength[row][stronger]
    return through


def chain(through: Array, row: int) -> list[int]:
    """The rows on the way from ``row`` to the root of its tree, both included."""
    way = [row]
    while (row := int(through[row])) >= 0:
        way.append(row)
    return way
