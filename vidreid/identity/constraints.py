"""What no likeness can overrule: two tracklets that one camera sees at the same time are two people."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidreid.types import Array


@dataclass(frozen=True, slots=True)
class Presence:
    """Where a tracklet was: its camera, and frame indices of its first and last box."""

    camera: str
    first: int
    last: int


def cannot_link(presences: Sequence[Presence]) -> list[Array]:
    """For each tracklet the positions (k,) int64 of those that it cannot be: same camera, common frames."""
    apart: list[list[int]] = [[] for _ in presences]
    for camera in {presence.camera for presence in presences}:
        rows = [i for i, presence in enumerate(presences) if presence.camera == camera]
        present: list[tuple[int, int]] = []
        for row in sorted(rows, key=lambda i: (presences[i].first, i)):
            while present and present[0][0] < presences[row].first:
                heapq.heappop(present)
            for _, other in present:
                apart[row].append(other)
                apart[other].append(row)
            heapq.heappush(present, (presences[row].last, row))
    return [np.array(sorted(others), np.int64) for others in apart]
