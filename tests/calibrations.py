"""Calibrations as `match` writes them, made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np


def calibration(**changed: Any) -> dict[str, Any]:
    """``match/calibration.json`` of two cameras: logistic curves, with the parts that are given in place of its own."""
    return {
        "threshold": 0.4,
        "promise": 0.02,
        "expected": {
            "wrong_share": [0.016, 0.008, 0.032],
            "mixed": [1.4, 0.7, 2.8],
            "split": [0.3, 0.15, 0.6],
            "pairs": 240,
            "false_match_rate": [0.0, 0.0, 0.00093],
        },
        "curves": {"same": curve(4.0, impostors=12.0), "cross": curve(3.0)},
        "sources": {"card": "slim-afa", "people": 199, "impostors": 144, "genuine": 40, "reviewed": 3},
        "frame": {
            "cameras": ["gate", "hall"],
            "mean": [0.0, 0.0],
            "means": [[0.0, 0.0], [0.0, 0.0]],
            "scale": 0.1,
            "strangers": [0.5, 0.4],
        },
        "notes": ["240 pairs put together cannot show that under 0.002 of them are wrong"],
        **changed,
    }


def curve(steepness: float, *, pairs: float = 40.0, impostors: float = 0.0) -> dict[str, Any]:
    """A logistic curve, and as many pairs around each likeness."""
    likeness = np.linspace(-2, 4, 61)
    probability = 1 / (1 + np.exp(-steepness * likeness))
    return {
        "likeness": likeness.tolist(),
        "probability": np.clip(probability, 0.001, 0.999).tolist(),
        "pairs": [pairs] * 61,
        "impostors": [impostors] * 12 + [0.0] * 49,
        "genuine": (pairs * probability).tolist(),
        "even": 1.2,
    }


def write(run: Path, **changed: Any) -> None:
    """Put a calibration into a run."""
    path = run / "match" / "calibration.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(calibration(**changed)), encoding="utf-8")
