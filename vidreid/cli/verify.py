"""`verify`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidreid.cli.options import footage_option

if TYPE_CHECKING:
    from vidreid.pipeline.verify import Verdict


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@footage_option
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def verify(folder: Path, footage_folder: Path | None, as_json: bool) -> int:
    """Check that an export, or a run, is what it was: every file, and the footage where it can be found.

    DIR is a folder that `export` wrote (its files against SHA256SUMS and manifest.json), or a run folder. Every
    difference is named; then the exit status is 3. Nothing is written.
    """
    from vidreid.pipeline.verify import verify as check

    verdict = check(folder, footage_folder)
    status = 3 if verdict.differences else 0
    if as_json:
        click.echo(json.dumps({**verdict.as_dict(), "exit_status": status}, indent=1))
    else:
        _print(verdict)
    return status


def _print(verdict: Verdict) -> None:
    for line in verdict.differences:
        click.echo(f"different  {line}")
    for name in verdict.unlisted:
        click.echo(f"unlisted   {name}: not of this export")
    for path in verdict.not_found:
        click.echo(f"unchecked  {path}: not found (say where it is: --footage FOLDER)")
    what = "files" if verdict.kind == "export" else "parts"
    ends = f"{len(verdict.differences)} differences" if verdict.differences else "all as they were"
    click.echo(f"{verdict.files} {what} and {verdict.footage} footage files checked: {ends}")
    if verdict.seal:
        click.echo(f"SHA256SUMS itself: {verdict.seal} (compare it with the one noted down at the time)")
