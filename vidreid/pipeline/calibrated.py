"""What a likeness means in a run: ``match/calibration.json``, written by `match`, read by those who show it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidreid.errors import InputError
from vidreid.identity.association import SPREAD
from vidreid.identity.calibration import NEVER, Curve, Kind, histogram, logit, odds
from vidreid.identity.card import CENTRES, Card
from vidreid.pipeline.matched import check_same
from vidreid.store.folder import RunFolder
from vidreid.store.parts import write_json
from vidreid.types import Array

if TYPE_CHECKING:
    from vidreid.pipeline.grouping import Grouped
    from vidreid.pipeline.results import Run

KINDS: tuple[Kind, Kind] = ("same", "cross")


@dataclass(frozen=True, slots=True)
class Chance:
    """A share or a number with the ends of its interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, found: Any) -> Chance:
        """From ``[value, low, high]``, or from a number whose interval nobody knows."""
        value, low, high = found if isinstance(found, list) else (found, found, found)
        return cls(float(value), float(low), float(high))

    @classmethod
    def around(cls, value: float) -> Chance:
        """A chance, and what it may be if twice or half as many strangers look so alike."""
        value = min(max(value, 1e-6), 1 - 1e-6)
        low, high = (float(odds(logit(value) + step)) for step in (-np.log(SPREAD), np.log(SPREAD)))
        return cls(value, low, high)


@dataclass(frozen=True)
class Meaning:
    """From ``likeness`` (n,), increasing, 0 at even odds, to the ``probability`` (n,) that a pair is one person.

    ``pairs``, ``impostors`` and ``genuine`` (n,) are how many pairs of the run lie around each likeness: of all, of
    those that are surely two people, and of one person as the run is held to have them. ``even`` is the score at 0.
    """

    likeness: Array
    probability: Array
    pairs: Array
    impostors: Array
    genuine: Array
    even: float

    def at(self, likeness: float) -> Chance:
        """The chance at a likeness."""
        return Chance.around(float(np.interp(likeness, self.likeness, self.probability)))


@dataclass(frozen=True)
class Frame:
    """Where scores are taken: ``mean`` (dim,) of the network and ``means`` (cameras, dim) of the run's ``cameras``,
    the likeness ``scale``, and those to ``strangers`` (2,) in a small crowd."""

    cameras: Sequence[str]
    mean: Array
    means: Array
    scale: float
    strangers: Array


@dataclass(frozen=True)
class Calibrated:
    """What two sightings are put together on, and what comes of it.

    ``threshold`` is the least mean likeness of what was put together, None where nothing could be; ``promise`` the
    share of wrong pairs that was asked for. ``expected`` holds ``wrong_share``, ``false_match_rate``, and numbers of
    people that are ``mixed`` or ``split``, of ``pairs`` put together; ``sources`` the ``card``, its ``people``, and
    the numbers of ``impostors``, ``genuine`` (halves of tracklets) and ``reviewed`` pairs. ``curves`` are of pairs of
    one camera (``same``) and of two (``cross``).
    """

    threshold: float | None
    promise: float
    expected: Mapping[str, Chance]
    curves: Mapping[str, Meaning]
    sources: Mapping[str, Any]
    frame: Frame
    notes: tuple[str, ...]

    @property
    def curve(self) -> Meaning:
        """The curve of pairs of two cameras; of one camera where no other saw anybody."""
        return self.curves["cross" if self.curves["cross"].pairs.any() else "same"]

    def chance(self, likeness: float, *, one_camera: bool) -> Chance:
        """The chance that a pair of this likeness is one person."""
        return self.curves["same" if one_camera else "cross"].at(likeness)

    def shown(self) -> dict[str, Meaning]:
        """The curves of the kinds of pairs that the run can have."""
        return {kind: self.curves[kind] for kind in KINDS if kind == "same" or len(self.frame.cameras) > 1}

    def as_dict(self) -> dict[str, Any]:
        """The values that people look at, for JSON."""
        return {
            "threshold": self.threshold,
            "promise": self.promise,
            "expected": {name: [found.value, found.low, found.high] for name, found in self.expected.items()},
            "curves": {
                kind: {
                    name: value.tolist() if isinstance(value, np.ndarray) else value
                    for name, value in vars(curve).items()
                }
                for kind, curve in self.curves.items()
            },
            "sources": dict(self.sources),
            "notes": list(self.notes),
        }


