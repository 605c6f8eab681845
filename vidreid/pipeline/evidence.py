"""What holds people together and keeps them apart: the pairs that speak for it, with their chances."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from vidreid.identity.constraints import reason
from vidreid.identity.margins import Margins
from vidreid.identity.revision import NOBODY
from vidreid.identity.spanning import strongest_tree
from vidreid.pipeline.grouping import Grouped, presences
from vidreid.types import Array

APPEARANCE = "appearance"
ALIKE = -2.0  # likeness from which those who are kept apart are worth a word
MOST = 2_000  # members whose pairs are all looked at


def pairs_together(grouped: Grouped, rows: Array, clusters: Array) -> Iterator[dict[str, Any]]:
    """Of each cluster the strongest pairs that reach everybody, those that a person decided first."""
    for cluster in range(int(clusters.max(initial=-1)) + 1):
        members = rows[clusters == cluster]
        core = members[:MOST]
        strength = grouped.likeness.between(core, core)
        place = {int(row): number for number, row in enumerate(core)}
        for one, other in grouped.ruled:
            if one in place and other in place:
                strength[place[one], place[other]] = strength[place[other], place[one]] = 1e3
        pairs = [(core[row], core[via]) for row, via in enumerate(strongest_tree(strength)) if via >= 0]
        for row in members[MOST:]:
            pairs.append((row, core[int(grouped.likeness.between(np.array([row]), core).argmax())]))
        yield from (_row(grouped, int(min(pair)), int(max(pair)), "same") for pair in pairs)


def pairs_apart(grouped: Grouped, rows: Array, clusters: Array, near: Margins) -> Iterator[dict[str, Any]]:
    """Of each tracklet the likest one of the nearest other people, and what keeps the two apart; and whom a person
    kept apart."""
    told: set[tuple[int, int]] = set()
    for position, row in enumerate(rows):
        if near.nearest[position] < 0:
            continue
        others = rows[clusters == near.nearest[position]]
        likeness = grouped.likeness.between(np.array([row]), others)[0]
        other = int(others[int(likeness.argmax())])
        pair = (min(int(row), other), max(int(row), other))
        if likeness.max() >= ALIKE and pair not in told:
            told.add(pair)
            yield _row(grouped, *pair, "apart")
    for one, other in grouped.ruled:
        if (one, other) not in told and NOBODY != grouped.labels[one] != grouped.labels[other] != NOBODY:
            yield _row(grouped, one, other, "apart")


def _row(grouped: Grouped, one: int, other: int, kind: str) -> dict[str, Any]:
    pair = np.array([[one, other]])
    alike = grouped.space.cameras[one] == grouped.space.cameras[other]
    likeness = grouped.likeness.of(pair)
    chance = grouped.curves["same" if alike else "cross"].above(likeness)
    return {
        "first": grouped.known[one].name,
        "second": grouped.known[other].name,
        "similarity": float(likeness[0]),
        "probability": float(chance[0]),
        "kind": kind,
        "reason": _reason(grouped, one, other),
    }


def _reason(grouped: Grouped, one: int, other: int) -> str:
    decided = grouped.ruled.get((one, other))
    if decided is not None:
        return f"decision {decided}"
    if other in grouped.apart[one]:
        return reason(*presences([grouped.known[one], grouped.known[other]]))
    return APPEARANCE
