"""`evaluate identity`: of a run against its labels, or of the tracklets of a labelled data set."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vidreid.cli.evaluate.labels import label_options, say
from vidreid.cli.options import RUN_FOLDER
from vidreid.errors import UsageError

SCORES = ("pair_precision", "pair_recall", "pair_f1", "b3_f1", "purity", "completeness")
ASK = "a run: vidreid evaluate identity RUN --truth FOLDER; a data set: --dataset NAME|CSV --data FOLDER"


def dataset_options() -> list[Callable[[Any], Any]]:
    """The data set, its vectors, and what is promised of it."""
    return [
        click.option("--dataset", metavar="NAME|CSV", help="Layout of a data set, or its CSV, instead of a run."),
        click.option("--data", type=click.Path(path_type=Path), help="Its folder [default: that of the CSV]."),
        click.option("--embedder", metavar="NAME|PATH", help="Embedder [default: the one that ships]."),
        click.option(
            "--features",
            type=click.Path(path_type=Path, dir_okay=False),
            help="NPZ of paths and features made elsewhere; --embedder says whose they are.",
        ),
        click.option(
            "--wrong-pairs",
            type=click.FloatRange(0, 1, min_open=True, max_open=True),
            metavar="SHARE",
            help="Promised share of wrong pairs among those put together [default: 0.02].",
        ),
        click.option("--min-pictures", type=click.IntRange(2), help="Leave out groups of fewer pictures."),
        click.option("--held-out", is_flag=True, help="Leave out the people of its training part."),
    ]


def options(command: Callable[..., None]) -> Callable[..., None]:
    """A run or a data set."""
    for option in reversed(
        [
            click.argument("run_folder", metavar="[RUN]", required=False, type=RUN_FOLDER),
            *label_options(required=False),
            click.option(
                "--plot",
                type=click.Path(path_type=Path, dir_okay=False),
                help="Draw the identities over time and cameras (.svg, .png or .pdf).",
            ),
            *dataset_options(),
            click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON."),
        ]
    ):
        command = option(command)
    return command


@click.command()
@options
def identity(run_folder: Path | None, dataset: str | None, as_json: bool, **given: Any) -> None:
    """IDF1 and HOTA of a run's identities over all cameras, at IoU 0.5; or the tracklets of a data set put together.

    In a data set, every (identity, camera, sequence) group of pictures is a tracklet. What is put together at the
    automatic operating point is scored, and the promised share of wrong pairs compared with the achieved one.
    """
    if run_folder is not None and dataset is not None:
        raise UsageError("a run and a data set", "score one of them at a time")
    of_run = {name: given.pop(name) for name in ("truth", "partial", "distractors", "by_person", "plot")}
    if run_folder is not None:
        _refuse(given, "a data set, not of a run", "leave it out, or give --dataset instead of RUN")
        if of_run["truth"] is None:
            raise UsageError("--truth is missing: no labels to score the run against", "--truth FOLDER")
        _score_run(run_folder, as_json, **of_run)
    elif dataset is not None:
        _refuse(of_run, "a run, not of a data set", "leave it out, or give RUN instead of --dataset")
        _score_dataset(dataset, as_json, **given)
    else:
        raise UsageError("neither a run nor a data set to score", ASK)


def _refuse(options: dict[str, Any], whose: str, hint: str) -> None:
    for name, value in options.items():
        if value not in (None, False, ()):
            option = name.removesuffix("s") if name == "distractors" else name.replace("_", "-")
            raise UsageError(f"--{option} is an option of {whose}", hint)


def _score_run(run_folder: Path, as_json: bool, *, plot: Path | None, **labels: Any) -> None:
    from vidreid.evaluation.run import score_identity

    if plot is not None:
        from vidreid.views.ranking import check_format

        check_format(plot)
    notes, score = score_identity(run_folder, **labels)
    if plot is not None:
        _draw(run_folder, plot, labels)
    if as_json:
        click.echo(json.dumps(score.as_dict(), indent=1))
    else:
        say(notes)
        for name, value in score.as_dict().items():
            if value is None or isinstance(value, float):
                click.echo(f"{name:<22}{_shown(value)}")


def _draw(run_folder: Path, plot: Path, labels: dict[str, Any]) -> None:
    from vidreid.evaluation.run import followed
    from vidreid.pipeline.results import Run
    from vidreid.views.timeline import timeline_of, write_timeline

    write_timeline(plot, timeline_of(Run(run_folder), followed(run_folder, **labels)))


def _score_dataset(
    dataset: str,
    as_json: bool,
    *,
    data: Path | None,
    embedder: str | None,
    features: Path | None,
    wrong_pairs: float | None,
    min_pictures: int | None,
    held_out: bool,
) -> None:
    from vidreid.settings import Settings
    from vidreid.training.embeddings import from_embedder, from_file
    from vidreid.training.identity import groups, score_identity
    from vidreid.training.retrieval import open_dataset

    opened = open_dataset(dataset, data)
    source = from_file(features, embedder) if features else from_embedder(embedder or "shipped")
    tracklets, notes = groups(opened, least=min_pictures or 1, held_out=held_out)
    say([note for note in (opened.terms, *opened.notes, *notes) if note])
    promise = Settings().matching.wrong_pairs if wrong_pairs is None else wrong_pairs
    found = score_identity(opened, tracklets, source, promise, lambda line: say([line])).as_dict()
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        _echo(found)


def _echo(found: dict[str, Any]) -> None:
    """The scores of a data set for people to read."""
    expected = found["expected"]
    click.echo(
        f"{found['embedder']} on {found['dataset']}: {found['tracklets']} tracklets of {found['people']} people, "
        f"{found['identities']} identities found "
        f"(expected: {expected['mixed']:.0f} mixed, {expected['split']:.0f} split)"
    )
    for name in SCORES:
        click.echo(f"{name:<22}{_shown(found[name])}")
    click.echo(f"{found['mixed']} identities hold two people or more, {found['split']} people are split")
    click.echo(f"{found['wrong_pairs']} of {found['pairs']} pairs put together are wrong")
    click.echo(
        "false match rate per comparison, expected: {:.2g} ({:.2g} to {:.2g})".format(*expected["false_match_rate"])
    )
    share = "{:.3f} ({:.3f} to {:.3f})".format(*expected["wrong_share"]) if expected["pairs"] else "-"
    between = "" if found["achieved_95"] is None else " (95 % interval {:.3f} to {:.3f})".format(*found["achieved_95"])
    click.echo(f"promised {found['promised']:g}, expected {share}, achieved {_shown(found['achieved'])}{between}")


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
