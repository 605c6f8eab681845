"""`export`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from vidreid.cli.options import RUN_FOLDER, PlugIn
from vidreid.errors import UsageError


@click.command()
@click.argument("run_folder", metavar="RUN", type=RUN_FOLDER)
@click.option(
    "--format",
    "kind",
    required=True,
    metavar="FORMAT",
    type=PlugIn("views.export"),
    help="csv, parquet, jsonl, mot, coco, timeline or video.",
)
@click.option("--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write into.")
@click.option("--identity", multiple=True, metavar="P0042", help="Only this person (may be repeated).")
@click.option("--camera", multiple=True, help="Only this camera (may be repeated).")
@click.option("--from", "start", metavar="TIME", help="2026-04-12T08:00:00Z, or +HH:MM:SS from the camera's start.")
@click.option("--to", "end", metavar="TIME", help="Likewise; exclusive.")
@click.option(
    "--ids",
    type=click.Choice(["identity", "track"]),
    default="identity",
    show_default=True,
    help="MOT only: what column 2 holds.",
)
def export(
    run_folder: Path,
    kind: str,
    output: Path,
    identity: tuple[str, ...],
    camera: tuple[str, ...],
    start: str | None,
    end: str | None,
    ids: str,
) -> None:
    """Write the sightings of RUN as tables (csv, parquet, jsonl), labels (mot, coco) or annotated video."""
    from vidreid import plugins
    from vidreid.pipeline.results import Run
    from vidreid.views.selection import Selection

    writer = plugins.load("views.export", kind)
    selection = Selection(
        identities=identity,
        cameras=camera,
        start=parse_time(start),
        end=parse_time(end),
        ids="track" if ids == "track" else "identity",
    )
    for path in writer.write(Run(run_folder), output, selection):
        click.echo(str(path))


def parse_time(text: str | None) -> datetime | float | None:
    """A UTC time, or seconds since a camera's first frame for ``+HH:MM:SS``.

    >>> parse_time("+00:01:30.5")
    90.5
    """
    if text is None:
        return None
    try:
        if text.startswith("+"):
            hours, minutes, seconds = text[1:].split(":")
            return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time", "write 2026-04-12T08:00:00Z or +00:12:33") from None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
