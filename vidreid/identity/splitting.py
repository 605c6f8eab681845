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
    """Between ``before`` and ``after`` way ``way`` may have become one of ``rivals``, closest at ``places``."""

    @property
    def way(self) -> int: ...

    @property
    def before(self) -> int: ...

    @property
    def after(self) -> int: ...

    @property
    def rivals(self) -> tuple[int, ...]: ...

    @property
    def places(self) -> tuple[int, ...]: ...


def find_exchanges(
    contacts: Sequence[Contact], looks: Sequence[Sequence[Look]], threshold: float
) -> Mapping[int, list[int]]:
    """For each way that holds more than one person, the frames at which another one begins.

    ``contacts`` are sorted by way and time; ``looks`` are those of each way in order of time; ``threshold`` is the
    cosine from which two may be one person.
    """
    starts: dict[int, list[int]] = {}
    for group in _groups(contacts, looks):
        way = group[0].way
        since = starts.get(way, [-1])[-1]
        own = [look for look in looks[way] if look.first >= since]
        weight, place = max(against(contact, own, looks, threshold) for contact in group)
        if weight > 0:
            starts.setdefault(way, []).append(place)
    return starts


def _groups(contacts: Sequence[Contact], looks: Sequence[Sequence[Look]]) -> list[list[Contact]]:
    """Contacts of one way with no look of it between them: it can be somebody else after one of them only."""
    groups: list[list[Contact]] = []
    for contact in contacts:
        last = groups[-1][-1] if groups and groups[-1][-1].way == contact.way else None
        between = last is not None and any(
            look.first >= last.after and look.last <= contact.before for look in looks[contact.way]
        )
        if last is None or between:
            groups.append([contact])
        else:
            groups[-1].append(contact)
    return groups


def against(
    contact: Contact, own: Sequence[Look], looks: Sequence[Sequence[Look]], threshold: float
) -> tuple[float, int]:
    """How much speaks against one person on both sides of a contact, and the frame where another one would begin.

    Above 0 it is somebody else who goes on: the two sides (``own`` looks) are less alike than `ALONE` of the
    threshold, or less than a rival is like the other side, by `MARGIN`. Without a look on both sides nothing speaks
    against the tracker (-inf). The place is where the rival was closest, else the middle of the contact.
    """
    middle = (contact.before + contact.after + 1) // 2
    old, new = _before(own, contact.before), _after(own, contact.after)
    if old is None or new is None:
        return -np.inf, middle
    exchanges = [(ALONE * threshold, middle)]
    for rival, place in zip(contact.rivals, contact.places, strict=True):
        earlier, later = _before(looks[rival], contact.before), _after(looks[rival], contact.after)
        exchanges += [(float(one @ new) - MARGIN, place) for one in (earlier,) if one is not None]
        exchanges += [(float(old @ one) - MARGIN, place) for one in (later,) if one is not None]
    likeness, place = max(exchanges)
    return likeness - float(old @ new), min(max(place, contact.before + 1), contact.after)


def mean_look(looks: Sequence[Look]) -> Array | None:
    """Mean of looks weighted by quality, of length 1 (dim,); None where there is none."""
    if not looks:
        return None
    total = np.sum([max(look.quality, 1e-3) * look.vector.astype(np.float64) for look in looks], axis=0)
    length = float(np.linalg.norm(total))
    return np.asarray((total / length).astype(np.float32)) if length > 0 else None


def _before(looks: Sequence[Look], frame: int) -> Array | None:
    return mean_look([look for look in looks if look.last <= frame][-NEAR:])


def _after(looks: Sequence[Look], frame: int) -> Array | None:
    return mean_look([look for look in looks if look.first >= frame][:NEAR])
