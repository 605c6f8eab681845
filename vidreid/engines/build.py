"""Builds engines: asked for twice they are built once, and one that is too far from torch is not kept."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from vidreid.digests import file_sha256
from vidreid.engines.card import COMMAND, GOLDEN, Card, Target, read_card, write_card
from vidreid.engines.flops import count_flops
from vidreid.engines.folder import building, put, reserve
from vidreid.engines.load import EngineModel, Refusing, check_files, engine_files
from vidreid.engines.order import Built, Order
from vidreid.engines.recipe import EngineRecipe
from vidreid.engines.source import Source, write_golden
from vidreid.engines.verify import refusal, verify_engine
from vidreid.errors import InputError

Progress = Callable[[str, float], None]
MAKING, CHECKING = 0.2, 0.9  # shares of the work at which the graph is there, and the engine


class Builder(Refusing, Protocol):
    """A runtime that builds engines, in ``PRECISIONS``."""

    PRECISIONS: Sequence[str]

    def version(self) -> str:
        """Of the runtime's library."""

    def build(self, order: Order, folder: Path, progress: Progress) -> Built:
        """Write the engine's files into ``folder``; ``progress`` takes words and a share from 0 to 1."""


@dataclass(frozen=True)
class Wanted:
    """An engine as it is asked for: all that makes it another engine, known before anything is built.

    ``weights``: the SHA-256 of their file, or ``random``; ``calibrated_on``: the user's own pictures or footage;
    ``command``: what builds it on the machine where it is called.
    """

    recipe_name: str
    recipe: EngineRecipe
    weights: str
    runtime: str
    version: str
    target: Target = field(default_factory=Target)
    calibrated_on: str = ""
    command: str = ""

    @property
    def sha256(self) -> str:
        """Two of the same are one engine."""
        target = [sorted(self.target.capabilities), self.target.portable]
        said = [self.recipe.digest, self.weights, self.runtime, self.version, target, self.calibrated_on]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def name(self, digits: int = 4) -> str:
        """What people call it: ``tclnet-fp16-sm89-1a2b``, ``slim-afa-int8-openvino-1a2b``."""
        recipe = re.sub(r"[^A-Za-z0-9_.]+", "-", self.recipe_name).strip("-.") or "engine"
        portable = f"{self.runtime}-portable" if self.target.portable else ""
        machine = portable or "-".join(self.target.capabilities) or self.runtime
        return f"{recipe}-{self.recipe.precision}-{machine}-{self.sha256[:digits]}"


def find_built(wanted: Wanted, where: Path) -> Path | None:
    """The folder of the very engine in ``where``, whole; None where it has to be built."""
    place = _place(wanted, where)
    try:
        card = read_card(place)
        check_files(place, card)
    except InputError:
        return None
    return place


def build_once(
    wanted: Wanted,
    where: Path,
    make_source: Callable[[Path], Source],
    runtime: Builder,
    *,
    progress: Progress,
    anew: bool = False,
) -> Path:
    """The folder of the engine in ``where``: the one that is there, or (``anew``, or where there is none) a new one.

    ``make_source`` is given a folder for its files, which is gone afterwards. Of several processes that ask at once
    one builds, and the others wait for it. `InputError` where the weights are broken or the engine is too far from
    torch, `StorageError` where there is no room: nothing half-made is left, and what was there stays.
    """
    with building(where, waiting=lambda: progress("waiting for another vidreid that builds here", 0.0)) as scratch:
        if not anew and (found := find_built(wanted, where)):
            return found
        progress("making the graph", 0.0)
        (scratch / "source").mkdir()
        source = make_source(scratch / "source")
        engine = scratch / "engine"
        engine.mkdir()
        place = _place(wanted, where)
        build_engine(wanted, source, runtime, engine, name=place.name, progress=progress)
        put(engine, place)
    progress("done", 1.0)
    return place


def build_engine(
    wanted: Wanted, source: Source, runtime: Builder, folder: Path, *, name: str, progress: Progress
) -> Card:
    """Build an engine into an empty ``folder`` and compare it with torch, where this machine can run it."""
    _refuse_broken(source)
    reserve(folder, 2 * source.onnx.stat().st_size)
    recipe = wanted.recipe
    order = Order(source, recipe.precision, recipe.islands, recipe.batch, wanted.target)
    built = runtime.build(order, folder, lambda words, share: progress(words, MAKING + (CHECKING - MAKING) * share))
    write_golden(folder / GOLDEN, source.golden)
    card = _card(wanted, source, built, name, engine_files(folder, built.main, tuple(built.others)))
    if runtime.refuses(card) is None:
        progress("comparing it with torch", CHECKING)
        card = _verified(EngineModel(card.spec, folder / built.main, card.precision, card), runtime)
    write_card(folder, card)
    return card


def _place(wanted: Wanted, where: Path) -> Path:
    """Where it lies or will lie: four digits tell it from its like, more where another engine has these four."""
    for digits in (4, 8, 16):
        place = where / wanted.name(digits)
        try:
            if read_card(place).wanted_sha256 == wanted.sha256:
                break
        except InputError:  # nothing there, or nothing that could be used
            break
    return place


def _refuse_broken(source: Source) -> None:
    from vidreid.engines.graph.operators import broken_weights

    if broken := broken_weights(source.onnx):
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        raise InputError(
            f"{source.spec.name}: the weights hold no numbers (NaN or infinite) in {broken[0]}{more}",
            "use weights of an earlier step of the training, or get the file again",
        )


def _verified(model: EngineModel, runtime: Builder) -> Card:
    """The card with what was measured; `InputError` below the recipe's bound, which random weights need not keep:
    their vectors of different people hardly differ, so that rounding does."""
    card, measured = model.card, verify_engine(model, runtime)
    reason = refusal(measured, card.bound, card.spec.kind)
    if reason and card.weights.kind != "random":
        raise InputError(
            f"{card.name}: too far from torch: {reason}",
            "keep more operators in float32 (islands of the recipe), take another --precision, or state another bound",
        )
    return card.model_copy(update={"measured": measured})


def _card(wanted: Wanted, source: Source, built: Built, name: str, files: dict[str, str]) -> Card:
    spec, recipe = source.spec, wanted.recipe
    clip = (spec.frames,) if spec.frames > 1 else ()
    sizes = list(dict.fromkeys((spec.input.size, *spec.sizes)))
    return Card(
        name=name,
        recipe=wanted.recipe_name,
        recipe_sha256=recipe.digest,
        wanted_sha256=wanted.sha256,
        command=wanted.command if re.fullmatch(COMMAND, wanted.command) else "",
        network=spec,
        weights=source.weights,
        onnx_sha256=file_sha256(source.onnx),
        sizes=sizes,
        batch=recipe.batch,
        precision=recipe.precision,
        islands=list(built.islands),
        calibration=source.calibrated_on if recipe.precision == "int8" else "",
        flops=[count_flops(source.onnx, (1, *clip, *size, 3)) for size in sizes],
        tensors=list(built.tensors),
        runtime=wanted.runtime,
        runtime_version=wanted.version,
        target=built.target,
        files=files,
        bound=recipe.bound,
        measured=None,
        made_with=dict(source.made_with),
    )
