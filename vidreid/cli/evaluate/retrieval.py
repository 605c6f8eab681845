"""`evaluate retrieval`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidreid.cli.evaluate.labels import say
from vidreid.cli.options import device_option
from vidreid.errors import UsageError

if TYPE_CHECKING:
    from vidreid.training.datasets import Dataset, Protocol
    from vidreid.training.embeddings import Source
    from vidreid.training.retrieval import Scores

SHOWN_QUERIES = 20


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


@click.command()
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
    say([note for note in (opened.terms, *opened.notes) if note])
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
    vectors = source.vectors(opened, items, protocol, lambda line: say([line]))
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
            say([f"{splits} splits share people: give the --weights of each, or --split N for those trained on one"])
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
