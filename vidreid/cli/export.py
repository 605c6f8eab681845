"""`export`."""

from __future__ import annotations

from pathlib import Path

import click

from vidreid.cli.options import RUN_FOLDER, PlugIn, footage_option
from vidreid.cli.times import parse_time


@click.command()
@click.argument("run_folder", metavar="RUN", type=RUN_FOLDER)
@click.option(
    "--format",
    "kind",
    required=True,
    metavar="FORMAT",
    type=PlugIn("views.export"),
    help="csv, parquet, jsonl, mot, coco, timeline, video or clips.",
)
@click.option("--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write into.")
@click.option("--identity", multiple=True, metavar="P0042", help="Only this person (may be repeated).")
@click.option("--camera", multiple=True, help="Only this camera (may be repeated).")
@click.option(
    "--from",
    "start",
    metavar="TIME",
    help="2026-04-12T08:00:00, local or with a zone (Z), or +HH:MM:SS from the camera's start.",
)
@click.option("--to", "end", metavar="TIME", help="Likewise; exclusive.")
@click.option(
    "--ids",
    type=click.Choice(["identity", "track"]),
    default="identity",
    show_default=True,
    help="MOT only: what column 2 holds.",
)
@footage_option
def export(
    run_folder: Path,
    kind: str,
    output: Path,
    identity: tuple[str, ...],
    camera: tuple[str, ...],
    start: str | None,
    end: str | None,
    ids: str,
    footage_folder: Path | None,
) -> None:
    """Write the sightings of RUN as tables (csv, parquet, jsonl), labels (mot, coco), annotated video or clips.

    Clips are the original stream of each sighting, not encoded again, each beside an annotated copy. Every export adds
    manifest.json, which says what it was made from, and SHA256SUMS; `vidreid verify` checks both.
    """
    from vidreid.pipeline.moments import bound
    from vidreid.pipeline.moved import learn
    from vidreid.pipeline.results import Run
    from vidreid.store.folder import RunFolder
    from vidreid.views.coverage import note
    from vidreid.views.exported import export as write
    from vidreid.views.selection import Selection

    if footage_folder is not None:
        learn(RunFolder(run_folder), footage_folder, lambda line: click.echo(line, err=True))
    run = Run(run_folder)
    selection = Selection(
        identities=identity,
        cameras=camera,
        start=bound(parse_time(start), run.zone),
        end=bound(parse_time(end), run.zone, upper=True),
        ids="track" if ids == "track" else "identity",
    )
    for path in write(run, kind, output, selection):
        click.echo(str(path))
    if covers := note(run):
        click.echo(covers, err=True)
