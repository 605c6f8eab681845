"""`engine info`."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from vidreid.cli.engine.options import EngineName
from vidreid.cli.engine.words import batch_words, measured_words, picture_words
from vidreid.errors import VidreidError

if TYPE_CHECKING:
    from pathlib import Path

    from vidreid.engines.card import Card
    from vidreid.engines.order import Layer


@click.command()
@click.argument("engine", type=EngineName())
@click.option("--layers", "all_layers", is_flag=True, help="List every layer.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def info(engine: str, all_layers: bool, as_json: bool) -> None:
    """Say what ENGINE is: card, tensors, profile, layers with their precision, size.

    Its layers are told where it can be loaded.
    """
    from vidreid.engines.card import read_card
    from vidreid.pipeline.engine_bundle import engine_folder
    from vidreid.pipeline.engines import size_of

    folder = engine_folder(engine)
    card = read_card(folder)
    layers, problem = _layers(folder)
    if as_json:
        told = {
            "folder": str(folder),
            "bytes": size_of(folder),
            "problem": problem,
            "card": card.model_dump(mode="json"),
        }
        click.echo(json.dumps({**told, "layers": [asdict(layer) for layer in layers]}, indent=1))
        return
    for title, text in _card_lines(card):
        click.echo(f"{title:<13}{text}")
    click.echo(f"{'size':<13}{size_of(folder) / 1e6:.1f} MB in {folder}")
    click.echo(f"{'runs here':<13}{'no: ' + problem if problem else 'yes'}")
    click.echo("\ntensors")
    for tensor in card.tensors:
        free = ["N", *"?" * len(tensor.shape)]
        shape = " x ".join(name if side < 0 else str(side) for name, side in zip(free, tensor.shape, strict=False))
        click.echo(f"  {tensor.role:<8}{tensor.name:<13}{tensor.dtype:<9}{shape}")
        if tensor.meaning:
            click.echo(f"{'':<10}{tensor.meaning}")
    _tell_layers(layers, card, all_layers=all_layers)


def _layers(folder: Path) -> tuple[Sequence[Layer], str]:
    """The layers of an engine, and why it does not run here: then those that its builder listed beside it, if any."""
    from vidreid.engines.runtimes._tensorrt.layers import LAYERS, read_layers
    from vidreid.pipeline.engines import open_on_this_machine

    try:
        model, runtime = open_on_this_machine(folder)
        return runtime.layers(model), ""
    except VidreidError as error:
        problem = error.message
    with contextlib.suppress(VidreidError):
        return read_layers(folder / LAYERS), problem
    return [], problem


def _card_lines(card: Card) -> Iterator[tuple[str, str]]:
    yield "engine", card.name
    yield "network", f"{card.spec.name} ({card.spec.kind}); weights {card.weights.kind}, {card.weights.sha256[:12]}"
    yield "licence", "; ".join(filter(None, (card.weights.licence, card.weights.terms)))
    yield "runtime", f"{card.runtime} {card.runtime_version}, {card.precision}"
    if card.target.capabilities or card.target.gpu:
        made_on = f", built on {card.target.gpu}, driver {card.target.driver}" if card.target.gpu else ""
        newer = " and newer" if card.target.portable else ""
        yield "GPUs", " ".join(card.target.capabilities) + newer + made_on
    yield "takes", f"{picture_words(card)}, uint8 RGB, batches of {batch_words(card)} (least, usual, most)"
    if card.islands:
        some = ", ".join(card.islands[:4]) + ", ..." * (len(card.islands) > 4)
        yield "islands", f"{len(card.islands)} nodes not in {card.precision}: {some}"
    if card.calibration:
        yield "calibrated", card.calibration
    yield "exactness", measured_words(card)
    yield "build again", card.again


def _tell_layers(layers: Sequence[Layer], card: Card, *, all_layers: bool) -> None:
    if not layers:
        return
    counted = Counter(layer.precision for layer in layers).most_common()
    click.echo(f"\n{len(layers)} layers: " + ", ".join(f"{count} {precision}" for precision, count in counted))
    if not all_layers:
        click.echo(f"next: vidreid engine info {card.name} --layers")
        return
    for layer in layers:
        time = "" if layer.milliseconds is None else f"{layer.milliseconds:8.3f} ms"
        click.echo(f"  {layer.precision:<8}{layer.kind:<24}{time:<13}{layer.name}")
