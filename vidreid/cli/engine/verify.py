"""`engine verify`."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidreid.cli.engine.options import EngineName
from vidreid.errors import InputError, MissingError, UsageError

if TYPE_CHECKING:
    from vidreid.engines.card import Card
    from vidreid.engines.load import EngineModel
    from vidreid.engines.verify import RankAgreement
    from vidreid.types import Array


@click.command()
@click.argument("engine", type=EngineName())
@click.option(
    "--crops",
    type=click.Path(path_type=Path, exists=True),
    metavar="PATH",
    help="Pictures, run folder or footage of people: does the engine rank them as the reference does?",
)
@click.option(
    "--against",
    type=EngineName(),
    metavar="ENGINE",
    help="The reference of --crops [default: the float32 graph, where the weights are at hand].",
)
@click.option("--weights", metavar="FILE", default="", help="For --crops: their file, where it lies elsewhere now.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def verify(engine: str, crops: Path | None, against: str | None, weights: str, as_json: bool) -> None:
    """Run ENGINE's golden inputs again and compare with what torch said of them; needs neither torch nor weights.

    Below the bound of its recipe, which random weights need not keep, the exit status is 3.
    """
    from vidreid.engines.verify import refusal, verify_engine
    from vidreid.pipeline.engine_bundle import engine_folder
    from vidreid.pipeline.engines import open_on_this_machine

    if against and not crops:
        raise UsageError("--against is the reference of --crops", "give --crops too")
    model, runtime = open_on_this_machine(engine_folder(engine))
    card = model.card
    if crops and card.spec.kind != "embedder":
        raise UsageError(f"{card.name}: a detector ranks nobody", "leave --crops out")
    measured = verify_engine(model, runtime)
    ranks = _ranks(model, runtime, crops, against, weights) if crops else None
    random = card.weights.kind == "random"  # whose vectors hardly differ from person to person, so that rounding does
    problem = None if random else refusal(measured, card.bound, card.spec.kind)
    if as_json:
        told = {"engine": card.name, "measured": measured.model_dump(mode="json"), "refused": problem}
        click.echo(json.dumps({**told, "ranks": asdict(ranks) if ranks else None}, indent=1))
    else:
        _tell(card.model_copy(update={"measured": measured}), ranks)
    if problem:
        raise InputError(f"{card.name}: too far from torch: {problem}", card.again)


def _ranks(model: EngineModel, runtime: Any, crops: Path, against: str | None, weights: str) -> RankAgreement:
    """Whether the engine and its reference rank the people of ``crops`` alike."""
    from vidreid.engines.verify import rank_agreement, vectors

    with tempfile.TemporaryDirectory() as scratch:
        reference, clips = _reference(model, crops, against, weights, Path(scratch))
        found = vectors(model, runtime, clips, model.card.batch[0])
        return rank_agreement(reference, found, model.spec.branches)


def _reference(
    model: EngineModel, crops: Path, against: str | None, weights: str, scratch: Path
) -> tuple[Array, Array]:
    """What the reference says of the clips, and the clips."""
    from vidreid import plugins
    from vidreid.cli.engine.again import source_again
    from vidreid.engines.verify import vectors
    from vidreid.engines.weights import FileModel
    from vidreid.pipeline.engine_bundle import engine_folder
    from vidreid.pipeline.engines import ROOM, open_on_this_machine
    from vidreid.pipeline.samples import calibration_images

    clips, _ = calibration_images(model.spec, crops)
    if against is None:
        try:
            source = source_again(model.card, weights, scratch)
        except MissingError as error:
            raise MissingError(error.message, f"{error.hint}; or name another engine of it: --against ENGINE") from None
        graph = FileModel(source.spec, source.onnx, trusted=True, precision="fp32")
        return vectors(graph, plugins.load(ROOM, "openvino"), clips), clips
    reference, runtime = open_on_this_machine(engine_folder(against))
    if reference.card.weights.sha256 != model.card.weights.sha256:
        raise UsageError(
            f"{reference.card.name}: of other weights than {model.card.name}", "give an engine of the same"
        )
    return vectors(reference, runtime, clips, reference.card.batch[0]), clips


def _tell(card: Card, ranks: RankAgreement | None) -> None:
    from vidreid.cli.engine.words import measured_words

    click.echo(f"{card.name}: {measured_words(card)}")
    found = card.measured
    if found and found.cosine and len(found.cosine) > 1:
        for number, (least, mean) in enumerate(found.cosine, 1):
            counted = f", over {found.agreeing[number - 1]} of {found.inputs} clips" if found.agreeing else ""
            click.echo(f"  branch {number}: cosine at least {least:.5f}, {mean:.5f} on average{counted}")
    if found and found.differing:
        least, mean = found.differing
        click.echo(f"  where other rows were erased: cosine at least {least:.5f}, {mean:.5f} on average")
    if card.weights.kind == "random":
        click.echo("  its weights are random: how exact it is means little")
    if ranks:
        click.echo(f"ranks of {ranks.clips} clips, each looked for among the others")
        click.echo(f"  the same nearest: {ranks.first:.1%}; of the ten nearest the same: {ranks.ten:.1%}")
        click.echo(f"  rank correlation: {ranks.spearman:.5f}")
