"""What holds each person of a run together, and whom it is kept apart from: the evidence that `match` wrote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vidreid.pipeline.calibrated import Calibrated, Chance, calibration_of
from vidreid.pipeline.cases import Link
from vidreid.pipeline.results import Run

Row = Mapping[str, Any]
LOOKS = "appearance"


@dataclass(frozen=True)
class Held:
    """Of a person: the ``weakest`` of the pairs that hold it together, None where it was seen once; how ``sure`` it is
    that its least certain sighting is in its place, by that pair or by its likeness to all others; and by the identity
    of each near neighbour the likest pair that was kept ``apart``."""

    weakest: Link | None
    sure: Chance
    apart: Mapping[str, Link]

    @property
    def doubt(self) -> float:
        """The chance that this sighting is in the wrong place."""
        return 1 - self.sure.value


def held_people(run: Run) -> dict[str, Held]:
    """What holds each identity of a matched run."""
    calibrated = calibration_of(run)
    owner = dict(zip(*(run.tracklets()[name].to_pylist() for name in ("tracklet", "identity")), strict=True))
    same: dict[str, list[Link]] = defaultdict(list)
    apart: dict[str, dict[str, Link]] = defaultdict(dict)
    for row in sorted(run.evidence().to_pylist(), key=lambda row: row["similarity"]):
        link = link_of(row["first"], row["second"], row["similarity"], row["reason"], calibrated)
        one, other = owner[link.first], owner[link.second]
        if row["kind"] == "same":
            same[one].append(link)
        else:
            apart[one][other] = apart[other][one] = link  # the likest comes last
    return {
        row["identity"]: _held(same[row["identity"]], row["doubt"] or 0.0, apart[row["identity"]])
        for row in run.identities().select(["identity", "doubt"]).to_pylist()
    }


def link_of(first: str, second: str, likeness: float, reason: str, calibrated: Calibrated) -> Link:
    """A pair with the chance that its likeness gives it, which in one camera is another one than in two."""
    chance = calibrated.chance(likeness, one_camera=camera_of(first) == camera_of(second))
    return Link(first, second, likeness, chance, reason)


def camera_of(tracklet: str) -> str:
    """The camera in a tracklet's name."""
    return tracklet.rpartition("/")[0]


def _held(links: Sequence[Link], doubt: float, apart: Mapping[str, Link]) -> Held:
    """``links`` are the strongest pairs that reach everybody, weakest first."""
    looks = [link for link in links if link.reason == LOOKS]
    weakest = next(iter(looks or links), None)
    found = [Chance.around(1 - doubt), *(link.chance for link in looks[:1])]
    return Held(weakest, min(found, key=lambda chance: chance.value), apart)
