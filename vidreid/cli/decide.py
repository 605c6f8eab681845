"""`decide`."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidreid.cli.options import RUN_FOLDER
from vidreid.cli.times import parse_moment
from vidreid.errors import InputError, UsageError

if TYPE_CHECKING:
    from vidreid.pipeline.decide import Outcome, Request

NAMES = {"same": 2, "different": 2, "discard": 1, "split": 1}  # sightings or people that a decision names


@click.command()
@click.argument("run_folder", metavar="RUN", type=RUN_FOLDER)
@click.option("--same", nargs=2, multiple=True, metavar="A B", help="Two sightings are one person.")
@click.option("--different", nargs=2, multiple=True, metavar="A B", help="They are two.")
@click.option("--discard", multiple=True, metavar="A", help="It is nobody: a reflection, a poster, rubbish.")
@click.option("--split", nargs=2, multiple=True, metavar="A TIME", help="From TIME on it is another person.")
@click.option(
    "--file", type=click.Path(path_type=Path, dir_okay=False), metavar="CSV", help="Decisions, one a line, as above."
)
@click.option("--undo", multiple=True, metavar="N|last", help="Decision N holds no longer.")
@click.option("--note", default="", help="Why; kept with the decisions of this call.")
@click.option("--no-match", is_flag=True, help="Only write them down; the next match takes them.")
@click.option("--list", "as_list", is_flag=True, help="Show every decision made so far.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def decide(run_folder: Path, as_list: bool, as_json: bool, **words: Any) -> None:
    """Say who is who in RUN, or is not, and match it anew; nothing changes for whom it does not touch.

    A and B are sightings (c0/000117) or people (P0042: all sightings of that person). TIME is local time of the run
    (14:32:10, or 2026-04-12T14:32:10; with a zone 2026-04-12T12:32:10Z) or counts from the camera's start (+00:12:33,
    or +83.2 seconds). Lines of CSV are same,A,B or different,A,B or discard,A or split,A,TIME. Decisions are kept in
    RUN for every later match, whatever its settings. What contradicts the footage or another decision is refused, and
    nothing of the call is kept.
    """
    from vidreid.pipeline.results import Run
    from vidreid.store.folder import RunFolder
    from vidreid.views import coverage

    folder = RunFolder(run_folder)
    folder.read()
    if as_list:
        _print_list(folder, as_json)
        return
    requests = [*_requests(words), *(_read(words["file"]) if words["file"] else [])]
    undo = [_number(folder, word) for word in words["undo"]]
    if not requests and not undo:
        raise UsageError("no decision given", f"vidreid decide {run_folder} --same A B, or --list")
    outcome = _decide(folder, requests, undo, words["note"], rematch=not words["no_match"])
    run = Run(run_folder)
    if as_json:
        covers = run.partial()
        click.echo(json.dumps({**_as_dict(outcome), "covers": covers and covers.as_dict()}, indent=1))
        return
    _print(folder, requests, outcome, matched=not words["no_match"])
    if covered := coverage.note(run):
        click.echo(covered)


def _decide(folder: Any, requests: list[Request], undo: list[int], note: str, *, rematch: bool) -> Outcome:
    from vidreid.pipeline.decide import decide as write_down
    from vidreid.pipeline.progress import reporter_for
    from vidreid.pipeline.results import Run
    from vidreid.views.people import renew_people

    reporter = reporter_for(sys.stderr)
    try:
        outcome = write_down(folder, requests, undo, reporter, note=note, rematch=rematch)
    finally:
        reporter.stop()
    if rematch:
        renew_people(Run(folder.path))
    return outcome


def _requests(words: dict[str, Any]) -> Iterator[Request]:
    """The decisions of the command line."""
    for kind in NAMES:
        for given in words[kind]:
            yield _request([kind, given] if isinstance(given, str) else [kind, *given])


def _read(path: Path) -> list[Request]:
    """The decisions of a CSV; empty lines and those that begin with # say nothing."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [(number, row) for number, row in enumerate(csv.reader(file), start=1) if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not readable as CSV: {error}", "lines are same,A,B or split,A,TIME") from None
    requests = []
    for number, row in rows:
        if row[0].startswith("#"):
            continue
        try:
            requests.append(_request([word.strip() for word in row]))
        except UsageError as error:
            raise InputError(f"{path.name}: line {number}: {error.message}", error.hint) from None
    return requests


