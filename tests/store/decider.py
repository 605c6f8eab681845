"""A process that writes to a journal until it is killed: ``python decider.py append|half|hold JOURNAL``."""

import sqlite3
import sys
from pathlib import Path

from vidreid.store.journal import Anchor, Decision, Journal


def append(path: Path) -> None:
    """Append three decisions a call, and say how many there are after each."""
    subject = (Anchor("yard", "ab" * 32, 7, (1.0, 2.0, 3.0, 4.0)),)
    while True:
        print(Journal(path).append([Decision("same", (subject, subject))] * 3)[-1].number, flush=True)


def half(path: Path) -> None:
    """Write more than memory holds without an end of the transaction, so that some of it is in the file."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA cache_size = 2")
    database.execute("BEGIN IMMEDIATE")
    rows = ((number, "", "same", "half of it " * 50, "") for number in range(100, 400))
    database.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", rows)
    print("half", flush=True)
    sys.stdin.readline()


def hold(path: Path) -> None:
    """Be another program that writes, until the input ends."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    print("held", flush=True)
    sys.stdin.readline()
    database.close()


if __name__ == "__main__":
    {"append": append, "half": half, "hold": hold}[sys.argv[1]](Path(sys.argv[2]))
