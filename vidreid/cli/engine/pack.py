"""`engine pack`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidreid.cli.engine.options import EngineName
from vidreid.errors import MissingError

if TYPE_CHECKING:
    from vidreid.engines.card import Card


@click.command()
@click.argument("engines", type=EngineName(), nargs=-1, required=True, metavar="ENGINE...")
@click.option(
    "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.zip", help="To write."
)
@click.option(
    "--onnx",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="The float32 graph that they were built from [default: made again of the network's weights].",
)
@click.option("--weights", metavar="FILE", default="", help="Their file, where it lies elsewhere now.")
def pack(engines: tuple[str, ...], output: Path, onnx: Path | None, weights: str) -> None:
    """Join engines of one network in a file to hand on: for several GPUs or runtimes, with the float32 graph.

    Where the file is loaded, the first ENGINE that runs there is taken: name the best one first.
    """
    from vidreid.engines.bundle import write_bundle
    from vidreid.engines.card import read_card
    from vidreid.engines.folder import cache, find_engine

    folders = [find_engine(name, cache()) for name in engines]
    with tempfile.TemporaryDirectory() as scratch:
        graph = onnx or _graph(folders, [read_card(folder) for folder in folders], weights, Path(scratch))
        cards = write_bundle(folders, graph, output)
    click.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB, float32 graph and")
    for card in cards:
        gpus = f" for {' '.join(card.target.capabilities)}" if card.target.capabilities else ""
        click.echo(f"  {card.name}: {card.precision}, {card.runtime} {card.runtime_version}{gpus}")
    _warn(cards[0])


def _graph(folders: list[Path], cards: list[Card], weights: str, scratch: Path) -> Path:
    """The float32 graph: one of the engines may be nothing else."""
    from vidreid.cli.engine.again import source_again

    for folder, card in zip(folders, cards, strict=True):
        for name, digest in card.files.items():
            if digest == cards[0].onnx_sha256:
                return folder / name
    try:
        return source_again(cards[0], weights, scratch).onnx
    except MissingError as error:
        raise MissingError(
            error.message, f"{error.hint}; or give the graph that it was built from: --onnx FILE"
        ) from None


def _warn(card: Card) -> None:
    if card.weights.kind == "random":
        click.echo("random weights: for measuring its speed; runs refuse it")
    click.echo(f"licence of the weights: {card.weights.licence}")
    if card.weights.terms:
        click.echo(f"terms: {card.weights.terms}")
