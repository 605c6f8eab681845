"""What a training needs to go on exactly where it was: written whole or not at all, read without running code."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import torch

from vidreid.errors import InputError, StorageError
from vidreid.networks.weights.checkpoint import read_archive

FORMAT = 1


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Replace a checkpoint; where the disk is full `StorageError`, and the previous one is untouched."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            torch.save({"format": FORMAT, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:  # torch turns a failed write into a RuntimeError
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        reason = " ".join(str(error).split())[:120]
        raise StorageError(
            f"{path}: cannot be written ({reason})", "free some space: the same command goes on"
        ) from None


def read_state(path: Path) -> dict[str, Any]:
    """What `write_checkpoint` wrote; `InputError` where it is damaged or not ours."""
    found = read_archive(path)
    if not isinstance(found, dict) or "step" not in found:
        raise InputError(f"{path.name}: not a checkpoint of vidreid train", "give the checkpoint.pt of a training")
    if found.get("format") != FORMAT:
        raise InputError(f"{path.name}: a checkpoint of another version of vidreid", "train with that version")
    return found
