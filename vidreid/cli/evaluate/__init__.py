"""`evaluate`: runs against labels, networks on data sets, and comparisons of the latter; a file a command."""

from __future__ import annotations

import click

from vidreid.cli.evaluate.compare import compare
from vidreid.cli.evaluate.detection import detection
from vidreid.cli.evaluate.identity import identity
from vidreid.cli.evaluate.retrieval import retrieval
from vidreid.cli.evaluate.tracking import tracking


@click.group()
def evaluate() -> None:
    """Score a run against labels, or a network on a data set."""


for _command in (tracking, identity, detection, retrieval, compare):
    evaluate.add_command(_command)
