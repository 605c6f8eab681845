"""`pack`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("weights", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write; its name becomes the network's.",
)
@click.option("--frames", type=click.IntRange(1), help="Pictures of a clip [default: as trained].")
@click.option("--network", metavar="RECIPE", help="Recipe of weights that do not say how they were made.")
def pack(weights: Path, output: Path, frames: int | None, network: str | None) -> None:
    """Make trained WEIGHTS a network that runs take: an ONNX, and a YAML that states it.

    A YAML that is there already keeps its licence, terms and threshold.
    """
    from vidreid.training.packing import pack as write
    from vidreid.training.trained import open_network

    opened, recipe = open_network(weights, network)
    entry = write(opened, output, frames=frames or recipe.data.frames, size=recipe.data.size)
    ((name, digest),) = entry.files.items()
    height, width = entry.input.size
    click.echo(f"{output / name}: {(output / name).stat().st_size / 1e6:.2f} MB, SHA-256 {digest}")
    click.echo(f"clips of {entry.frames} pictures of {height} x {width} to {entry.dim} numbers")
    if entry.threshold is None:
        click.echo("threshold: not measured; try 0.6 (--threshold), look at people.html, then state it in the YAML")
    else:
        click.echo(f"threshold: {entry.threshold:g}, of the network that was here before; measure it again")
    given = " --threshold 0.6" if entry.threshold is None else ""
    click.echo(f"\nnext: vidreid run c0=FILE c1=FILE --output runs/site --embedder {output}{given}")
