"""Parts: Parquet files that are whole or not there, and know what they were made from.

A part is written to a temporary name in its folder, synced and renamed. Its Parquet metadata holds the inputs of
its fingerprint, so a stale part can say why, and the versions that made it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from vidreid.errors import InputError, StorageError
from vidreid.posix import sync_folder
from vidreid.store.schema import LATER

TEMPORARY = ".part-"
_KEY = b"vidreid"


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """Hash of what a part is made from: any JSON values, in canonical form.

    >>> fingerprint({"b": 1, "a": 2}) == fingerprint({"a": 2, "b": 1})
    True
    """
    text = json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Header:
    """What a part says of itself: ``inputs`` of its fingerprint, versions it was ``made_by``, small ``facts``."""

    inputs: Mapping[str, Any]
    made_by: Mapping[str, str]
    facts: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.inputs)


def write_atomic(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file that appears whole or not at all; `StorageError` on a full disk or a read-only folder."""
    temporary = path.parent / f"{TEMPORARY}{path.name}.{secrets.token_hex(4)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if not isinstance(error, OSError):
            raise
        reason = (error.strerror or str(error)).lower()
        raise StorageError(
            f"{path.name}: cannot be written: {reason}", f"make room in {path.parent} or choose another --output"
        ) from None


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    write_atomic(path, lambda file: file.write(text.encode()))


def write_part(path: Path, table: pa.Table, schema: pa.Schema, header: Header) -> None:
    """Write a table of exactly ``schema`` as a part; the same table and header give the same bytes."""
    note = {"inputs": header.inputs, "made_by": header.made_by, "facts": header.facts}
    text = json.dumps(note, sort_keys=True, separators=(",", ":"))
    table = table.cast(schema).replace_schema_metadata({_KEY: text.encode()})
    # Without checksums a flipped bit of a stored number is read as another number.
    write_atomic(path, lambda file: pq.write_table(table, file, compression="zstd", write_page_checksum=True))


def read_header(path: Path) -> Header | None:
    """The header of a part; None where there is no such part."""
    try:
        metadata = pq.read_metadata(path).metadata or {}
        note = json.loads(metadata[_KEY])
        return Header(note["inputs"], note["made_by"], note["facts"])
    except FileNotFoundError:
        return None
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError):
        raise _damaged(path) from None


def read_part(path: Path, schema: pa.Schema, columns: list[str] | None = None) -> pa.Table:
    """A part's table; `InputError` where the file is damaged or of other columns."""
    try:
        table = pq.read_table(
            path, columns=columns, memory_map=False, partitioning=None, page_checksum_verification=True
        )
        wanted = schema if columns is None else pa.schema([schema.field(name) for name in columns])
        for name in LATER.intersection(wanted.names) - set(table.column_names):
            table = table.append_column(name, pa.nulls(len(table), wanted.field(name).type))
        return table.select(wanted.names).replace_schema_metadata(None)
    except FileNotFoundError:
        raise InputError(f"{path.name}: no such part", "run the stage that makes it") from None
    except (pa.ArrowException, OSError, KeyError, ValueError):
        raise _damaged(path) from None


def sweep(folder: Path) -> int:
    """Remove temporary files that interrupted writers left; the number of them."""
    stray = [file for file in folder.rglob(f"{TEMPORARY}*") if file.is_file()]
    for file in stray:
        file.unlink(missing_ok=True)
    return len(stray)


def _damaged(path: Path) -> InputError:
    return InputError(f"{path.name}: this part is damaged", f"delete {path} and run again: it is made anew")
