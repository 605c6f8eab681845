"""An engine's card (``card.json``): what it is, what it takes, how exact it was, and where it runs."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from vidreid.engines.recipe import Bound, Precision, Size
from vidreid.engines.source import BOXES, EMBEDDING, INPUT, ROWS
from vidreid.errors import InputError
from vidreid.settings import Section, check_model
from vidreid.types import ModelSpec

CARD = "card.json"
GOLDEN = "golden.npz"
FORMAT = 1
SEAL = "seal"
# People paste it, and cards come from strangers: plain words, or words in single quotes.
COMMAND = r"^(vidreid engine build( [\w@%+=:,./~-]+| '[^'\x00-\x1f]*')+)?$"
AGAIN = "build the engine again"
OF_A_MACHINE = r" --(portable|(runtime|precision|calibrate-on) ('[^']*'|\S+))"  # in a command


class NewerError(InputError):
    """The card of an engine that a newer vidreid made."""


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

    ``cosine``: least and mean over clips, branch by branch; ``rows``: share of equal erased rows, where the network
    erases: ``cosine`` is then over the clips whose rows agree up to the branch (``agreeing``: how many, branch by
    branch; where none does, over all), and ``differing`` the least and mean of those left out; ``error``: largest and
    mean absolute difference of what is compared (numbers of vectors; pixels of boxes); ``found``, ``iou``, ``score``:
    share of the sure boxes found again, their mean IoU and mean difference of scores.
    """

    inputs: int = Field(ge=0, description="golden pictures or clips compared")
    cosine: list[tuple[float, float]] | None = None
    rows: float | None = None
    agreeing: list[int] | None = None
    differing: tuple[float, float] | None = None
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
    wanted_sha256: str = Field("", description="of all that was asked for; two engines of the same are one engine")
    command: str = Field("", pattern=COMMAND, description="builds it again")
    network: ModelSpec
    weights: WeightsCard
    onnx_sha256: str = Field(description="of the float32 graph that it was built from")
    sizes: list[Size] = Field(description="height, width of pictures that it takes, the usual one first")
    batch: tuple[int, int, int]
    precision: Precision
    islands: list[str] = Field(
        default_factory=list, description="nodes not in that precision: in float32, or OpenVINO's choice (int8)"
    )
    calibration: str = Field("", description="what ranges were measured on (int8)")
    flops: list[int] = Field(
        default_factory=list, description="floating-point operations of one input (twice its multiply-adds), by size"
    )
    tensors: list[TensorCard]
    runtime: str
    runtime_version: str
    target: Target = Target()
    files: dict[str, str]
    bound: Bound = Field(Bound(), description="how far from torch it may be")  # type: ignore[call-arg]
    measured: Measured | None = Field(None, description="None: the machine that built it cannot run it")
    made_with: dict[str, str] = Field(default_factory=dict, description="packages by version")

    @property
    def again(self) -> str:
        """The action that builds it again, for hints."""
        return self.command or AGAIN

    @property
    def instead(self) -> str:
        """The action that builds its network for what a machine runs best, for hints where its runtime is not."""
        return re.sub(OF_A_MACHINE, "", self.command) or AGAIN

    @property
    def spec(self) -> ModelSpec:
        """The network's spec, with the sizes of this engine; its identity is that of its weights."""
        return replace(self.network, sizes=tuple(self.sizes))


def read_card(folder: Path) -> Card:
    """The card of an engine's folder; `InputError` where it is missing, changed by hand, or of a newer program."""
    path = folder / CARD
    try:
        return parse_card(path.read_bytes(), str(path))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder}: no engine ({CARD} is missing)", "vidreid engine list") from None
    except OSError as error:
        raise InputError(f"{path}: not readable: {(error.strerror or str(error)).lower()}", AGAIN) from None


def parse_card(data: bytes, path: str) -> Card:
    """A card from its file's bytes; errors as `read_card` has them, and name ``path``."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable: {' '.join(str(error).split())}", AGAIN) from None
    if not isinstance(values, dict):
        raise InputError(f"{path}: not a card", AGAIN)
    if isinstance(values.get("format"), int) and values["format"] > FORMAT:
        raise NewerError(f"{path}: format {values['format']} is of a newer vidreid", "update vidreid")
    if values.pop(SEAL, None) != _seal(values):
        command = str(values.get("command") or AGAIN)
        hint = command if re.fullmatch(COMMAND, command) else AGAIN
        raise InputError(f"{path}: changed by hand, so nothing says what the engine is", hint)
    return check_model(Card, values, path)


def write_card(folder: Path, card: Card) -> None:
    """Write an engine's card, sealed. What a tensor means follows from the network where its runtime does not say."""
    tensors = [one.model_copy(update={"meaning": one.meaning or _meaning(one, card)}) for one in card.tensors]
    values = card.model_copy(update={"tensors": tensors}).model_dump(mode="json")
    text = json.dumps({**values, SEAL: _seal(values)}, indent=1, ensure_ascii=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")


def _meaning(tensor: TensorCard, card: Card) -> str:
    """What a program that has the engine alone must know of a tensor in standard form; empty of any other."""
    spec, sizes = card.spec, " or ".join(f"{height}x{width}" for height, width in card.sizes)
    if tensor.name == INPUT and spec.kind == "detector":
        return f"row, column, RGB from 0 to 255: frames fitted into {sizes} undistorted, centred on grey (114)"
    if tensor.name == INPUT:
        clip = f"{spec.frames} pictures of one person in order of time, each " if spec.frames > 1 else ""
        return f"{clip}row, column, RGB from 0 to 255: the person's box, stretched to {sizes}"
    if tensor.name == BOXES and tensor.shape[-1] == 6:
        return "a row a box: x1, y1, x2, y2 in pixels of the input, score from 0 to 1, class (0: person)"
    if tensor.name == BOXES:
        return "a column a box: centre x, y, width, height in pixels of the input, scores by class (0: person)"
    parts = f" in {spec.branches} equal parts, each to be normalised by itself" if spec.branches > 1 else ""
    meanings = {
        EMBEDDING: f"vector{parts}, compared by cosine",
        ROWS: "segment, later learner: first row of the block that it erased",
    }
    return meanings.get(tensor.name, "")


def _seal(values: dict[str, Any]) -> str:
    """SHA-256 of a card's values. No secret: it tells a slip of the hand, not a forgery."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
