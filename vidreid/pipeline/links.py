"""What holds each person of a run together, and whom it is kept apart from: the evidence that `match` wrote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidreid.identity.spanning import strongest_tree
from vidreid.pipeline.calibrated import Calibrated, Chance, read_calibration
from vidreid.pipeline.cases import Link
from vidreid.pipeline.results import Run

Row = Mapping[str, Any]
LOOKS = "appearance"


@dataclass(frozen=True)
class Held:
    """Of a person: the ``weakest`` of the pairs that hold it together, None where it was seen once, and by the
    identity of each near neighbour the likest pair that was kept ``apart``."""

    weakest: Link | None
    apart: Mapping[str, Link]


def held_people(run: Run) -> dict[str, Held]:
    """What holds each identity of a matched run."""
    calibrated = read_calibration(run)
    owner = dict(zip(*(run.tracklets()[name].to_pylist() for name in ("tracklet", "identity")), strict=True))
    same: dict[str, list[Row]] = defaultdict(list)
    apart: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in sorted(run.evidence().to_pylist(), key=lambda row: row["similarity"]):
        one, other = owner[row["first"]], owner[row["second"]]
        if row["kind"] == "same":
            same[one].append(row)
        else:
            apart[one][other] = apart[other][one] = row  # the likest comes last
    return {
        who: Held(_weakest(same[who], calibrated), {other: _link(row, calibrated) for other, row in apart[who].items()})
        for who in run.identities()["identity"].to_pylist()
    }


def _weakest(rows: Sequence[Row], calibrated: Calibrated | None) -> Link | None:
    """The weakest of the strongest pairs that reach everybody."""
    if not rows:
        return None
    names = sorted({row[end] for row in rows for end in ("first", "second")})
    place = {name: number for number, name in enumerate(names)}
    strength = np.full((len(names), len(names)), -2.0)  # of pairs that `match` did not keep: the last resort
    kept: dict[tuple[int, int], Row] = {}
    for row in rows:
        i, j = place[row["first"]], place[row["second"]]
        strength[i, j] = strength[j, i] = row["similarity"] if row["reason"] == LOOKS else 2.0
        kept[i, j] = kept[j, i] = row
    through = strongest_tree(strength)
    links = [kept[row, int(via)] for row, via in enumerate(through) if (row, int(via)) in kept]
    looks = [row for row in links if row["reason"] == LOOKS] or links
    return _link(min(looks, key=lambda row: row["similarity"]), calibrated)


def _link(row: Row, calibrated: Calibrated | None) -> Link:
    likeness = float(row["similarity"])
    return Link(row["first"], row["second"], likeness, chance_of(likeness, row, calibrated), row["reason"])


def chance_of(likeness: float, kept: Row | None, calibrated: Calibrated | None) -> Chance | None:
    """The chance of a pair: what `match` gave it where it ``kept`` it, within the curve's interval or beyond."""
    if calibrated is None:
        return None
    chance = calibrated.curve.at(likeness)
    value = kept.get("probability") if kept else None
    return chance if value is None else Chance(value, min(chance.low, value), max(chance.high, value))
