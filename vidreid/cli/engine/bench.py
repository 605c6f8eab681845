"""`engine bench`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidreid.cli.engine.options import EngineName
from vidreid.cli.pack import Size
from vidreid.errors import MissingError

if TYPE_CHECKING:
    from vidreid.engines.bench import Contender, Layout, Report
    from vidreid.engines.card import Card
    from vidreid.types import ModelSpec

AGAINST = ("torch", "onnx", "nothing")


class Counts(click.ParamType[tuple[int, ...]]):
    """Numbers from 1: ``1,8,32``."""

    name = "counts"

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        found = [int(part) if part.isdecimal() and len(part) < 6 else 0 for part in value.split(",")]
        if 0 in found:
            self.fail(f"{value!r} is no list of numbers from 1, such as 1,8,32.", param, ctx)
        return tuple(dict.fromkeys(found))


@click.command()
@click.argument("engine", type=EngineName())
@click.option("--batch", "batches", type=Counts(), metavar="N,...", help="Batch sizes [default: those of its profile].")
@click.option("--threads", type=Counts(), metavar="N,...", help="Threads of the CPU [default: 1 and all cores].")
@click.option("--size", type=Size(), metavar="HEIGHTxWIDTH", help="Of pictures [default: the engine's usual one].")
@click.option(
    "--against",
    type=click.Choice(AGAINST),
    help="torch eager and compiled, or the float32 graph by ONNX Runtime [default: the first that is to be had].",
)
@click.option("--weights", metavar="FILE", default="", help="For --against: their file, where it lies elsewhere now.")
@click.option(
    "--seconds",
    type=click.FloatRange(0.05, 600),
    default=3.0,
    show_default=True,
    help="For each contender, batch size and number of threads.",
)
@click.option(
    "--plot", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Draw it (PNG, SVG, PDF)."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def bench(engine: str, plot: Path | None, as_json: bool, **chosen: Any) -> None:
    """Time ENGINE: latency and throughput, beside torch in the same run.

    Each contender is warmed up first, and they take turns. The share is of the rate at which this machine multiplies
    matrices, measured in the same run.
    """
    if plot:
        from vidreid.views.ranking import check_format

        check_format(plot)
    report = _measured(engine, chosen)
    if plot:
        from vidreid.views.engine_bench import write_benchmark

        write_benchmark(plot, report)
    if as_json:
        click.echo(json.dumps(report.as_dict(), indent=1))
    else:
        _tell(report)


def _measured(engine: str, chosen: dict[str, Any]) -> Report:
    from vidreid.pipeline.engine_bench import bench_engine, layouts_for, spec_for
    from vidreid.pipeline.engine_bundle import engine_folder
    from vidreid.pipeline.engines import open_on_this_machine
    from vidreid.pipeline.progress import phases

    model, _ = open_on_this_machine(engine_folder(engine))
    spec = spec_for(model.card, chosen["size"])
    layouts = layouts_for(model.card, chosen["batches"] or (), chosen["threads"] or ())
    with tempfile.TemporaryDirectory() as scratch:
        others = _others(model.card, spec, layouts, chosen, Path(scratch))
        with phases(sys.stderr) as progress:
            return bench_engine(model, spec, others, layouts, chosen["seconds"], progress)


def _others(
    card: Card, spec: ModelSpec, layouts: Sequence[Layout], chosen: dict[str, Any], scratch: Path
) -> list[Contender]:
    """What the engine is compared with: as wanted, else the first that is to be had."""
    from vidreid.cli.engine.again import source_again
    from vidreid.pipeline.engine_bench import onnx_contender

    def torch() -> list[Contender]:
        from vidreid.training.contenders import torch_contenders

        return torch_contenders(card, spec, chosen["weights"], layouts)

    def onnx() -> list[Contender]:
        return [onnx_contender(source_again(card, chosen["weights"], scratch).onnx, spec)]

    ways: dict[str, Callable[[], list[Contender]]] = {"torch": torch, "onnx": onnx, "nothing": list}
    for kind in [chosen["against"]] if chosen["against"] else AGAINST:
        try:
            return ways[kind]()
        except MissingError as error:
            if chosen["against"]:
                raise
            click.echo(f"not beside {kind}: {error.message}", err=True)
    return []


def _tell(report: Report) -> None:
    height, width = report.size
    flops = f", {report.flops / 1e9:.2f} GFLOP each" if report.flops else ""
    click.echo(f"{report.engine}, pictures of {height}x{width}{flops}")
    for count in dict.fromkeys(layout.cores for layout in report.benchmark.rates):
        rates = [rate for layout, rate in report.benchmark.rates.items() if layout.cores == count]
        least, most = (pick(rate.flops for rate in rates) / 1e9 for pick in (min, max))
        threads = f"{count} thread{'s' * (count > 1)}"
        click.echo(f"matrix products, {threads}: {least:.0f} to {most:.0f} GFLOP/s in {rates[0].precision}")
    name = max(len(one) for one in report.contenders) + 2
    beside = f"x {report.contenders[1]}" if len(report.contenders) > 1 else ""
    click.echo(
        f"\n{'':<{name}}{'batch':>6}{'streams':>9}{'threads':>9}{'p50 ms':>10}{'p90 ms':>10}{'p99 ms':>10}"
        f"{'inputs/s':>11}{'share':>8}{'warm-up s':>11}  {beside}"
    )
    for one in report.benchmark.timings:
        layout, share, times = one.layout, report.share(one), report.times(one)
        click.echo(
            f"{one.contender:<{name}}{layout.batch:>6}{layout.streams:>9}{layout.threads:>9}"
            f"{one.p50_ms:>10.2f}{one.p90_ms:>10.2f}{one.p99_ms:>10.2f}{one.throughput:>11.2f}"
            f"{'-' if share is None else f'{share:.1%}':>8}{one.load_s + one.first_ms / 1000:>11.2f}"
            f"  {'' if times is None else f'{times:.2f}'}"
        )
    for failure in report.benchmark.failures:
        click.echo(f"no figures: {failure}")
