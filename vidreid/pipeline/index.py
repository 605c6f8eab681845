"""What search reads of a run: ``match/vectors.npy``, a float16 row a look, and ``match/vectors.parquet`` about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vidreid.errors import InputError
from vidreid.identity.search import Gallery, mean_weights
from vidreid.identity.splitting import Look
from vidreid.pipeline.npy import npy_header
from vidreid.pipeline.plan import header_for
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_header, read_part, write_atomic, write_part
from vidreid.store.schema import INDEX
from vidreid.types import Array


@dataclass(frozen=True)
class Indexed:
    """What search keeps of a tracklet: its ``looks`` in order of time, at least one; ``height`` in pixels; ``levels``
    (cameras,) as in `vidreid.identity.levels`."""

    tracklet: str
    camera: str
    height: float
    looks: Sequence[Look]
    levels: Array


@dataclass(frozen=True)
class Index:
    """An opened index: ``tracklets`` (t) by name, in the order of ``gallery``, their vectors made by ``network``.

    ``looks`` (n) are the rows of the gallery's vectors, columns ``first``, ``last`` and ``quality`` of `INDEX`.
    """

    tracklets: Sequence[str]
    gallery: Gallery
    network: str
    looks: pa.Table

    def looks_of(self, tracklet: str) -> list[Look]:
        """The looks of a tracklet in order of time; none where it is not in the index."""
        if tracklet not in self.tracklets:
            return []
        start, stop = self.gallery.first[self.tracklets.index(tracklet) :][:2].tolist()
        rows = self.looks.slice(start, stop - start).to_pylist()
        vectors = self.gallery.vectors[start:stop].astype(np.float32)
        return [
            Look(row["first"], row["last"], row["quality"], vector) for row, vector in zip(rows, vectors, strict=True)
        ]


def index_run(
    folder: RunFolder, tracklets: Iterable[Indexed], network: Mapping[str, str], inputs: Mapping[str, Any]
) -> None:
    """Write a run's index; ``inputs`` are those of the tables of `match`, ``network`` is the embedder's identity.

    Called before the table of tracklets is written: what `match` calls done has its index.
    """
    shown = [one for one in tracklets if one.looks]
    halves = [np.stack([look.vector for look in one.looks]).astype(np.float16) for one in shown]
    rows = [row for one, half in zip(shown, halves, strict=True) for row in _rows(one, half)]
    vectors = np.concatenate(halves) if halves else np.zeros((0, 0), np.float16)
    write_index(folder, pa.Table.from_pylist(rows, INDEX), vectors, network, inputs)


def _rows(one: Indexed, half: Array) -> list[dict[str, Any]]:
    weights = mean_weights(half, np.array([look.quality for look in one.looks]))
    return [
        {
            "tracklet": one.tracklet,
            "camera": one.camera,
            "first": look.first,
            "last": look.last,
            "quality": look.quality,
            "height": one.height,
            "weight": float(weight),
            "levels": one.levels.tolist(),
        }
        for look, weight in zip(one.looks, weights, strict=True)
    ]


def write_index(
    folder: RunFolder, rows: pa.Table, vectors: Array, network: Mapping[str, str], inputs: Mapping[str, Any]
) -> None:
    """Write ``vectors`` (n, dim) float16 and their ``rows`` (`INDEX`); the latter hold the former's checksum.

    Vectors that are no numbers are a `ValueError`: they would be like everything or nothing.
    """
    if not np.isfinite(vectors).all():
        raise ValueError("vectors that are no numbers")
    path = vectors_file(folder)
    plain = np.ascontiguousarray(vectors, np.float16)
    write_atomic(path, lambda file: file.writelines([npy_header(vectors.shape, np.float16), plain.data]))
    facts = {"network": dict(network), "shape": list(vectors.shape), "checksum": checksum(plain)}
    write_part(folder.match("vectors"), rows, INDEX, header_for(inputs, facts))


def vectors_file(folder: RunFolder) -> Path:
    """Where a run's vectors lie."""
    return folder.match("vectors").with_suffix(".npy")


def open_index(path: Path) -> Index:
    """Map a run's index into memory; `InputError` where it is missing, damaged, or older than what `match` wrote."""
    folder = RunFolder(path)
    matched = read_header(folder.match("tracklets"))
    header = read_header(folder.match("vectors"))
    again = f"vidreid match {path}"
    if matched is None:
        raise InputError(f"{path}: not matched yet", again)
    if header is None or not vectors_file(folder).is_file():
        raise InputError(f"{path}: has no index for search", again)
    if header.fingerprint != matched.fingerprint:
        raise InputError(f"{path}: its index for search is of an earlier match", again)
    table = read_part(folder.match("vectors"), INDEX)
    vectors = _mapped(folder, header.facts, table.num_rows)
    names, first = _groups(table["tracklet"])
    gallery = Gallery(vectors, first, table["weight"].to_numpy())
    looks = table.select(["first", "last", "quality"])
    return Index(names, gallery, header.facts["network"]["network"], looks)


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


def _groups(column: pa.ChunkedArray) -> tuple[list[str], Array]:
    """Names of tracklets in order, and the bounds (t + 1,) of their rows."""
    if not len(column):
        return [], np.zeros(1, np.int64)
    coded = column.combine_chunks().dictionary_encode()
    codes = coded.indices.to_numpy()
    first = np.flatnonzero(np.diff(codes, prepend=-1, append=-1))
    return coded.dictionary.to_pylist(), first.astype(np.int64)


def checksum(vectors: Array) -> int:
    """Sum of the vectors' bytes as 64-bit words, modulo 2^64: no flipped bit escapes, at the speed of the memory."""
    octets = vectors.reshape(-1).view(np.uint8)
    whole = len(octets) // 8 * 8
    words = octets[:whole].view(np.uint64).sum(dtype=np.uint64)
    return (int(words) + int(octets[whole:].sum(dtype=np.uint64))) % 2**64
