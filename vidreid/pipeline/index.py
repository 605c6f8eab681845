"""What search reads of a run: ``match/vectors.npy``, a float16 row a tracklet, and ``match/vectors.parquet`` on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vidreid.errors import InputError
from vidreid.identity.search import Gallery
from vidreid.pipeline.npy import npy_header
from vidreid.pipeline.plan import header_for
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_header, read_part, write_atomic, write_part
from vidreid.store.schema import INDEX
from vidreid.types import Array

if TYPE_CHECKING:
    from vidreid.pipeline.results import Run


@dataclass(frozen=True)
class Indexed:
    """What search keeps of a tracklet: its median ``height`` in pixels, its ``first`` and ``last`` frame, its unit
    ``vector`` (dim,) without what its camera gives to all, and its ``levels`` (cameras,)."""

    tracklet: str
    camera: str
    height: float
    first: int
    last: int
    vector: Array
    levels: Array


@dataclass(frozen=True)
class Index:
    """An opened index: a row of ``about`` (`INDEX`) for each of the ``vectors`` (n, dim) that ``network`` made."""

    about: pa.Table
    vectors: Array
    network: str

    @property
    def tracklets(self) -> Array:
        """Names (n,)."""
        return np.asarray(self.about["tracklet"].to_numpy())

    def gallery(self, cameras: Sequence[str]) -> Gallery:
        """What is searched, its cameras numbered by their place in ``cameras``."""
        numbers = pc.index_in(self.about["camera"], pa.array(cameras, pa.string())).to_numpy()
        levels = self.about["levels"].combine_chunks().flatten().to_numpy().reshape(len(numbers), -1)
        return Gallery(self.vectors, numbers, levels)


def index_run(
    folder: RunFolder, tracklets: Sequence[Indexed], network: Mapping[str, str], inputs: Mapping[str, Any]
) -> None:
    """Write a run's index; ``inputs`` are those of the tables of `match`, ``network`` is the embedder's identity.

    Called before the table of tracklets is written: what `match` calls done has its index. Vectors that are no numbers
    are a `ValueError`: they would be like everything or nothing.
    """
    vectors = np.stack([one.vector for one in tracklets]) if tracklets else np.zeros((0, 0))
    if not np.isfinite(vectors).all():
        raise ValueError("vectors that are no numbers")
    half = np.ascontiguousarray(vectors, np.float16)
    write_atomic(vectors_file(folder), lambda file: file.writelines([npy_header(half.shape, np.float16), half.data]))
    rows = [{name: value for name, value in asdict(one).items() if name != "vector"} for one in tracklets]
    facts = {"network": dict(network), "shape": list(half.shape), "checksum": checksum(half)}
    write_part(folder.match("vectors"), pa.Table.from_pylist(rows, INDEX), INDEX, header_for(inputs, facts))


def vectors_file(folder: RunFolder) -> Path:
    """Where a run's vectors lie."""
    return folder.match("vectors").with_suffix(".npy")


def open_index(run: Run) -> Index:
    """Map a run's index into memory; `InputError` where it is missing, damaged, or of another match."""
    folder, matched = RunFolder(run.path), run.match.header
    header = read_header(folder.match("vectors"))
    again = f"vidreid match {run.path}"
    if header is None or not vectors_file(folder).is_file():
        raise InputError(f"{run.path}: has no index for search", again)
    if header.fingerprint != matched.fingerprint:
        raise InputError(f"{run.path}: its index for search is of another match", again)
    about = read_part(folder.match("vectors"), INDEX)
    return Index(about, _mapped(folder, header.facts, about.num_rows), header.facts["network"]["network"])


def _mapped(folder: RunFolder, facts: Mapping[str, Any], rows: int) -> Array:
    """The vectors, as they were written and no others."""
    path = vectors_file(folder)
    damaged = InputError(
        f"{path}: damaged, or of another match",
        f"delete it and {folder.match('tracklets').name}, then: vidreid match {folder.path}",
    )
    count, dim = facts["shape"]
    header = npy_header((count, dim), np.float16)
    try:
        with path.open("rb") as file:
            sound = file.read(len(header)) == header and path.stat().st_size == len(header) + 2 * count * dim
    except OSError:
        raise damaged from None
    if not sound or count != rows:
        raise damaged
    if not rows:
        return np.zeros((0, dim), np.float16)
    vectors = np.memmap(path, np.float16, "r", offset=len(header), shape=(count, dim))
    if checksum(vectors) != facts["checksum"]:
        raise damaged
    return vectors


def checksum(vectors: Array) -> int:
    """Sum of the vectors' bytes as 64-bit words, modulo 2^64: no flipped bit escapes, at the speed of the memory."""
    octets = vectors.reshape(-1).view(np.uint8)
    whole = len(octets) // 8 * 8
    words = octets[:whole].view(np.uint64).sum(dtype=np.uint64)
    return (int(words) + int(octets[whole:].sum(dtype=np.uint64))) % 2**64
