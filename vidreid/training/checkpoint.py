"""What a training needs to go on exactly where it was: written whole or not at all, read without running code."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidreid.errors import InputError, StorageError
from vidreid.networks.weights.checkpoint import read_archive, read_checkpoint

FORMAT = 3


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A path to write to that takes the place of ``path`` in the end; on a full disk `StorageError`, and that stays."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        yield temporary
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:  # torch turns a failed write into a RuntimeError
        reason = " ".join(str(error).split())[:120]
        hint = "free some space: the same command goes on"
        raise StorageError(f"{path}: cannot be written ({reason})", hint) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Replace a checkpoint; where the disk is full `StorageError`, and the previous one is untouched."""
    with replaced(path) as temporary:
        torch.save({"format": FORMAT, **state}, temporary)


def read_state(path: Path) -> dict[str, Any]:
    """What `write_checkpoint` wrote; `InputError` where it is damaged or not ours."""
    found = read_archive(path)
    if not isinstance(found, dict) or "step" not in found:
        raise InputError(f"{path.name}: not a checkpoint of vidreid train", "give the checkpoint.pt of a training")
    if found.get("format") != FORMAT:
        raise InputError(f"{path.name}: a checkpoint of another version of vidreid", "train with that version")
    return found


def read_weights(path: Path) -> tuple[dict[str, Tensor], str]:
    """A network's tensors from a checkpoint of ours (the average where there is one) or of anybody, with the recipe as
    JSON where a checkpoint of ours holds it."""
    if path.suffix in {".safetensors", ".onnx"}:
        return read_checkpoint(path), ""
    found = read_archive(path)
    if not isinstance(found, dict) or "step" not in found or "averaged" not in found:
        return read_checkpoint(path), ""
    return found["averaged"] or found["network"], found.get("recipe", "")
