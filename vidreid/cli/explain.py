"""`explain`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vidreid.cli.options import RUN_FOLDER


@click.command()
@click.argument("run_folder", metavar="RUN", type=RUN_FOLDER)
@click.argument("names", nargs=-1, required=True, metavar="TRACKLET [TRACKLET] | P0042")
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.png",
    help="Draw both sightings side by side, with the likeness of each look to each.",
)
def explain(run_folder: Path, names: tuple[str, ...], as_json: bool, picture: Path | None) -> None:
    """Say why two sightings of RUN are, or are not, taken for one person; or what holds one, or a person, together."""
    from vidreid.pipeline.cases import as_dict
    from vidreid.pipeline.explain import explain as case_of
    from vidreid.pipeline.results import Run
    from vidreid.views.coverage import note
    from vidreid.views.explanation import lines
    from vidreid.views.side_by_side import write_picture

    run = Run(run_folder)
    case = case_of(run, names)
    if picture:
        write_picture(run, case, picture)
    if as_json:
        covers = run.partial()
        click.echo(json.dumps({**as_dict(case), "covers": covers and covers.as_dict()}, indent=1))
        return
    covered = note(run)
    click.echo("\n".join([*lines(case, str(run_folder)), *([covered] if covered else [])]))
