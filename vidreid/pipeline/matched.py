"""What `match` wrote, read as one: another process may put newer tables in the place of these at any moment."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pyarrow as pa

from vidreid.errors import InputError
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.parts import Header, read_header, read_part

TRIES, PAUSE = 40, 0.05  # tables are put in place within milliseconds; seconds


@dataclass(frozen=True)
class Matched:
    """The tables of one match, and what they say of themselves."""

    header: Header
    tracklets: pa.Table
    identities: pa.Table


def read_matched(folder: RunFolder) -> Matched | None:
    """The tables as one `match` wrote them; None where nothing is matched yet.

    `InputError` where a match was stopped while it put its tables in place.
    """
    for _ in range(TRIES):
        before = _header(folder)
        if before is not None:
            tracklets = read_part(folder.match("tracklets"), schema.TRACKLETS)
            identities = read_part(folder.match("identities"), schema.IDENTITIES)
            if _header(folder) == before:
                return Matched(before, tracklets, identities)
        elif not folder.match("tracklets").is_file():
            return None
        time.sleep(PAUSE)
    raise InputError(f"{folder.path}: its match was stopped half way", f"vidreid match {folder.path}")


def check_same(folder: RunFolder, mine: str, found: str) -> None:
    """Raise `InputError` where what was read belongs to another match than what was read before, by fingerprints."""
    if mine != found:
        raise InputError(f"{folder.path}: matched anew while it was read", "the same command again shows the new match")


def _header(folder: RunFolder) -> Header | None:
    """What the tables say of themselves; None while they are not of one match."""
    first, second = (read_header(folder.match(name)) for name in ("tracklets", "identities"))
    return first if first is not None and second is not None and first.inputs == second.inputs else None
