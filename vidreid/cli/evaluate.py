"""`evaluate`: tracking and identity of a run, detection and retrieval of networks, and comparisons of the latter."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidreid.cli.options import RUN_FOLDER, device_option
from vidreid.errors import UsageError

if TYPE_CHECKING:
    from vidreid.training.datasets import Dataset, Protocol
    from vidreid.training.embeddings import Source
    from vidreid.training.retrieval import Scores

SHOWN = ("mota", "idf1", "hota", "precision", "recall", "id_switches")
SHOWN_QUERIES = 20
DETECTION = {
    "pictures": "pictures",
    "boxes": "boxes",
    "ap50": "AP50",
    "ap": "AP50:95",
    "score": "from score",
    "recall": "recall",
    "false_positives": "false/picture",
}


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
    """Score a run against labels, or a network on a data set."""


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


@evaluate.command()
@click.option("--data", multiple=True, required=True, metavar="[LAYOUT=]ROOT", help="Labelled pictures, or footage.")
@click.option(
    "--detector",
    "detectors",
    multiple=True,
    default=["auto"],
    metavar="NAME|PATH",
    help="Several are scored on the same pictures [default: the first at hand].",
)
@click.option(
    "--partial", multiple=True, metavar="SET", help="Not everybody in it is labelled, as scene.json says of footage."
)
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
def detection(data: tuple[str, ...], detectors: tuple[str, ...], partial: tuple[str, ...], as_json: bool) -> None:
    """Average precision of detectors (COCO's), and what they find and invent at the score of a run.

    LAYOUT is yolo, footage or world (synthetic people, filmed into ROOT on first use); what has no data.yaml is
    footage. The validation pictures of a set are scored.
    """
    from vidreid.pipeline.progress import reporter_for
    from vidreid.training.detector.scoring import open_detector, open_sets, score_set

    sets, notes = open_sets(data, partial)
    reporter = reporter_for(sys.stderr)
    with ExitStack() as stack:
        opened = [stack.enter_context(open_detector(wanted)) for wanted in detectors]
        _say(notes)
        stack.callback(reporter.stop)
        reporter.start("detection", {one.name: len(one.pictures) * len(opened) for one in sets})
        rows = [
            {"set": one.name, "detector": detector.name, **score_set(detector, one, reporter).as_dict()}
            for one in sets
            for detector in opened
        ]
    if as_json:
        click.echo("[\n" + ",\n".join(f" {json.dumps(row)}" for row in rows) + "\n]")
        return
    _detections(rows)


def _detections(rows: list[dict[str, Any]]) -> None:
    """A line a set and detector; a dash where a score means nothing."""
    names, detectors = (max(len(key), *(len(row[key]) for row in rows)) + 2 for key in ("set", "detector"))
    head = "".join(f"{title:>15}" for title in DETECTION.values())
    click.echo(f"{'set':<{names}}{'detector':<{detectors}}{head}")
    for row in rows:
        values = (row[key] for key in DETECTION)
        cells = ("-" if value is None else f"{value:.3f}" if isinstance(value, float) else value for value in values)
        click.echo(f"{row['set']:<{names}}{row['detector']:<{detectors}}" + "".join(f"{cell:>15}" for cell in cells))


class Frames(click.ParamType[int]):
    """``all``, which is 0, or a number of pictures."""

    name = "frames"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value == "all":
            return 0
        if not str(value).isdigit() or int(value) == 0:
            self.fail(f"{value!r} is neither all nor a number of pictures.", param, ctx)
        return int(value)


def retrieval_options(command: Callable[..., None]) -> Callable[..., None]:
    """The data, where the vectors come from, how they are compared, and what is written."""
    file = click.Path(path_type=Path, dir_okay=False)
    for option in reversed(
        [
            click.option("--dataset", required=True, metavar="NAME|CSV", help="Layout of the data set, or its CSV."),
            click.option("--data", type=click.Path(path_type=Path), help="Its folder [default: that of the CSV]."),
            click.option(
                "--tracklets/--pictures",
                default=None,
                help="Sparse tracklets of an image set, or each picture alone [default: as the set is scored].",
            ),
            click.option("--split", type=click.IntRange(1), help="One split of several [default: their mean]."),
            click.option(
                "--network", metavar="RECIPE", help="Recipe of --weights that do not say how their network is built."
            ),
            click.option(
                "--weights",
                type=file,
                multiple=True,
                help="What vidreid train wrote, or a checkpoint; several are trained on a split each, in their order.",
            ),
            click.option("--embedder", metavar="NAME|PATH", help="Embedder [default: the one that ships]."),
            click.option("--features", type=file, help="NPZ of paths and features made elsewhere."),
            device_option("Where --weights are computed."),
            click.option("--frames", type=Frames(), metavar="all|N", help="Pictures of a tracklet."),
            click.option("--ap", type=click.Choice(["rectangle", "trapezoid"]), help="Kind of average precision."),
            click.option("--distance", type=click.Choice(["cosine", "euclidean"]), help="Distance of vectors."),
            click.option("--rerank", is_flag=True, help="k-reciprocal re-ranking (k1 20, k2 6, lambda 0.3)."),
            click.option("--save-features", type=file, help="Write the vectors as NPZ."),
            click.option("--per-query", type=file, help="Write a CSV with a row a query."),
            click.option("--plot", type=file, help="Draw the CMC curve (.svg, .png or .pdf)."),
            click.option("--sheet", type=file, help="Write a PNG of the worst queries and what they found."),
            click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, which compare reads."),
        ]
    ):
        command = option(command)
    return command


@evaluate.command()
@retrieval_options
def retrieval(
    dataset: str, data: Path | None, tracklets: bool | None, split: int | None, as_json: bool, **options: Any
) -> None:
    """CMC and mAP of a network's embeddings, by the data set's own protocol unless options say otherwise."""
    from vidreid.training.retrieval import joined, open_dataset
    from vidreid.views.ranking import check_format

    if options["plot"]:
        check_format(options["plot"])
    opened = open_dataset(dataset, data, tracklets=tracklets)
    _say([note for note in (opened.terms, *opened.notes) if note])
    sources = _sources(opened, split, options)
    scores = joined([_scored(opened, source, number, options) for number, source in sources])
    system = sources[0][1].system
    if as_json:
        _echo_json({"system": system, **scores.as_dict()})
    else:
        _scores(system, scores)
    _write_views(scores, opened, options)


def _scored(opened: Dataset, source: Source, split: int | None, options: dict[str, Any]) -> Scores:
    """The data set, or a split of it, embedded and scored."""
    from vidreid.training.embeddings import save_vectors
    from vidreid.training.retrieval import score_dataset, scored_tracklets

    protocol = _protocol(opened.protocol, source, options)
    items = scored_tracklets(opened, split)
    vectors = source.vectors(opened, items, protocol, lambda line: _say([line]))
    if options["save_features"]:
        save_vectors(options["save_features"], items, vectors, protocol, source.branches)
    return score_dataset(
        opened, items, vectors, protocol, branches=source.branches, rerank=options["rerank"], split=split
    )


def _sources(opened: Dataset, split: int | None, options: dict[str, Any]) -> list[tuple[int | None, Source]]:
    """What embeds which split, None for all: a network that learnt one of ten is scored on the people it never saw."""
    splits, weights = len(opened.splits), options["weights"]
    if len(weights) < 2:
        if weights and split is None and splits > 1:
            _say([f"{splits} splits share people: give the --weights of each, or --split N for those trained on one"])
        return [(split, _source(options))]
    if split is not None or len(weights) != splits:
        raise UsageError(f"{len(weights)} --weights for {splits if split is None else 1} splits", "give one a split")
    if options["save_features"]:
        raise UsageError("--save-features of several networks", "give one of them, and its --split")
    return [(number, _source({**options, "weights": (file,)})) for number, file in enumerate(weights, 1)]


def _source(options: dict[str, Any]) -> Source:
    """Where the vectors come from; wrong use where that is not said once."""
    from vidreid.training.embeddings import from_embedder, from_file, from_network
    from vidreid.training.place import chosen_device

    given = [name for name in ("weights", "embedder", "features") if options[name]]
    if len(given) > 1:
        raise UsageError(f"--{given[0]} and --{given[1]}", "give one of them")
    if options["network"] and not options["weights"]:
        raise UsageError("--network without --weights", "give the weights of that network, or an --embedder")
    if options["features"] and options["frames"] is not None:
        raise UsageError("--features and --frames", "what a vector was made of is decided when it is made")
    if options["device"] == "cuda" and not options["weights"]:
        raise UsageError("--device cuda without --weights", "embedders are computed on the CPU")
    if options["features"]:
        return from_file(options["features"])
    if options["weights"]:
        return from_network(options["weights"][0], options["network"], chosen_device(options["device"]))
    return from_embedder(options["embedder"] or "shipped")


def _protocol(default: Protocol, source: Source, options: dict[str, Any]) -> Protocol:
    """The data set's protocol, but for the network's own distance and for what options say."""
    stated = {"distance": options["distance"] or source.metric, "ap": options["ap"], "frames": options["frames"]}
    return replace(default, **{name: value for name, value in stated.items() if value is not None})


def _write_views(scores: Scores, opened: Dataset, options: dict[str, Any]) -> None:
    """What of the results is written to files."""
    from vidreid.training.retrieval import per_query, worst_queries
    from vidreid.training.scoring import picture
    from vidreid.views.ranking import write_curve, write_rows, write_sheet

    if options["per_query"]:
        write_rows(options["per_query"], per_query(scores))
    if options["plot"]:
        write_curve(options["plot"], scores)
    if options["sheet"]:
        write_sheet(options["sheet"], worst_queries(scores, SHOWN_QUERIES), lambda key: picture(opened, key))


def _echo_json(result: dict[str, Any]) -> None:
    """A line a key: lists over thousands of queries stay readable, and files small."""
    click.echo("{\n" + ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in result.items()) + "\n}")


def _scores(system: str, scores: Scores) -> None:
    found, protocol = scores.summary(), scores.protocol
    what = "tracklets" if protocol["tracklets"] else "pictures"
    splits = f", mean of {found['splits']} splits" if found["splits"] > 1 else ""
    click.echo(f"{system} on {scores.dataset}: {found['queries']} queries, {found['gallery']} in the gallery{splits}")
    click.echo(
        f"protocol: {what}, frames {protocol['frames']}, {protocol['distance']} distance, {protocol['ap']} AP"
        + (", re-ranked" if protocol["rerank"] else "")
    )
    if found["queries_without_match"]:
        click.echo(f"not scored: {found['queries_without_match']} queries without a match in the gallery")
    for name in ("rank1", "rank5", "rank10", "rank20", "mAP"):
        click.echo(f"{name:<8}{100 * found[name]:>7.2f} %")


@evaluate.command()
@click.argument("results", nargs=-1, required=True, metavar="[NAME=]FILE...")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the table as CSV.")
@click.option("--latex", type=click.Path(path_type=Path, dir_okay=False), help="Write the table for LaTeX.")
def compare(results: tuple[str, ...], csv_file: Path | None, latex: Path | None) -> None:
    """Results of retrieval --json side by side, and what of their differences from the first is more than noise.

    NAME=FILE names a system; several files of one name are its seeds.
    """
    from vidreid.evaluation import comparison
    from vidreid.views.ranking import write_text

    lines = comparison.compare(_systems(results))
    if csv_file:
        write_text(csv_file, comparison.as_csv(lines))
    if latex:
        write_text(latex, comparison.as_latex(lines))
    for line in comparison.as_text(lines):
        click.echo(line)


def _systems(results: tuple[str, ...]) -> dict[str, list[Path]]:
    """Files by system, in the order given; a file without a name is a system of its own, named after the file."""
    systems: dict[str, list[Path]] = {}
    for text in results:
        name, sign, path = text.partition("=")
        if not sign or Path(text).is_file():
            name, path = Path(text).stem, text
            if name in systems:
                raise UsageError(f"two systems named {name}", f"name them: NAME={text}")
        systems.setdefault(name, []).append(Path(path))
    if len(systems) < 2:
        raise UsageError("one system alone: nothing to compare", "give two or more: A.json B.json")
    return systems


def _say(notes: list[str]) -> None:
    for note in notes:
        click.echo(f"note: {note}", err=True)


def _table(rows: dict[str, dict[str, Any]]) -> None:
    width = max(map(len, rows), default=6) + 2
    click.echo(f"{'camera':<{width}}" + "".join(f"{name:>13}" for name in SHOWN))
    for camera, score in rows.items():
        values = (f"{score[name]:>13.3f}" if isinstance(score[name], float) else f"{score[name]:>13}" for name in SHOWN)
        click.echo(f"{camera:<{width}}" + "".join(values))
