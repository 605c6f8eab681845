"""What a likeness means in a run: ``match/calibration.json``, as those who show it want it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidreid.errors import InputError
from vidreid.pipeline.results import Run
from vidreid.types import Array


@dataclass(frozen=True, slots=True)
class Chance:
    """A share or a number with the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, found: Any) -> Chance:
        """From ``[value, low, high]``, or from a number whose interval nobody knows."""
        value, low, high = found if isinstance(found, list) else (found, found, found)
        return cls(float(value), float(low), float(high))


@dataclass(frozen=True)
class Curve:
    """From ``likeness`` (n,), increasing, to the probability (n,) that a pair is one person, and its interval."""

    likeness: Array
    probability: Array
    low: Array
    high: Array

    def at(self, likeness: float) -> Chance:
        """The chance at a likeness; beyond the ends of the curve that of its end."""
        ends = (np.interp(likeness, self.likeness, end) for end in (self.probability, self.low, self.high))
        return Chance(*map(float, ends))


@dataclass(frozen=True)
class Histograms:
    """Numbers (n,) of pairs by likeness between ``edges`` (n + 1,): across cameras, certain impostors, genuine."""

    edges: Array
    pairs: Array
    impostors: Array
    genuine: Array


@dataclass(frozen=True)
class Calibrated:
    """What two sightings are put together on, and what comes of it.

    ``threshold`` is a likeness, ``promise`` the share of wrong pairs that was asked for. ``expected`` holds
    ``wrong_share``, ``false_match_rate``, and numbers of people that are ``mixed`` or ``split``, of ``pairs`` put
    together; ``sources`` the ``card`` and the numbers of ``impostors``, ``genuine`` and ``reviewed`` pairs.
    """

    threshold: float
    promise: float
    expected: Mapping[str, Chance]
    curve: Curve
    histograms: Histograms
    sources: Mapping[str, Any]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The file's own values, for JSON."""
        expected = {name: [found.value, found.low, found.high] for name, found in self.expected.items()}
        arrays = {
            part: {name: values.tolist() for name, values in vars(getattr(self, part)).items()}
            for part in ("curve", "histograms")
        }
        return {**vars(self), "expected": expected, **arrays, "notes": list(self.notes)}


def calibration_of(run: Run) -> Calibrated:
    """The calibration of a matched run; `InputError` where its likeness has no known meaning."""
    found = read_calibration(run)
    if found is None:
        raise InputError(
            f"{run.path}: not calibrated: its network has no card, or an older program matched it",
            f"vidreid match {run.path}; where that does not help, run with an embedder that has a card",
        )
    return found


def read_calibration(run: Run) -> Calibrated | None:
    """The calibration of a matched run; None where its likeness has no known meaning (a network without a card).

    `InputError` where the run is not matched, or the file is damaged.
    """
    path = run.path / "match" / "calibration.json"
    if not path.is_file():
        run.identities()  # says what to do where nothing is matched
        return None
    try:
        return _parsed(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, AttributeError, KeyError, TypeError, ValueError):
        raise InputError(f"{path}: damaged", f"delete it and match again: vidreid match {run.path}") from None


def _parsed(found: dict[str, Any]) -> Calibrated | None:
    if not found["curve"]["likeness"]:
        return None
    curve, histograms = (
        {name: np.asarray(values, np.float64) for name, values in found[part].items()}
        for part in ("curve", "histograms")
    )
    return Calibrated(
        threshold=float(found["threshold"]),
        promise=float(found["promise"]),
        expected={name: Chance.of(value) for name, value in found["expected"].items() if value is not None},
        curve=Curve(**curve),
        histograms=Histograms(**histograms),
        sources=dict(found["sources"]),
        notes=tuple(map(str, found["notes"])),
    )
