"""What the scores of a run share: how its labels are named, and notes beside the scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click


def label_options(*, required: bool) -> list[Callable[[Any], Any]]:
    """The labels of a run and how they are to be read."""
    return [
        click.option(
            "--truth",
            required=required,
            type=click.Path(path_type=Path),
            help="Folder of a run's labels: <camera>.txt or gt/.",
        ),
        click.option("--partial", is_flag=True, help="Not everybody is labelled: what matches no label is left out."),
        click.option(
            "--distractor",
            "distractors",
            multiple=True,
            metavar="CAMERA:X,Y,W,H",
            help="A thing that is no person.",
        ),
        click.option("--by-person", is_flag=True, help="Labels' ids are mapped by persons.csv."),
    ]


def say(notes: Iterable[str]) -> None:
    """Notes to whoever reads the scores, on stderr."""
    for note in notes:
        click.echo(f"note: {note}", err=True)
