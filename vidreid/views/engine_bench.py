"""A benchmark of engines as a picture: throughput and latency over batch sizes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidreid.engines.bench import Report, Timing
from vidreid.views.figures import new_figure, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#1f5fa8", "#d6772b", "#5b8c3a", "#8a4f9e", "#7a7a7a")  # a contender each
STYLES = ("-", "--", ":", "-.")  # a way to share the threads each


def write_benchmark(path: Path, report: Report) -> None:
    """Plot as SVG, PNG or PDF, by the name's ending; equal reports, equal bytes."""
    figure = new_figure(9.5, 4)
    left, right = figure.subplots(1, 2)
    height, width = report.size
    figure.suptitle(f"{report.engine}, pictures of {height} x {width}")
    lines = _lines(report)
    _throughput(left, lines)
    _latency(right, lines)
    batches = sorted({one.layout.batch for one in report.benchmark.timings})
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_xticks(batches, [str(batch) for batch in batches])
        axes.minorticks_off()
        axes.set_xlabel("batch")
        axes.grid(alpha=0.3)
    shares = ""
    if report.flops and report.benchmark.rates:
        precision = next(iter(report.benchmark.rates.values())).precision
        shares = f"at best, in % of the rate of matrix products in {precision}"
    figure.legend(
        *left.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=2,
        frameon=False,
        fontsize=8,
        title=shares,
        title_fontsize=8,
    )
    write_figure(path, figure)


def _lines(report: Report) -> list[tuple[str, str, str, list[Timing]]]:
    """Label, colour, style and timings by batch of each contender and way to share the threads."""
    timings = report.benchmark.timings
    names = list(dict.fromkeys(one.contender for one in timings))
    shares = list(dict.fromkeys((one.layout.streams, one.layout.threads) for one in timings))
    found = []
    for number, name in enumerate(names):
        for place, share in enumerate(shares):
            own = [one for one in timings if (one.contender, one.layout.streams, one.layout.threads) == (name, *share)]
            label = f"{name}, {_counted(share[0], 'stream')} of {_counted(share[1], 'thread')}"
            reached = [part for one in own if (part := report.share(one)) is not None]
            label += f": {max(reached):.0%}" if reached else ""
            own.sort(key=lambda one: one.layout.batch)
            if own:
                found.append((label, COLOURS[number % len(COLOURS)], STYLES[place % len(STYLES)], own))
    return found


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + "s" * (count > 1)


def _throughput(axes: Axes, lines: list[tuple[str, str, str, list[Timing]]]) -> None:
    for label, colour, style, own in lines:
        batches, rates = [one.layout.batch for one in own], [one.throughput for one in own]
        axes.plot(batches, rates, style, color=colour, marker="o", markersize=4, label=label)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("inputs a second")
    axes.set_title("throughput", fontsize=10)


def _latency(axes: Axes, lines: list[tuple[str, str, str, list[Timing]]]) -> None:
    from matplotlib.ticker import LogLocator

    for label, colour, style, own in lines:
        batches = [one.layout.batch for one in own]
        axes.plot(batches, [one.p50_ms for one in own], style, color=colour, marker="o", markersize=4, label=label)
        axes.fill_between(
            batches, [one.p50_ms for one in own], [one.p99_ms for one in own], color=colour, alpha=0.12, lw=0
        )
    axes.set_yscale("log", subs=())
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylabel("milliseconds a batch")
    axes.set_title("latency: median, shaded to the 99th percentile", fontsize=10)