def write_calibration(folder: RunFolder, grouped: Grouped, card: Card, cameras: Sequence[str], match: str) -> None:
    """Write what a likeness means in what `match` grouped; ``cameras`` in the order of their numbers, ``match`` is the
    fingerprint of its tables."""
    base, space = grouped.base, grouped.space
    expected = base.expected
    found = {
        "threshold": base.threshold,
        "promise": base.promise,
        "expected": {
            "wrong_share": list(expected.wrong_share),
            "false_match_rate": list(expected.false_match_rate),
            "mixed": _spread(expected.mixed),
            "split": _spread(expected.split),
            "pairs": expected.pairs,
        },
        "curves": {kind: _curve(grouped.curves[kind], grouped, kind) for kind in KINDS},
        "sources": {
            "card": card.name,
            "people": card.people,
            "impostors": len(grouped.impostors),
            "genuine": len(grouped.halves),
            "reviewed": len(grouped.reviewed),
        },
        "frame": {
            "cameras": list(cameras),
            "mean": card.mean.tolist(),
            "means": space.means.tolist(),
            "scale": space.levels.scale,
            "strangers": np.asarray(card.strangers).tolist(),
        },
        "match": match,
        "notes": [*_notes(base.threshold, base.promise, card, expected.pairs), *grouped.notes],
    }
    write_json(calibration_file(folder), found)


def _spread(number: float) -> list[float]:
    return [number, number / SPREAD, number * SPREAD]


def _curve(curve: Curve, grouped: Grouped, kind: Kind) -> dict[str, Any]:
    """A curve by likeness, from below even odds to where nobody is."""
    even = min(curve.even, NEVER)
    scores = grouped.space.pair_scores(grouped.impostors) if kind == "same" else np.zeros(0)
    return {
        "likeness": (CENTRES - even).round(4).tolist(),
        "probability": curve.probability.round(6).tolist(),
        "pairs": (curve.counted).tolist(),
        "impostors": histogram(scores).tolist(),
        "genuine": curve.genuine.round(3).tolist(),
        "even": even,
    }


def _notes(threshold: float | None, promise: float, card: Card, pairs: float) -> list[str]:
    notes = []
    if threshold is None:
        notes.append(
            f"nobody could be put together: no pair is sure enough for {promise:.3g} wrong ones among all; "
            "--wrong-pairs asks for more"
        )
    elif pairs < 3 / promise:
        notes.append(f"{pairs:.0f} pairs put together cannot show that under {promise:.3g} of them are wrong")
    if not card.people:
        notes.append(f"{card.name} has no card: nobody measured what its likenesses mean, chances are rough")
    return notes


def calibration_file(folder: RunFolder) -> Path:
    """Where a run's calibration lies."""
    return folder.match("calibration").with_suffix(".json")


def calibration_of(run: Run) -> Calibrated:
    """The calibration of a matched run; `InputError` where its likeness has no known meaning."""
    found = read_calibration(run)
    if found is None:
        raise InputError(f"{run.path}: not calibrated: an older program matched it", f"vidreid match {run.path}")
    return found


def read_calibration(run: Run) -> Calibrated | None:
    """The calibration of a matched run; None where an older program matched it.

    `InputError` where the run is not matched, or the file is damaged.
    """
    path = calibration_file(RunFolder(run.path))
    if not path.is_file():
        run.identities()  # says what to do where nothing is matched
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if "match" in found:  # older programs did not say
            check_same(RunFolder(run.path), run.match.header.fingerprint, found["match"])
        return _parsed(found)
    except (OSError, AttributeError, KeyError, TypeError, ValueError):
        raise InputError(f"{path}: damaged", f"delete it and match again: vidreid match {run.path}") from None


def _parsed(found: dict[str, Any]) -> Calibrated:
    arrays = ("likeness", "probability", "pairs", "impostors", "genuine")
    curves = {
        kind: Meaning(**{name: np.asarray(curve[name], float) for name in arrays}, even=float(curve["even"]))
        for kind, curve in found["curves"].items()
    }
    frame = found["frame"]
    vectors = {name: np.asarray(frame[name], np.float32) for name in ("mean", "means", "strangers")}
    return Calibrated(
        threshold=None if found["threshold"] is None else float(found["threshold"]),
        promise=float(found["promise"]),
        expected={name: Chance.of(value) for name, value in found["expected"].items()},
        curves=curves,
        sources=dict(found["sources"]),
        frame=Frame(cameras=tuple(frame["cameras"]), scale=float(frame["scale"]), **vectors),
        notes=tuple(map(str, found["notes"])),
    )
