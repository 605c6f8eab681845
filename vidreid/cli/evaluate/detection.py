"""`evaluate detection`."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from typing import Any

import click

from vidreid.cli.evaluate.labels import say

DETECTION = {
    "pictures": "pictures",
    "boxes": "boxes",
    "ap50": "AP50",
    "ap": "AP50:95",
    "score": "from score",
    "recall": "recall",
    "false_positives": "false/picture",
}


@click.command()
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
        say(notes)
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
