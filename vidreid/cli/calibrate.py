"""`calibrate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from vidreid.cli.options import RUN_FOLDER
from vidreid.errors import UsageError


@click.command()
@click.argument("run_folder", metavar="RUN", type=RUN_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the calibration as JSON.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw it (.png, .svg or .pdf).")
@click.option("--truth", type=click.Path(path_type=Path), help="Check it on labels: <camera>.txt in a folder, or gt/.")
@click.option("--partial", is_flag=True, help="Not everybody is labelled: what matches no label is left out.")
@click.option("--distractor", "distractors", multiple=True, metavar="CAMERA:X,Y,W,H", help="A thing that is no person.")
@click.option("--by-person", is_flag=True, help="Labels' ids are mapped by persons.csv.")
def calibrate(run_folder: Path, as_json: bool, plot: Path | None, truth: Path | None, **labels: Any) -> None:
    """Say what a likeness means in RUN, what it was made from, and what is to be expected of what was put together."""
    from vidreid.pipeline.calibrated import calibration_of
    from vidreid.pipeline.results import Run
    from vidreid.views import coverage
    from vidreid.views.calibration import lines, write_calibration

    if truth is None and any(labels.values()):
        raise UsageError("labels' options without --truth", "give the folder of the labels: --truth FOLDER")
    run = Run(run_folder)
    found, check = calibration_of(run), None
    if truth is not None:
        from vidreid.evaluation.reliability import check_calibration

        notes, check = check_calibration(run, found, truth, **labels)
        for note in notes:
            click.echo(f"note: {note}", err=True)
    if plot:
        write_calibration(plot, found, check)
    if as_json:
        covers = run.partial()
        result = {**found.as_dict(), "covers": covers and covers.as_dict()}
        click.echo(json.dumps(result if check is None else {**result, "check": check.as_dict()}, indent=1))
        return
    click.echo("\n".join(lines(found, check)))
    if covered := coverage.note(run):
        click.echo(covered)
