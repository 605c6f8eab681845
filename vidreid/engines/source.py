"""What an engine is built from: a float32 graph of known form, and what torch says of golden inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidreid.errors import InputError
from vidreid.types import Array, ModelSpec

if TYPE_CHECKING:  # a machine that trains may lack pydantic
    from vidreid.engines.card import WeightsCard

INPUT = "images"
EMBEDDING = "embedding"
BOXES = "boxes"
ROWS = "rows"  # of TCLNet: first row of the block that each later learner erased, int64 (N, segments, learners - 1)


@dataclass(frozen=True)
class Golden:
    """Inputs of one size and torch's answers: ``images`` uint8 (n, [T,] H, W, 3), ``outputs`` (n, ...) by name."""

    images: Array
    outputs: Mapping[str, Array]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of its pictures."""
        return int(self.images.shape[-3]), int(self.images.shape[-2])


@dataclass(frozen=True)
class Source:
    """``onnx`` has one input, `INPUT`: uint8 RGB (N, H, W, 3) or clips (N, T, H, W, 3), normalisation inside, N free;
    H and W too where ``spec.sizes`` names several. Its outputs are `EMBEDDING` (and `ROWS`), or `BOXES`; float32.

    ``golden``: one a size. ``calibration``: inputs like them, of real people where there are any, to measure ranges
    on, and what they are in words.
    """

    spec: ModelSpec
    onnx: Path
    golden: tuple[Golden, ...]
    weights: WeightsCard
    calibration: Array | None = None
    calibrated_on: str = ""
    made_with: Mapping[str, str] = field(default_factory=dict)


def calibration_of(source: Source) -> Array:
    """The inputs to measure the ranges of int8 on; `InputError` where there are none."""
    if source.calibration is None or not len(source.calibration):
        raise InputError(
            f"{source.spec.name}: no inputs to measure the ranges of int8 on",
            "name pictures or footage of people: --calibrate-on PATH",
        )
    return source.calibration


def write_golden(path: Path, golden: tuple[Golden, ...]) -> None:
    """Store inputs and answers: ``images/480x640``, ``boxes/480x640``, ..."""
    arrays = {}
    for one in golden:
        height, width = one.size
        for name, array in {INPUT: one.images, **one.outputs}.items():
            arrays[f"{name}/{height}x{width}"] = array
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def read_golden(path: Path) -> tuple[Golden, ...]:
    """What `write_golden` stored; `InputError` where the file is missing or damaged."""
    found: dict[str, dict[str, Array]] = {}
    try:
        with np.load(path, allow_pickle=False) as stored:
            for key in stored.files:
                name, _, size = key.partition("/")
                found.setdefault(size, {})[name] = stored[key]
        return tuple(Golden(arrays.pop(INPUT), arrays) for arrays in found.values())
    except Exception as error:  # a damaged archive raises whatever its bytes happen to mean
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: no golden inputs: {reason}", "build the engine again") from None
