"""`pack`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidreid.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

    from vidreid.engines.registry import ModelEntry
    from vidreid.networks import VideoNetwork

SIZE = (480, 640)  # of a detector's pictures


class Size(click.ParamType[tuple[int, int]]):
    """HEIGHTxWIDTH in pixels."""

    name = "size"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", value)
        if not found:
            self.fail(f"{value!r} is not HEIGHTxWIDTH, such as 480x640.", param, ctx)
        return int(found[1]), int(found[2])


@click.command()
@click.argument("weights", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write; its name becomes the network's.",
)
@click.option("--frames", type=click.IntRange(1), help="Embedders: pictures of a clip [default: as trained].")
@click.option(
    "--size",
    type=Size(),
    metavar="HEIGHTxWIDTH",
    help="Detectors: pixels of a picture, multiples of 32 [default: 480x640, which 4:3 cameras fill and 16:9 cameras "
    "fill to three quarters].",
)
@click.option("--network", metavar="RECIPE", help="Recipe of weights that do not say how they were made.")
def pack(weights: Path, output: Path, frames: int | None, size: tuple[int, int] | None, network: str | None) -> None:
    """Make trained WEIGHTS a network that runs take: an ONNX, and a YAML that states it.

    A YAML that is there already keeps its licence, terms, threshold and score.
    """
    from vidreid.training.recipe import Recipe
    from vidreid.training.trained import open_trained

    opened, recipe = open_trained(weights, network)
    if isinstance(recipe, Recipe):
        if size:
            raise UsageError("an embedder's pictures are of the size that it was trained with", "leave --size out")
        _embedder(opened, output, frames or recipe.data.frames, recipe.data.size)
    else:
        if frames:
            raise UsageError("a detector sees single pictures", "leave --frames out")
        _detector(opened, output, size or SIZE)


def _embedder(network: VideoNetwork, output: Path, frames: int, size: tuple[int, int]) -> None:
    from vidreid.training.packing import pack as write

    entry = write(network, output, frames=frames, size=size)
    _tell_file(output, entry)
    height, width = entry.input.size
    click.echo(f"clips of {entry.frames} pictures of {height} x {width} to {entry.dim} numbers")
    click.echo("no card: until somebody measures what its likenesses mean, the chances that a run states are rough")
    click.echo(f"\nnext: vidreid run c0=FILE c1=FILE --output runs/site --embedder {output}")


def _detector(network: nn.Module, output: Path, size: tuple[int, int]) -> None:
    from vidreid.training.detector.packing import pack_detector

    entry = pack_detector(network, output, size)
    _tell_file(output, entry)
    height, width = entry.input.size
    click.echo(f"pictures of {height} x {width} to boxes of persons")
    if entry.score is None:
        click.echo(f"score: not stated; measure: vidreid evaluate detection --data ROOT --detector {output}")
    else:
        click.echo(f"score: {entry.score:g}, of the network that was here before; measure it again")
    click.echo(f"\nnext: vidreid run c0=FILE c1=FILE --output runs/site --detector {output}")


def _tell_file(output: Path, entry: ModelEntry) -> None:
    ((name, digest),) = entry.files.items()
    click.echo(f"{output / name}: {(output / name).stat().st_size / 1e6:.2f} MB, SHA-256 {digest}")
