"""What a likeness means in a run: the curve, what it was made from, and what the threshold promises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vidreid.evaluation.reliability import Check
from vidreid.pipeline.calibrated import Calibrated, Chance
from vidreid.views.certainty import percent, share
from vidreid.views.figures import new_figure, write_figure
from vidreid.views.ranking import check_format

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = 9  # points of the curve in the table
PAIRS, IMPOSTORS, GENUINE, CURVE, WARN = "#b9bec8", "#c2410c", "#15803d", "#1f5fa8", "#111827"


def lines(found: Calibrated, check: Check | None = None) -> list[str]:
    """What `vidreid calibrate` prints; with a ``check`` what labels say of it."""
    return [*_operating_point(found), "", *_curve(found), "", *_sources(found), *(_checked(check) if check else ())]


def _operating_point(found: Calibrated) -> Iterator[str]:
    expected = found.expected
    yield f"threshold            {found.threshold:.3f}: sightings this alike are put together"
    yield f"promised             {share(found.promise)} of the pairs put together are wrong (--wrong-pairs)"
    if "wrong_share" in expected:
        pairs = f" of {expected['pairs'].value:.0f} pairs" if "pairs" in expected else ""
        yield f"expected             {percent(expected['wrong_share'])}{pairs}"
    for name, what in (("mixed", "people here are two"), ("split", "people are here as two")):
        if name in expected:
            yield f"expected {name:<12}{_number(expected[name])} {what}"
    if "false_match_rate" in expected:
        yield f"false-match rate     {rate(expected['false_match_rate'])} a comparison of two people"


def rate(found: Chance) -> str:
    """A rate with its interval, of as many digits as it needs; nothing seen is an upper bound.

    >>> rate(Chance(0.0, 0.0, 0.00093)), rate(Chance(0.00021, 0.0001, 0.0004))
    ('under 0.00093', '0.00021 (0.0001 to 0.0004)')
    """
    if found.value <= 0 or found.low <= 0:
        return f"under {found.high:.2g}"
    return f"{found.value:.2g} ({found.low:.2g} to {found.high:.2g})"


def _number(found: Chance) -> str:
    ends = f" ({found.low:.0f} to {found.high:.0f})" if found.low < found.high else ""
    return (f"{found.value:.1f}" if found.value >= 1 else "under 1") + ends


def _curve(found: Calibrated) -> Iterator[str]:
    yield "likeness  one person"
    for likeness in _spread(found):
        mark = "  <- threshold" if likeness == found.threshold else ""
        yield f"{likeness:>8.2f}  {percent(found.curve.at(likeness))}{mark}"


def _spread(found: Calibrated) -> list[float]:
    """Likenesses from where the curve leaves its low end to where it reaches its high one, and the threshold."""
    low, high = found.curve.probability[0], found.curve.probability[-1]
    within = found.curve.likeness[
        (found.curve.probability > low + 0.02 * (high - low)) & (found.curve.probability < high - 0.02 * (high - low))
    ]
    first, last = (float(within[0]), float(within[-1])) if len(within) else (0.0, 1.0)
    steps = [round(first + (last - first) * step / (SHOWN - 1), 2) for step in range(SHOWN)]
    return sorted({*steps, found.threshold})


def _sources(found: Calibrated) -> Iterator[str]:
    sources = found.sources
    yield f"made from            {sources['card'] or 'no card'}"
    yield f"  certain impostors  {sources['impostors']} pairs together in one camera"
    yield f"  certain genuine    {sources['genuine']} pairs of halves and seams"
    yield f"  reviewed           {sources['reviewed']} pairs decided by a person"
    yield from (f"note: {note}" for note in found.notes)


def _checked(check: Check) -> Iterator[str]:
    yield ""
    yield f"checked on {check.sightings} labelled sightings of {check.people} people"
    if check.achieved is None:
        yield "achieved             no pair of labelled sightings was put together"
    else:
        yield f"achieved             {percent(check.achieved)} of {check.pairs} pairs are wrong ({check.wrong})"
        yield f"promised             {share(check.promised)}: {_kept(check)}"
    yield f"{'predicted':<14}{'one person in truth':<26}pairs"
    for each in check.bins:
        span = f"{100 * each.low:g} to {100 * each.high:g} %"
        yield f"{span:<14}{percent(each.observed):<26}{each.pairs}"


def _kept(check: Check) -> str:
    if check.achieved is None or check.achieved.low <= check.promised <= check.achieved.high:
        return "the labels do not contradict it"
    return "more are wrong" if check.achieved.low > check.promised else "fewer are wrong"


def write_calibration(path: Path, found: Calibrated, check: Check | None = None) -> None:
    """Plot pairs by likeness above the curve, as PNG, SVG or PDF by the name's ending; equal input, equal bytes."""
    check_format(path)
    figure = new_figure(8, 7)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.2))
    _draw_histograms(top, found)
    _draw_curve(bottom, found, check)
    for axes in (top, bottom):
        name = f"threshold: {found.threshold:.2f}"
        axes.axvline(found.threshold, color=WARN, linewidth=1.2, linestyle="--", label=name)
        axes.grid(alpha=0.25)
        axes.legend(fontsize=8)
    write_figure(path, figure)


def _draw_histograms(axes: Axes, found: Calibrated) -> None:
    kinds = found.histograms
    edges = kinds.edges
    if kinds.pairs.sum():
        axes.stairs(kinds.pairs, edges, fill=True, color=PAIRS, label=f"across cameras: {kinds.pairs.sum():.0f}")
    for counts, colour, name in (
        (kinds.impostors, IMPOSTORS, "certainly two people"),
        (kinds.genuine, GENUINE, "certainly one person"),
    ):
        if counts.sum():
            axes.stairs(counts, edges, color=colour, linewidth=1.8, label=f"{name}: {counts.sum():.0f}")
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("pairs (log)")
    axes.set_title(f"Made from {found.sources['card'] or 'no card'}; {_counts(found)}", fontsize=10)


def _counts(found: Calibrated) -> str:
    return ", ".join(f"{found.sources[name]} {name}" for name in ("impostors", "genuine", "reviewed"))


def _draw_curve(axes: Axes, found: Calibrated, check: Check | None) -> None:
    curve = found.curve
    axes.fill_between(curve.likeness, 100 * curve.low, 100 * curve.high, color=CURVE, alpha=0.2, linewidth=0)
    axes.plot(curve.likeness, 100 * curve.probability, color=CURVE, linewidth=2, label="probability, 95 % interval")
    if check:
        _draw_observed(axes, check)
    axes.set(xlabel="likeness (cosine)", ylabel="one person (%)", ylim=(-3, 103))


def _draw_observed(axes: Axes, check: Check) -> None:
    """What labels say of the pairs of each bin, at their mean likeness."""
    observed: Sequence[Chance] = [each.observed for each in check.bins]
    middle = [100 * each.value for each in observed]
    below, above = ([100 * abs(each.value - getattr(each, end)) for each in observed] for end in ("low", "high"))
    axes.errorbar(
        [each.likeness for each in check.bins],
        middle,
        yerr=[below, above],
        fmt="o",
        color=GENUINE,
        markersize=4,
        capsize=2,
        label="labelled pairs",
    )
