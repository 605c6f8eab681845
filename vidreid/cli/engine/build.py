"""`engine build`."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidreid.cli.engine.options import Batch, Capabilities, Device, RecipeName
from vidreid.cli.options import PlugIn
from vidreid.cli.pack import Size
from vidreid.errors import UsageError

if TYPE_CHECKING:
    from vidreid.engines.recipe import EngineRecipe


@click.command()
@click.argument("recipe", type=RecipeName())
@click.option(
    "--runtime",
    type=PlugIn("engines.runtimes"),
    metavar="NAME",
    help="What will run it [default: the fastest that this machine has].",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16", "int8"]),
    help="Of what is not an island [default: the recipe's].",
)
@click.option(
    "--batch", type=Batch(), metavar="LEAST:USUAL:MOST", help="Pictures or clips at a time [default: the recipe's]."
)
@click.option(
    "--size",
    "sizes",
    type=Size(),
    multiple=True,
    metavar="HEIGHTxWIDTH",
    help="Of pictures; several for cameras of several shapes [default: the recipe's].",
)
@click.option(
    "--weights",
    metavar="FILE|random",
    default="",
    help="Of the network [default: the recipe's]; random ones are for measuring.",
)
@click.option(
    "--calibrate-on",
    type=click.Path(path_type=Path, exists=True),
    metavar="PATH",
    help="Pictures, run folder or footage to measure int8's ranges on [default: synthetic people].",
)
@click.option("--device", type=Device(), metavar="cuda:N", help="The GPU to build for [default: the first].")
@click.option("--target", type=Capabilities(), metavar="SM,...", help="GPUs to build for that are not here: sm86,sm89.")
@click.option("--portable", is_flag=True, help="Also for newer GPUs and runtimes than these; a little slower.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to put it in [default: the user's engines].",
)
@click.option("--rebuild", is_flag=True, help="Also where the same engine is there.")
@click.option("--offline", is_flag=True, help="Never download a network.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def build(recipe: str, output: Path | None, rebuild: bool, as_json: bool, **chosen: Any) -> None:
    """Build the network of RECIPE, a name or a YAML, for a runtime, and compare it with torch.

    An engine that is too far from torch is not kept. The same engine is built once.
    """
    from vidreid.cli.engine.supply import find_supply
    from vidreid.engines.build import Wanted, build_once, find_built
    from vidreid.engines.card import Target
    from vidreid.engines.folder import cache
    from vidreid.engines.recipe import read_recipe
    from vidreid.pipeline.engines import builder, fastest_runtime, target_of
    from vidreid.pipeline.progress import phases

    chosen["runtime"] = chosen["runtime"] or fastest_runtime()
    name, content = read_recipe(recipe)
    runtime = builder(chosen["runtime"])
    content = _changed(content, chosen)
    if content.precision not in runtime.PRECISIONS:
        chosen["precision"] = _other_precision(content.precision, runtime.PRECISIONS, chosen)
        content = _changed(content, chosen)
    asked = Target(capabilities=list(chosen["target"] or ()), portable=chosen["portable"])
    target = target_of(runtime, chosen["runtime"], asked, chosen["device"])
    calibrate_on = chosen["calibrate_on"]
    if calibrate_on and content.precision != "int8":
        raise UsageError(f"{content.precision} needs no calibration", "leave --calibrate-on out, or --precision int8")
    supply = find_supply(name, content, chosen["weights"], calibrate_on, offline=chosen["offline"])
    wanted = Wanted(
        name,
        content,
        supply.weights,
        chosen["runtime"],
        runtime.version(),
        target,
        str(calibrate_on.resolve()) if calibrate_on else "",
        _command(recipe, chosen),
    )
    where = output or cache()
    found = None if rebuild else find_built(wanted, where)
    if found is None:
        with phases(sys.stderr) as progress:
            folder = build_once(wanted, where, supply.make, runtime, progress=progress, anew=rebuild)
    _tell(found or folder, as_json, built=found is None)


def _changed(recipe: EngineRecipe, chosen: dict[str, Any]) -> EngineRecipe:
    """The recipe as the options want it."""
    from vidreid.engines.recipe import EngineRecipe
    from vidreid.settings import check_model

    changes = {key: chosen[key] for key in ("precision", "batch", "sizes") if chosen[key]}
    return check_model(EngineRecipe, {**recipe.model_dump(), **changes}, "the options") if changes else recipe


def _other_precision(precision: str, offered: Sequence[str], chosen: dict[str, Any]) -> str:
    """What a runtime builds in place of a recipe's precision that it lacks; an error where that was asked for."""
    if chosen["precision"]:
        hint = " or ".join(f"--precision {one}" for one in offered)
        raise UsageError(f"{chosen['runtime']}: no {precision}", hint)
    click.echo(f"{chosen['runtime']} has no {precision}: built in fp32", err=True)
    return "fp32"


def _command(recipe: str, chosen: dict[str, Any]) -> str:
    """What builds it again, for the machine where it is called."""
    words = ["vidreid", "engine", "build", recipe, "--runtime", chosen["runtime"]]
    if recipe.endswith((".yaml", ".yml")):
        words[3] = str(Path(recipe).expanduser().resolve())
    if chosen["precision"]:
        words += ["--precision", chosen["precision"]]
    if chosen["batch"]:
        words += ["--batch", ":".join(map(str, chosen["batch"]))]
    for height, width in chosen["sizes"]:
        words += ["--size", f"{height}x{width}"]
    if chosen["weights"]:
        path = Path(chosen["weights"]).expanduser()
        words += ["--weights", str(path.resolve()) if path.is_file() else chosen["weights"]]
    if chosen["calibrate_on"]:
        words += ["--calibrate-on", str(chosen["calibrate_on"].resolve())]
    return shlex.join([*words, *["--portable"] * chosen["portable"]])


def _tell(folder: Path, as_json: bool, *, built: bool) -> None:
    """Where the engine lies, how large and how exact it is, and what to do next."""
    from vidreid.cli.engine.words import measured_words
    from vidreid.engines.card import read_card
    from vidreid.engines.folder import cache
    from vidreid.pipeline.engines import size_of

    card = read_card(folder)
    if as_json:
        found = {"folder": str(folder), "bytes": size_of(folder), "built": built, "card": card.model_dump(mode="json")}
        click.echo(json.dumps(found, indent=1))
        return
    click.echo(f"{'engine' if built else 'there already'}: {folder} ({size_of(folder) / 1e6:.1f} MB)")
    click.echo(f"beside float32: {measured_words(card)}")
    if card.weights.kind == "random":
        click.echo("random weights: for measuring its speed; runs refuse it, and how exact it is means little")
    if not built:
        click.echo("to build it anew all the same: --rebuild")
    called = folder.name if folder.parent == cache() else folder
    if card.measured is None:
        click.echo(f"\nnext: vidreid engine pack {called} --output {card.recipe}.zip")
    else:
        click.echo(f"\nnext: vidreid engine bench {called}")
