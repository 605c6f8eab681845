"""What can be said of a decision of `match`: of two sightings, of one, or of a person."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from vidreid.pipeline.calibrated import Chance


@dataclass(frozen=True)
class Sighting:
    """A tracklet: ``height`` in pixels, ``quality`` of its best crop (taken at ``best`` frame) 0..1, None without.

    ``start`` and ``end`` are in the run's zone, None where the clock is unknown; ``remarks`` what weakens it.
    """

    tracklet: str
    camera: str
    identity: str | None
    start: datetime | None
    end: datetime | None
    start_s: float
    end_s: float
    height: float
    best: int | None
    quality: float | None
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Link:
    """A pair of tracklets: how far above even odds their likeness is, the chance that this gives them to be one person,
    and why the pair holds or stands apart."""

    first: str
    second: str
    likeness: float
    chance: Chance
    reason: str


@dataclass(frozen=True)
class Barrier:
    """Two tracklets that cannot be one person, whatever they look like.

    Where both are in one camera at once, ``start_s`` to ``end_s`` of it (``start`` to ``end``) is that time.
    """

    first: str
    second: str
    reason: str
    start: datetime | None = None
    end: datetime | None = None
    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True)
class Neighbour:
    """Another person: mean likeness to it, the likest pair, and what stands between, if anything does."""

    identity: str
    likeness: float
    link: Link
    barriers: tuple[Barrier, ...]


@dataclass(frozen=True)
class PairCase:
    """Two sightings. ``same`` is None where one of them belongs to nobody; ``link`` None where one has no picture;
    ``threshold`` the least mean likeness that groups are put together on, None where nothing could be.

    ``to_other``: mean likeness of the first to the second's person, and of the second to the first's, None without.
    ``chain``: the strongest pairs from the first to the second, where both are one person.
    """

    first: Sighting
    second: Sighting
    same: bool | None
    link: Link | None
    threshold: float | None
    to_other: tuple[float | None, float | None]
    chain: tuple[Link, ...]
    barriers: tuple[Barrier, ...]


@dataclass(frozen=True)
class SightingCase:
    """One sighting: the pairs that hold it to its person, strongest first, mean likeness to it, and who comes next."""

    sighting: Sighting
    threshold: float | None
    likeness: float | None
    held: tuple[Link, ...]
    nearest: Neighbour | None


@dataclass(frozen=True)
class PersonCase:
    """A person: its sightings, the strongest pairs that hold them together (weakest first), near ones kept out."""

    identity: str
    threshold: float | None
    sightings: tuple[Sighting, ...]
    links: tuple[Link, ...]
    neighbours: tuple[Neighbour, ...]


Case = PairCase | SightingCase | PersonCase


def as_dict(case: Case) -> dict[str, Any]:
    """Plain values, for JSON; times are ISO 8601 in UTC."""
    return {"kind": type(case).__name__.removesuffix("Case").lower(), **_plain(asdict(case))}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}" if isinstance(value, datetime) else value
