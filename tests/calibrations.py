"""Calibrations as `match` writes them, made by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

MIDDLE = 0.5  # the likeness at which a pair may as well be one person as two


def calibration(**changed: Any) -> dict[str, Any]:
    """``match/calibration.json``: a logistic curve, with the parts that are given in place of its own."""
    likeness = np.linspace(-0.2, 1, 61)
    probability, low, high = (_logistic(likeness, shift) for shift in (0.0, 0.05, -0.05))
    edges = np.linspace(-0.2, 1, 25)
    return {
        "threshold": 0.52,
        "promise": 0.02,
        "expected": {
            "wrong_share": [0.016, 0.004, 0.05],
            "mixed": [0.4, 0.0, 2.0],
            "split": [2.6, 1.0, 5.0],
            "pairs": 240,
            "false_match_rate": [0.0, 0.0, 0.00093],
        },
        "curve": {
            "likeness": likeness.tolist(),
            "probability": probability.tolist(),
            "low": low.tolist(),
            "high": high.tolist(),
        },
        "histograms": {
            "edges": edges.tolist(),
            "pairs": [40] * 24,
            "impostors": [12] * 12 + [0] * 12,
            "genuine": [0] * 16 + [5] * 8,
        },
        "sources": {"card": "slim-afa", "impostors": 144, "genuine": 40, "reviewed": 3},
        "notes": ["few certain genuine pairs: the card weighs most"],
        **changed,
    }


def calibrated(run: Path, copy: Path, **changed: Any) -> Path:
    """A copy of a run, with such a calibration."""
    shutil.copytree(run, copy)
    write(copy, **changed)
    return copy


def write(run: Path, **changed: Any) -> None:
    """Put a calibration into a run."""
    path = run / "match" / "calibration.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(calibration(**changed)), encoding="utf-8")


def _logistic(likeness: Any, shift: float) -> Any:
    return 1 / (1 + np.exp(-14 * (likeness - MIDDLE - shift)))
