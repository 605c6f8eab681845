"""Tensors in the safetensors format: eight bytes of header length, a JSON header, raw little-endian data.

Nothing in such a file can run, and nothing in it is believed: sizes are held against the file's before memory is taken.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import torch
from torch import Tensor

from vidreid.errors import InputError

DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
LENGTH_BYTES = 8
# The format's own bound on the header.
MAX_HEADER = 100_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor as the header states it: data bytes ``[start, stop)`` after the header."""

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    start: int
    stop: int


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a file, on the CPU, of type float32, float16, bfloat16 or int64.

    `InputError` names the file where it is truncated, has tensors that overlap or leave holes, or is something else.
    """
    with _opened(path) as file:
        header, start = _header(file, path)
        entries = _entries(header, path.stat().st_size - start, path)
        return {entry.name: _tensor(file, start, entry, path) for entry in entries}


def read_metadata(path: Path) -> dict[str, str]:
    """The free texts of a file's header (``__metadata__``), empty where there are none."""
    with _opened(path) as file:
        header, _ = _header(file, path)
    found = header.get("__metadata__", {})
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        _refuse(path, "its metadata are not texts")
    return found


def write_safetensors(path: Path, state: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors of the types of `read_safetensors`; the same state gives the same bytes. May raise `OSError`."""
    # Wide types first keep every tensor aligned to its own type.
    names = sorted(state, key=lambda name: -state[name].element_size())
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    stop = 0
    for name in names:
        start, stop = stop, stop + state[name].nelement() * state[name].element_size()
        dtype, shape = NAMES[state[name].dtype], list(state[name].shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % LENGTH_BYTES)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(LENGTH_BYTES, "little"))
        file.write(text)
        for name in names:
            file.write(_bytes(state[name]))


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}", "give a file of weights") from None


def _header(file: BinaryIO, path: Path) -> tuple[dict[str, Any], int]:
    """The JSON header, and the position in the file at which data begin."""
    length = int.from_bytes(file.read(LENGTH_BYTES), "little")
    available = path.stat().st_size - LENGTH_BYTES
    if available < 0 or length > MAX_HEADER:
        _refuse(path, "no safetensors file")
    if length > available:
        _refuse(path, f"truncated: its header has {length} bytes, the file {available}")
    try:
        header = json.loads(file.read(length), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        _refuse(path, "no safetensors file (its header is no JSON)")
    if not isinstance(header, dict):
        _refuse(path, "no safetensors file (its header is no table)")
    return header, LENGTH_BYTES + length


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name twice")
    return table


def _entries(header: dict[str, Any], available: int, path: Path) -> list[Entry]:
    """The tensors in order of their data, which lie side by side and fill the file."""
    entries = [_entry(name, fields, path) for name, fields in header.items() if name != "__metadata__"]
    entries.sort(key=lambda entry: (entry.start, entry.stop))
    end = 0
    for entry in entries:
        if entry.start != end:
            _refuse(path, f"tensor {entry.name!r} {'overlaps' if entry.start < end else 'leaves a hole after'} another")
        end = entry.stop
    if end != available:
        _refuse(path, f"{'truncated' if end > available else 'too long'}: {available} bytes of data, {end} are stated")
    return entries


def _entry(name: str, fields: Any, path: Path) -> Entry:
    """One line of the header, its numbers consistent with each other."""
    if not isinstance(fields, dict) or fields.keys() != {"dtype", "shape", "data_offsets"}:
        _refuse(path, f"tensor {name!r} is not described by dtype, shape and data_offsets")
    dtype, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        _refuse(path, f"tensor {name!r} is of type {dtype!r} (known: {', '.join(DTYPES)})")
    if not _counts(shape) or not _counts(offsets) or len(offsets) != 2:
        _refuse(path, f"tensor {name!r} has a shape or place that is none")
    start, stop = offsets
    if stop - start != math.prod(shape) * DTYPES[dtype].itemsize:
        _refuse(path, f"tensor {name!r} of shape {shape} does not fill its {stop - start} bytes")
    return Entry(name, DTYPES[dtype], tuple(shape), start, stop)


def _counts(numbers: Any) -> bool:
    """Whether this is a short list of numbers that torch can take as sizes."""
    return (
        isinstance(numbers, list)
        and len(numbers) <= 8
        and all(type(number) is int and 0 <= number < 1 << 40 for number in numbers)
    )


def _tensor(file: BinaryIO, start: int, entry: Entry, path: Path) -> Tensor:
    size = entry.stop - entry.start
    if size == 0:
        return torch.empty(entry.shape, dtype=entry.dtype)
    data = bytearray(size)
    file.seek(start + entry.start)
    if file.readinto(data) != size:  # type: ignore[attr-defined]
        _refuse(path, f"truncated while it was read, at tensor {entry.name!r}")
    return torch.frombuffer(data, dtype=entry.dtype).reshape(entry.shape)


def _bytes(tensor: Tensor) -> bytes:
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return bytes(flat.view(torch.uint8).numpy())


def _refuse(path: Path, reason: str) -> NoReturn:
    raise InputError(f"{path.name}: {' '.join(reason.split())[:200]}", "get or write the file again")
