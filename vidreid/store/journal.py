"""The journal of a run: what people decided about it, in SQLite, append-only.

Names of tracklets and identities change with the settings, footage does not: a decision holds on to boxes in files.
Each row carries a digest of itself, since SQLite notices damage to its pages but not to what stands on them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from vidreid.errors import InputError, StorageError
from vidreid.store.parts import fingerprint, write_atomic

FORMAT = 1
"""Version of the journal's tables; raised when an older program could not read them."""

Kind = Literal["same", "different", "discard", "split"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LEAST_SUBJECTS = {"same": 2, "different": 2, "discard": 1, "split": 2}

_APPLICATION = int.from_bytes(b"vrid", "big")
_TABLE = "CREATE TABLE journal (number INTEGER PRIMARY KEY, made TEXT, kind TEXT, body TEXT, digest TEXT)"
_ROOM = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A person's ``box`` (x1, y1, x2, y2: pixels of the upright frame) in a footage file.

    ``file`` is the SHA-256 of its bytes, ``pts`` in ticks of that file.
    """

    camera: str
    file: str
    pts: int
    box: tuple[float, float, float, float]


Subject = tuple[Anchor, ...]
"""A sighting as a decision knows it: boxes spread over it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said of sightings; the journal gives ``number`` (from 1) and ``made`` (UTC, ISO 8601).

    ``same``: all subjects are one person. ``different``: the first is none of the others. ``discard``: they are
    nobody. ``split``: before ``at`` (file, pts) a sighting is of one person, the first subject, and from then on of
    another, the second.
    """

    kind: Kind
    subjects: tuple[Subject, ...]
    at: tuple[str, int] | None = None
    note: str = ""
    number: int = 0
    made: str = ""

    def __post_init__(self) -> None:
        enough = len(self.subjects) >= LEAST_SUBJECTS[self.kind] and all(self.subjects)
        if not enough or (self.at is None) == (self.kind == "split"):
            raise ValueError(f"{self.kind} of {len(self.subjects)} sightings, at {self.at}")


@dataclass(frozen=True, slots=True)
class Undo:
    """That the decision of number ``undoes`` holds no longer."""

    undoes: int
    number: int = 0
    made: str = ""


Entry = Decision | Undo


class Journal:
    """The journal at ``path``; there is no file before the first decision, and it is open only within a call.

    Every method raises `InputError` where the file is damaged, in use or of a newer format, and `StorageError` where
    it cannot be written; what was in it before is in it then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def history(self) -> list[Entry]:
        """All that was ever written, in order; the entry of number n is at n - 1."""
        if not self.path.exists():
            return []
        with self._open() as database:
            return self._entries(database)

    def active(self) -> list[Decision]:
        """The decisions that hold, in order."""
        return active(self.history())

    def append(self, entries: Sequence[Entry]) -> list[Entry]:
        """Write entries, all or none of them; returned with their numbers and the time.

        `InputError` where an undo names no decision that holds.
        """
        if not self.path.exists():
            write_atomic(self.path, lambda file: file.write(_empty()))
        made = datetime.now(UTC).isoformat(timespec="seconds")
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            known = self._entries(database)
            for entry in entries:
                if isinstance(entry, Undo):
                    check_undo(known, entry.undoes)
                entry = replace(entry, number=len(known) + 1, made=made)  # noqa: PLW2901
                known.append(entry)
                database.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", _row(entry))
            database.execute("COMMIT")
        return known[len(known) - len(entries) :]

    def undo(self, number: int) -> Undo:
        """Write that a decision holds no longer."""
        (entry,) = self.append([Undo(number)])
        assert isinstance(entry, Undo)
        return entry

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The database, found sound; a transaction that is not committed within is rolled back."""
        try:
            place = f"{self.path.absolute().as_uri()}?mode=rw"
            with contextlib.closing(sqlite3.connect(place, uri=True, isolation_level=None)) as database:
                self._check(database)
                for pragma in ("journal_mode = DELETE", "synchronous = EXTRA", "secure_delete = ON"):
                    database.execute(f"PRAGMA {pragma}")
                yield database
        except sqlite3.DatabaseError as error:
            raise self._explain(error) from None
        except UnicodeDecodeError:
            raise self._damaged() from None

    def _check(self, database: sqlite3.Connection) -> None:
        def asked(pragma: str) -> Any:
            return database.execute(f"PRAGMA {pragma}").fetchone()[0]

        if asked("application_id") != _APPLICATION:
            raise self._damaged()
        if asked("user_version") > FORMAT:
            raise InputError(
                f"{self.path}: a journal of format {asked('user_version')}, this program reads up to {FORMAT}",
                "pip install --upgrade vidreid",
            )
        if asked("quick_check(1)") != "ok":
            raise self._damaged()

    def _entries(self, database: sqlite3.Connection) -> list[Entry]:
        rows = database.execute("SELECT number, made, kind, body, digest FROM journal ORDER BY number").fetchall()
        try:
            entries = [_entry(*row) for row in rows]
        except (KeyError, TypeError, ValueError):
            raise self._damaged() from None
        if [entry.number for entry in entries] != list(range(1, len(entries) + 1)):
            raise self._damaged()
        return entries

    def _explain(self, error: sqlite3.DatabaseError) -> InputError:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(_ROOM):
            return StorageError(
                f"{self.path.name}: cannot be written: {error}",
                f"make room in {self.path.parent}, or see to its permissions; nothing was lost",
            )
        if name.startswith("SQLITE_BUSY"):
            return InputError(f"{self.path}: another program has it open", "close that, and try again")
        return self._damaged()

    def _damaged(self) -> InputError:
        return InputError(
            f"{self.path}: damaged, or not a journal of vidreid",
            "restore it from a copy; moved elsewhere, the run goes on as if nobody had decided anything",
        )


def active(history: Sequence[Entry]) -> list[Decision]:
    """The decisions of a history that were not undone."""
    undone = {entry.undoes for entry in history if isinstance(entry, Undo)}
    return [entry for entry in history if isinstance(entry, Decision) and entry.number not in undone]


def check_undo(history: Sequence[Entry], number: int) -> None:
    """Raise `InputError` unless a decision of this number holds."""
    if number in {decision.number for decision in active(history)}:
        return
    by = [entry.number for entry in history if isinstance(entry, Undo) and entry.undoes == number]
    why = f"decision {number} is undone already, by {by[0]}" if by else f"there is no decision {number}"
    raise InputError(why, "vidreid decide RUN --list shows those that hold")


def digest(decisions: Sequence[Decision]) -> list[str]:
    """What of decisions `match` depends on: a line each, of its number and its content, but for when and why."""
    return [
        f"{decision.number}:{fingerprint(asdict(replace(decision, made='', note='')))[:16]}" for decision in decisions
    ]


def _empty() -> bytes:
    """The file of a journal without rows: written whole, so that an empty file is always a damaged one."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.execute(f"PRAGMA application_id = {_APPLICATION}")
        database.execute(f"PRAGMA user_version = {FORMAT}")
        database.execute(_TABLE)
        return database.serialize()


def _row(entry: Entry) -> tuple[int, str, str, str, str]:
    kind = "undo" if isinstance(entry, Undo) else entry.kind
    values = {name: value for name, value in asdict(entry).items() if name not in {"number", "made", "kind"}}
    body = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return entry.number, entry.made, kind, body, _digest(entry.number, entry.made, kind, body)


def _entry(number: int, made: str, kind: Any, body: str, stated: str) -> Entry:
    """A row as it was written; raises ValueError, TypeError or KeyError where it is another."""
    if _digest(number, made, kind, body) != stated:
        raise ValueError
    values = json.loads(body)
    if kind == "undo":
        return Undo(int(values["undoes"]), number, made)
    subjects = tuple(tuple(_anchor(anchor) for anchor in subject) for subject in values["subjects"])
    at = values["at"] and (str(values["at"][0]), int(values["at"][1]))
    return Decision(kind, subjects, at, str(values["note"]), number, made)


def _anchor(values: dict[str, Any]) -> Anchor:
    x1, y1, x2, y2 = map(float, values["box"])
    if not all(map(math.isfinite, (x1, y1, x2, y2))):
        raise ValueError
    return Anchor(str(values["camera"]), str(values["file"]), int(values["pts"]), (x1, y1, x2, y2))


def _digest(*values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
