"""`demo`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default="demo",
    show_default=True,
    help="Folder to make everything in.",
)
@click.option("--seconds", type=click.FloatRange(5, 3600), default=60.0, show_default=True, help="Length of the film.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed is another day at the site.")
@click.option(
    "--detector",
    metavar="NAME|PATH",
    default="auto",
    show_default=True,
    help="Person detector, or oracle (the world's truth, perturbed); auto takes what `run` takes.",
)
@click.option(
    "--embedder",
    metavar="NAME|PATH",
    default="auto",
    show_default=True,
    help="Re-identification network, or colours; auto takes what `run` takes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
def demo(output: Path, seconds: float, seed: int, detector: str, embedder: str, as_json: bool) -> None:
    """Film a synthetic site with three cameras, find who is who on it, score that and draw the result."""
    from vidreid.pipeline.progress import reporter_for
    from vidreid.views.demo import demonstrate

    reporter = reporter_for(sys.stderr)
    try:
        made = demonstrate(output, reporter, seconds=seconds, seed=seed, detector=detector, embedder=embedder)
    finally:
        reporter.stop()
    if as_json:
        networks = {network.kind: network.as_dict() for network in made.report.networks}
        places = {"picture": str(made.picture), "run": str(made.run)}
        click.echo(json.dumps({**made.scores, "networks": networks, **places}, indent=1))
        return
    identity = made.scores["identity"]
    click.echo("")
    for network in made.report.networks:
        click.echo(network.line)
    for camera, score in made.scores["tracking"].items():
        click.echo(
            f"{camera:<10}tracking   MOTA {score['mota']:.3f}  IDF1 {score['idf1']:.3f}  HOTA {score['hota']:.3f}"
        )
    click.echo(f"{'all':<10}identity   IDF1 {identity['idf1']:.3f}  HOTA {identity['hota']:.3f}")
    click.echo("")
    click.echo(f"next: look at {made.picture} and {made.run / 'people.html'}")
    click.echo("      vidreid run c0=FILE c1=FILE --output runs/site    (your own footage)")
