"""The card of a network: what is known of its likenesses before a run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from vidreid.errors import InputError
from vidreid.identity.card import BULK, CENTRES, Card, read_card
from vidreid.resources import carried, shipped_weights


def card_of(name: str, dim: int, network: str | None = None) -> Card:
    """The card that ships for a network of this registered name; one of no people where there is none.

    ``network`` is the SHA-256 of its weights: other weights under the name have no card. None takes the name's word.
    `InputError` where vectors of ``dim`` numbers (0: there are none) are not what the card was made from.
    """
    path = next(filter(Path.is_file, card_files(name)), None)
    found = {} if path is None else _read(path)
    if not found or network not in (None, found["network"]):
        return stranger(name, dim)
    card = read_card(found)
    if dim not in (0, len(card.mean)):
        raise InputError(
            f"vectors of {dim} numbers are not those of {name}, which has {len(card.mean)}",
            "name the embedder that made them",
        )
    return card


def card_files(name: str) -> tuple[Path, Path]:
    """Where the card of a network is looked for: beside what ships, then among those of others."""
    return shipped_weights() / name / "calibration.json", carried("configs") / "calibration" / f"{name}.json"


def card_digest(name: str) -> str:
    """What stands for the card of a network in a fingerprint; empty where it has none."""
    path = next(filter(Path.is_file, card_files(name)), None)
    return "" if path is None else hashlib.sha256(path.read_bytes()).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"{path}: damaged", "install vidreid again") from None
    assert isinstance(found, dict)
    return found


def stranger(name: str, dim: int) -> Card:
    """The card of a network that nobody measured: what networks for persons have in common, a little harder."""
    bulk = np.exp(-1.1 * CENTRES)
    tail = np.exp(-2.0 * np.maximum(CENTRES, 0.0)) * np.exp(-1.6 * np.minimum(CENTRES, 0.0))
    null = {"with": tail, "without": np.minimum(bulk, tail * 2)}
    return Card(
        name=name,
        mean=np.zeros(dim, np.float32),
        scale=0.08,
        strangers=np.array([0.5, 0.42], np.float32),
        null={kind: shape / shape[BULK].sum() for kind, shape in null.items()},
        genuine={"same": (1.8, 0.8), "cross": (1.0, 0.9)},
        halves=0.85,
        people=0,
    )
