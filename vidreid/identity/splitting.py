"""Whether a way goes on as the same person after a contact: looks before and after, against who was touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vidreid.types import Array

NEAR = 3  # looks on each side that are compared
MARGIN = 0.05  # by how much a rival must be more alike than the way itself
ALONE = 0.7  # share of the threshold under which the two sides are two people whoever was touched


@dataclass(frozen=True)
class Look:
    """How a way looked during frames ``first`` to ``last``: a unit ``vector`` (dim,) and its ``quality`` 0..1."""

    first: int
    last: int
    quality: float
    vector: Array


class Contact(Protocol):
    """A place where way ``way`` may go on as somebody else, touched by ``rivals``."""

    @property
    def way(self) -> int: ...

    @property
    def before(self) -> int: ...

    @property
    def after(self) -> int: ...

    @property
    def rivals(self) -> tuple[int, ...]: ...


def find_exchanges(
    contacts: Sequence[Contact], looks: Sequence[Sequence[Look]], threshold: float
) -> Mapping[int, list[int]]:
    """For each way that holds more than one person, the frames at which another one begins.

    ``looks`` are those of each way in order of time, ``threshold`` the cosine from which two may be one person.
    The contact itself is shared between its two sides.
    """
    starts: dict[int, list[int]] = {}
    for contact in contacts:
        since = starts.get(contact.way, [-1])[-1]
        own = [look for look in looks[contact.way] if look.first >= since]
        rivals = [looks[rival] for rival in contact.rivals]
        if is_exchanged(contact.before, contact.after, own, rivals, threshold):
            starts.setdefault(contact.way, []).append((contact.before + contact.after + 1) // 2)
    return starts


def is_exchanged(
    before: int, after: int, looks: Sequence[Look], rivals: Sequence[Sequence[Look]], threshold: float
) -> bool:
    """Whether somebody else goes on after a contact between frames ``before`` and ``after``.

    It is somebody else where the two sides are less alike than `ALONE` of the threshold, or less than a rival is
    like the other side, by `MARGIN`. Without a look on both sides nothing speaks against the tracker.
    """
    old, new = _before(looks, before), _after(looks, after)
    if old is None or new is None:
        return False
    alike = float(old @ new)
    exchanged = [
        float(one @ other)
        for rival in rivals
        for one, other in ((_before(rival, before), new), (old, _after(rival, after)))
        if one is not None and other is not None
    ]
    return alike < max([ALONE * threshold, *(likeness - MARGIN for likeness in exchanged)])


def mean_look(looks: Sequence[Look]) -> Array | None:
    """Mean of looks weighted by quality, of length 1 (dim,); None where there is none."""
    if not looks:
        return None
    total = np.sum([max(look.quality, 1e-3) * look.vector for look in looks], axis=0)
    length = float(np.linalg.norm(total))
    return np.asarray(total / length) if length > 0 else None


def _before(looks: Sequence[Look], frame: int) -> Array | None:
    return mean_look([look for look in looks if look.last <= frame][-NEAR:])


def _after(looks: Sequence[Look], frame: int) -> Array | None:
    return mean_look([look for look in looks if look.first >= frame][:NEAR])
