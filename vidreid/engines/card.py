"""An engine's card (``card.json``): what it is, what it takes, how exact it was, and where it runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from vidreid.engines.recipe import Precision, Size
from vidreid.errors import InputError
from vidreid.settings import Section, check_model
from vidreid.types import InputSpec, ModelSpec

CARD = "card.json"
GOLDEN = "golden.npz"
FORMAT = 1


class TensorCard(Section):
    """A tensor of an engine; -1 in ``shape`` is free within the profile."""

    name: str
    role: Literal["input", "output"]
    dtype: str = Field(description="as NumPy names it")
    shape: list[int]
    meaning: str = Field("", description="layout, colour order, range, how a picture is scaled to it")


class WeightsCard(Section):
    """Where the numbers are from. ``random`` ones are for measuring; runs refuse them."""

    kind: Literal["registered", "file", "random"]
    sha256: str = Field(description="of their file; of random ones, of the seed and the network's name")
    licence: str = "not stated"
    terms: str = ""


class Measured(Section):
    """What `verify` found on the golden inputs; None where this does not apply.

    ``cosine``: least and mean over clips, branch by branch; ``rows``: share of equal erased rows; ``error``: largest
    and mean absolute difference of the outputs; ``found``, ``iou``, ``score``: share of the sure boxes found again,
    their mean IoU and mean difference of scores.
    """

    inputs: int = Field(ge=0, description="golden pictures or clips compared")
    cosine: list[tuple[float, float]] | None = None
    rows: float | None = None
    error: tuple[float, float] | None = None
    found: float | None = None
    iou: float | None = None
    score: float | None = None


class Target(Section):
    """The machines that it runs on. CPU engines leave all empty.

    ``capabilities``: compute capabilities it was built for (sm86); ``portable`` ones also run on newer ones, and with
    newer runtimes of the same major version. ``gpu`` and ``driver``: of the machine that built it.
    """

    capabilities: list[str] = Field(default_factory=list)
    portable: bool = False
    gpu: str = ""
    driver: str = ""


class Card(Section):
    """All that is known of an engine. ``files``: SHA-256 of everything beside it that it needs, the main file first."""

    format: Literal[1] = 1
    name: str
    recipe: str
    recipe_sha256: str
    network: dict[str, Any] = Field(description="the network's spec, as ModelSpec has it")
    weights: WeightsCard
    onnx_sha256: str = Field(description="of the float32 graph that it was built from")
    sizes: list[Size] = Field(description="height, width of pictures that it takes, the usual one first")
    batch: tuple[int, int, int]
    precision: Precision
    islands: list[str] = Field(default_factory=list, description="nodes computed in float32")
    calibration: str = Field("", description="what ranges were measured on (int8)")
    tensors: list[TensorCard]
    runtime: str
    runtime_version: str
    target: Target = Target()
    files: dict[str, str]
    measured: Measured | None = Field(None, description="None: the machine that built it cannot run it")
    made_with: dict[str, str] = Field(default_factory=dict, description="packages by version")

    @property
    def spec(self) -> ModelSpec:
        """The network's spec, at the usual size; its identity is that of its weights."""
        values = {key: value for key, value in self.network.items() if key != "input"}
        given: dict[str, Any] = {
            key: tuple(it) if isinstance(it, list) else it for key, it in self.network["input"].items()
        }
        spec_input = InputSpec(**given)
        values["sizes"] = tuple((height, width) for height, width in self.sizes)
        return ModelSpec(input=spec_input, **values)


def read_card(folder: Path) -> Card:
    """The card of an engine's folder; `InputError` where it is missing, damaged, or of a newer program."""
    path = folder / CARD
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{folder}: no engine ({CARD} is missing)", "vidreid engine list") from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path}: not readable: {' '.join(str(error).split())}", "build the engine again") from None
    if isinstance(values, dict) and isinstance(values.get("format"), int) and values["format"] > FORMAT:
        raise InputError(f"{path}: format {values['format']} is of a newer vidreid", "update vidreid")
    return check_model(Card, values, str(path))


def write_card(folder: Path, card: Card) -> None:
    """Write an engine's card."""
    (folder / CARD).write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