def _request(words: list[str]) -> Request:
    """A decision from its words: kind, names, and the time of a split."""
    from vidreid.pipeline.decide import Request

    kind, *names = words
    if kind not in NAMES:
        raise UsageError(f"{kind!r} is none of {', '.join(NAMES)}", "write same,A,B or different,A,B")
    moment = parse_moment(names.pop()) if kind == "split" and len(names) > 1 else None
    if len(names) != NAMES[kind] or (kind == "split" and moment is None):
        raise UsageError(f"{','.join(words)}: not what follows {kind}", "write same,A,B or discard,A or split,A,TIME")
    return Request(kind, tuple(names), moment)  # type: ignore[arg-type]  # one of NAMES


def _number(folder: Any, word: str) -> int:
    from vidreid.store.journal import Journal

    if word == "last":
        held = Journal(folder.path / "journal.sqlite").active()
        if not held:
            raise InputError("no decision holds that could be undone", f"vidreid decide {folder.path} --list")
        return held[-1].number
    if not word.isdecimal():
        raise UsageError(f"--undo {word}: neither a number nor last", f"vidreid decide {folder.path} --list")
    return int(word)


def _as_dict(outcome: Outcome) -> dict[str, Any]:
    from vidreid.store.journal import Undo

    return {
        "decisions": [entry.number for entry in outcome.entries if not isinstance(entry, Undo)],
        "undone": [entry.undoes for entry in outcome.entries if isinstance(entry, Undo)],
        "changes": [{"before": before, "after": after} for before, after in outcome.changes],
    }


def _print(folder: Any, requests: list[Request], outcome: Outcome, *, matched: bool) -> None:
    """What was written, what changed by it, and how to take it back."""
    found = _as_dict(outcome)
    for number in found["undone"]:
        click.echo(f"decision {number} is undone")
    for number, request in zip(found["decisions"], requests, strict=True):
        click.echo(f"decision {number}: {request}")
    for before, after in outcome.changes:
        click.echo(change(before, after))
    if matched and not outcome.changes:
        click.echo("nobody is another person than before")
    click.echo("")
    if not matched:
        click.echo(f"next: vidreid match {folder.path}")
    elif found["decisions"]:
        click.echo(f"next: look at {folder.people}")
        click.echo(f"      vidreid decide {folder.path} --undo last  takes the last one back")


def change(before: list[str], after: dict[str, int]) -> str:
    """A line for people who became others.

    >>> change(["P0004", "P0009"], {"P0004": 7})
    'P0004 and P0009 are one: P0004 (7 sightings)'
    """
    names = " and ".join(before)
    now = ", ".join(f"{name} ({count} sighting{'s' * (count != 1)})" for name, count in after.items())
    if not before:
        return f"new: {now}"
    if not after:
        return f"{names} {'is' if len(before) == 1 else 'are'} gone"
    if len(after) > 1 and len(before) == 1:
        return f"{names} is {len(after)}: {now}"
    if len(before) > 1:
        return f"{names} are {'one' if len(after) == 1 else 'now'}: {now}"
    return f"{names} is now {now}"


def _print_list(folder: Any, as_json: bool) -> None:
    from vidreid.pipeline.decide import listing

    entries = listing(folder)
    if as_json:
        click.echo(json.dumps(entries, indent=1))
        return
    if not entries:
        click.echo("nobody has decided anything yet")
    for entry in entries:
        click.echo(f"{entry['number']:>4}  {entry['made']}  {_said(entry)}")


def _said(entry: dict[str, Any]) -> str:
    if entry["kind"] == "undo":
        return f"undo {entry['undoes']}"
    parts = [" + ".join(names) for names in entry["sightings"] if names]
    parts += [f"(nobody followed in {place} now)" for place in entry["lost"]]
    undone = f"  (undone by {entry['undone_by']})" if entry["undone_by"] else ""
    note = f"  # {entry['note']}" if entry["note"] else ""
    return f"{entry['kind']} {', '.join(parts)}{undone}{note}"
