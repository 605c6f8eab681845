"""`evaluate tracking`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vidreid.cli.evaluate.labels import label_options, say
from vidreid.cli.options import RUN_FOLDER

SHOWN = ("mota", "idf1", "hota", "precision", "recall", "id_switches")


def options(command: Callable[..., None]) -> Callable[..., None]:
    """The run and its labels."""
    for option in reversed(
        [
            click.argument("run_folder", metavar="RUN", type=RUN_FOLDER),
            *label_options(required=True),
            click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON."),
        ]
    ):
        command = option(command)
    return command


@click.command()
@options
def tracking(run_folder: Path, truth: Path, as_json: bool, **labels: Any) -> None:
    """MOTA, IDF1 and HOTA of each camera's tracklets, at IoU 0.5."""
    from vidreid.evaluation.run import score_tracking

    notes, scores = score_tracking(run_folder, truth, **labels)
    if as_json:
        click.echo(json.dumps({camera: score.as_dict() for camera, score in scores.items()}, indent=1))
        return
    say(notes)
    _table({camera: score.as_dict() for camera, score in scores.items()})


def _table(rows: dict[str, dict[str, Any]]) -> None:
    width = max(map(len, rows), default=6) + 2
    click.echo(f"{'camera':<{width}}" + "".join(f"{name:>13}" for name in SHOWN))
    for camera, score in rows.items():
        values = (f"{score[name]:>13.3f}" if isinstance(score[name], float) else f"{score[name]:>13}" for name in SHOWN)
        click.echo(f"{camera:<{width}}" + "".join(values))
