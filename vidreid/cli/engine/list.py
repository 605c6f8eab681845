"""`engine list`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidreid.cli.engine.words import batch_words, picture_words

if TYPE_CHECKING:
    from vidreid.pipeline.engines import Found

TITLES = ("engine", "runtime", "pictures", "batch", "MB", "")


@click.command("list")
@click.option(
    "--in",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Engines built with --output DIR [default: the user's].",
)
@click.option("--json", "as_json", is_flag=True, help="Print the engines as JSON.")
def list_engines(folder: Path | None, as_json: bool) -> None:
    """Say which engines are here and whether this machine can run them."""
    from vidreid.engines.folder import cache
    from vidreid.pipeline.engines import engines_in

    where = folder or cache()
    found = engines_in(where)
    if as_json:
        click.echo(json.dumps([_values(one) for one in found], indent=1))
        return
    if not found:
        click.echo(f"no engines in {where}\n\nnext: vidreid engine build slim-afa")
        return
    rows = [TITLES, *map(_row, found)]
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    click.echo(f"\nin {where}; useless ones are deleted by: vidreid engine prune")


def _row(found: Found) -> tuple[str, ...]:
    size, card = f"{found.bytes / 1e6:.1f}", found.card
    if card is None:
        return (found.folder.name, "", "", "", size, found.problem)
    random = "random weights" if card.weights.kind == "random" else ""
    runtime = f"{card.runtime} {card.runtime_version}"
    return (found.folder.name, runtime, picture_words(card), batch_words(card), size, found.problem or random or "runs")


def _values(found: Found) -> dict[str, Any]:
    return {
        "name": found.folder.name,
        "folder": str(found.folder),
        "bytes": found.bytes,
        "runs": not found.problem,
        "problem": found.problem,
        "card": found.card.model_dump(mode="json") if found.card else None,
    }
