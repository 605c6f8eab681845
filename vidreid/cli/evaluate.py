"""`evaluate tracking` and `evaluate identity`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vidreid.cli.options import RUN_FOLDER

SHOWN = ("mota", "idf1", "hota", "precision", "recall", "id_switches")


def scoring_options(command: Callable[..., None]) -> Callable[..., None]:
    """The run, its labels and how they are to be read."""
    for option in reversed(
        [
            click.argument("run_folder", metavar="RUN", type=RUN_FOLDER),
            click.option(
                "--truth", required=True, type=click.Path(path_type=Path), help="Folder with <camera>.txt or gt/."
            ),
            click.option(
                "--partial", is_flag=True, help="Not everybody is labelled: what matches no label is left out."
            ),
            click.option(
                "--distractor",
                "distractors",
                multiple=True,
                metavar="CAMERA:X,Y,W,H",
                help="A thing that is no person.",
            ),
            click.option("--by-person", is_flag=True, help="Labels' ids are mapped by persons.csv."),
            click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON."),
        ]
    ):
        command = option(command)
    return command


@click.group()
def evaluate() -> None:
    """Score a run against labels in MOT format."""


@evaluate.command()
@scoring_options
def tracking(run_folder: Path, truth: Path, as_json: bool, **labels: Any) -> None:
    """MOTA, IDF1 and HOTA of each camera's tracklets, at IoU 0.5."""
    from vidreid.evaluation.run import score_tracking

    notes, scores = score_tracking(run_folder, truth, **labels)
    if as_json:
        click.echo(json.dumps({camera: score.as_dict() for camera, score in scores.items()}, indent=1))
        return
    _say(notes)
    _table({camera: score.as_dict() for camera, score in scores.items()})


@evaluate.command()
@scoring_options
def identity(run_folder: Path, truth: Path, as_json: bool, **labels: Any) -> None:
    """IDF1 and HOTA of the identities over all cameras, at IoU 0.5."""
    from vidreid.evaluation.run import score_identity

    notes, score = score_identity(run_folder, truth, **labels)
    if as_json:
        click.echo(json.dumps(score.as_dict(), indent=1))
        return
    _say(notes)
    for name, value in score.as_dict().items():
        if isinstance(value, float):
            click.echo(f"{name:<16}{value:.3f}")


def _say(notes: list[str]) -> None:
    for note in notes:
        click.echo(f"note: {note}", err=True)


def _table(rows: dict[str, dict[str, Any]]) -> None:
    width = max(map(len, rows), default=6) + 2
    click.echo(f"{'camera':<{width}}" + "".join(f"{name:>13}" for name in SHOWN))
    for camera, score in rows.items():
        values = (f"{score[name]:>13.3f}" if isinstance(score[name], float) else f"{score[name]:>13}" for name in SHOWN)
        click.echo(f"{camera:<{width}}" + "".join(values))
