"""`train`."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from vidreid.cli.options import device_option
from vidreid.errors import UsageError

if TYPE_CHECKING:
    from vidreid.training.progress import Progress

EVERY = 10.0  # seconds between plain lines


class RecipeName(click.ParamType[str]):
    """A recipe's name, completed from configs/training, or its YAML."""

    name = "config"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from vidreid.training.recipe import names

        return [CompletionItem(name) for name in names() if name.startswith(incomplete)]


def train_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What is trained, on which data, where to, and how."""
    file = click.Path(path_type=Path, dir_okay=False)
    for option in reversed(
        [
            click.argument("config", required=False, type=RecipeName()),
            click.option("--data", multiple=True, metavar="[LAYOUT=]ROOT", help="Labelled data set, or a CSV."),
            click.option("--strangers", multiple=True, metavar="LAYOUT=ROOT", help="Data whose labels are not read."),
            click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Folder; gone on with."),
            click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A key of the recipe."),
            click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of everything drawn."),
            click.option("--split", type=click.IntRange(1), default=1, show_default=True, help="Of sets of ten."),
            click.option("--teacher", default="", metavar="NAME|PATH", help="Network of the same kind to learn from."),
            click.option("--backbone-weights", type=file, help="What a recipe's `start: imagenet` stands for."),
            device_option("Where it is computed."),
            click.option("--dry-run", is_flag=True, help="20 steps: pictures/s, memory and hours of the whole."),
            click.option("--list", "listed", is_flag=True, help="Show all recipes."),
            click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
        ]
    ):
        command = option(command)
    return command


@click.command()
@train_options
def train(config: str | None, listed: bool, dry_run: bool, as_json: bool, device: str, **given: Any) -> None:
    """Train the network that CONFIG describes, a recipe's name or YAML.

    LAYOUT is market1501, mars, csv, run, ...; a path alone is of the layout that the recipe is for, or a CSV. For
    detectors it is yolo, footage or world. Run it again to go on after a stop. Several GPUs: torchrun
    --nproc-per-node N -m vidreid.training, with the same words.
    """
    if listed:
        _list(as_json)
        return
    if config is None or not given["data"] or not (given["output"] or dry_run):
        raise UsageError("CONFIG, --data and --output are wanted", "vidreid train --list shows every CONFIG")
    from vidreid.training.place import joined

    with joined(device) as place:
        if dry_run:
            _try(config, place, as_json, **given)
        else:
            _train(config, place, as_json, **given)


def _list(as_json: bool) -> None:
    from vidreid.training.recipe import names, read_values

    recipes = {name: str(read_values(name).get("about", "")) for name in names()}
    if as_json:
        click.echo(json.dumps(recipes, indent=1))
        return
    width = max(map(len, recipes))
    for name, about in recipes.items():
        click.echo(f"{name:<{width}}  {about}")


def _try(config: str, place: Any, as_json: bool, output: Path | None, **given: Any) -> None:
    from vidreid.training.session import dry_run, set_up

    trial = dry_run(set_up(config, **given), place=place, say=_note)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(trial), indent=1))
        return
    click.echo(str(trial))


def _train(config: str, place: Any, as_json: bool, output: Path, **given: Any) -> None:
    from vidreid.training import session

    setup = session.set_up(config, **given)
    heard = list(shown(session.train(setup, output, place=place, say=_note)))
    weights = output / session.WEIGHTS
    if as_json:
        losses = dict(heard[-1].losses) if heard else {}
        click.echo(json.dumps({"weights": str(weights), "steps": setup.schedule.steps, "losses": losses}))
        return
    click.echo(f"{weights} is the network")
    click.echo(setup.after(weights))


def _note(line: str) -> None:
    click.echo(line, err=True)


def shown(words: Iterator[Progress]) -> Iterator[Progress]:
    """Tell progress on stderr as it passes: a bar on a terminal, else a line every ten seconds."""
    return _bar(words) if sys.stderr.isatty() else _lines(words)


def _lines(words: Iterator[Progress]) -> Iterator[Progress]:
    import time

    said = float("-inf")
    for word in words:
        if time.monotonic() - said >= EVERY or word.step == word.steps:
            _note(str(word))
            said = time.monotonic()
        yield word


def _bar(words: Iterator[Progress]) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = TextColumn("train"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[speed]}")
    bar = Bar(*columns, TextColumn("{task.fields[losses]}"), console=Console(stderr=True))
    task = bar.add_task("train", total=None, speed="", losses="")
    try:
        for word in words:
            bar.start()
            bar.update(task, total=word.steps, completed=word.step, speed=word.speed_line, losses=word.loss_line)
            yield word
    finally:
        bar.stop()
