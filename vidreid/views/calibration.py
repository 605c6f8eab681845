"""What a likeness means in a run: the curves, what they were made from, and what the operating point promises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidreid.evaluation.reliability import Bin, Check
from vidreid.pipeline.calibrated import Calibrated, Chance, Meaning
from vidreid.types import Array
from vidreid.views.certainty import above_even, percent, rate, share
from vidreid.views.figures import new_figure, write_figure
from vidreid.views.ranking import check_format

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)  # likenesses in the table
BELOW, BEYOND = -2.5, 5.0  # likenesses that a plot shows at most
WHERE = {"same": "in one camera", "cross": "in two cameras"}
STRANGERS, GENUINE, IMPOSTORS, CURVE, WARN = "#b9bec8", "#86c5a0", "#c2410c", "#1f5fa8", "#111827"


def lines(found: Calibrated, check: Check | None = None) -> list[str]:
    """What `vidreid calibrate` prints; with a ``check`` what labels say of it."""
    return [*_operating_point(found), "", *_curves(found), "", *_sources(found), *(_checked(check) if check else ())]


def _operating_point(found: Calibrated) -> Iterator[str]:
    expected = found.expected
    yield f"{'promised':<21}{share(found.promise)} of the pairs put together are wrong (--wrong-pairs)"
    if found.threshold is None:
        yield f"{'put together':<21}nobody: no pair is sure enough"
        return
    yield f"{'put together':<21}groups whose mean likeness is {above_even(found.threshold)} or more"
    yield f"{'expected':<21}{percent(expected['wrong_share'])} of {expected['pairs'].value:.0f} pairs are wrong"
    yield f"{'expected mixed':<21}{_number(expected['mixed'])} people here are two"
    yield f"{'expected split':<21}{_number(expected['split'])} people are here as two"
    yield f"{'false-match rate':<21}{rate(expected['false_match_rate'])} a comparison of two people"


def _number(found: Chance) -> str:
    if found.high < 1:
        return "under 1"
    return f"{found.value:.1f} ({found.low:.1f} to {found.high:.1f})"


def _curves(found: Calibrated) -> Iterator[str]:
    """The chances at a few likenesses, a column a kind of pairs."""
    shown = found.shown()
    threshold = [] if found.threshold is None else [found.threshold]
    yield f"{'likeness':<21}" + "".join(f"{'one person, ' + WHERE[kind]:<30}" for kind in shown).rstrip()
    for likeness in sorted({*SHOWN, *threshold}):
        chances = "".join(f"{percent(curve.at(likeness)):<30}" for curve in shown.values()).rstrip()
        mark = "  <- put together from here on" if likeness in threshold else ""
        yield f"{above_even(likeness):<21}{chances}{mark}"


def _sources(found: Calibrated) -> Iterator[str]:
    sources = found.sources
    people = f"{sources['people']} held-out people" if sources["people"] else "no people: nobody measured this network"
    yield f"{'made from':<21}the card of {sources['card']}, of {people}"
    yield f"{'  certain impostors':<21}{sources['impostors']} pairs together in one camera"
    yield f"{'  certain genuine':<21}{sources['genuine']} pairs of halves of a sighting"
    yield f"{'  reviewed':<21}{sources['reviewed']} pairs decided by a person"
    yield from (f"note: {note}" for note in found.notes)


def _checked(check: Check) -> Iterator[str]:
    yield ""
    yield f"checked on {check.sightings} labelled sightings of {check.people} people"
    if check.achieved is None:
        yield f"{'achieved':<21}no pair of labelled sightings was put together"
    else:
        yield f"{'achieved':<21}{percent(check.achieved)} of {check.pairs} pairs are wrong ({check.wrong})"
        yield f"{'promised':<21}{share(check.promised)}: {_kept(check)}"
    for kind, bins in check.bins.items():
        if bins:
            yield f"{'predicted':<21}{'one person, ' + WHERE[kind] + ', in truth':<42}pairs"
        for each in bins:
            span = f"{100 * each.low:g} to {100 * each.high:g} %"
            yield f"{span:<21}{percent(each.observed):<42}{each.pairs}"


def _kept(check: Check) -> str:
    if check.achieved is None or check.achieved.low <= check.promised <= check.achieved.high:
        return "the labels do not contradict it"
    return "more are wrong" if check.achieved.low > check.promised else "fewer are wrong"


def write_calibration(path: Path, found: Calibrated, check: Check | None = None) -> None:
    """Plot pairs by likeness above their curve, a column a kind of pairs, as PNG, SVG or PDF by the name's ending;
    equal input, equal bytes."""
    check_format(path)
    shown = found.shown()
    figure = new_figure(2 + 6 * len(shown), 7)
    columns = figure.subplots(2, len(shown), sharex="col", height_ratios=(1, 1.2), squeeze=False).T
    for (top, bottom), (kind, curve) in zip(columns, shown.items(), strict=True):
        top.set_title(f"Pairs {WHERE[kind]}", fontsize=11)
        _draw_pairs(top, curve)
        _draw_curve(bottom, curve, check.bins[kind] if check else ())
        for axes, corner in ((top, "upper left"), (bottom, "lower right")):
            if found.threshold is not None:
                axes.axvline(found.threshold, color=WARN, linewidth=1.2, linestyle="--", label="put together from here")
            axes.grid(alpha=0.25)
            axes.legend(fontsize=8, loc=corner)
        top.set_ylabel("pairs (log)")
        bottom.set(xlabel="likeness (0: even odds)", ylabel="one person (%)", xlim=_span(curve, found.threshold))
    figure.suptitle(_title(found), fontsize=10)
    write_figure(path, figure)


def _title(found: Calibrated) -> str:
    counts = ", ".join(f"{found.sources[name]} {name}" for name in ("impostors", "genuine", "reviewed"))
    return f"Made from the card of {found.sources['card']} ({found.sources['people']} people), {counts}"


def _span(curve: Meaning, threshold: float | None) -> tuple[float, float]:
    """The likenesses that have pairs, as far as a plot goes, and the threshold among them."""
    found = [*curve.likeness[curve.pairs > 0], -1.0, 1.0, threshold or 0.0]
    return max(BELOW, min(found) - 0.25), min(max(BEYOND, (threshold or 0.0) + 0.5), max(found) + 0.25)


def _draw_pairs(axes: Axes, curve: Meaning) -> None:
    """All pairs; those that are held to be of one person below, so that the rest of a bar are strangers."""
    edges = _edges(curve.likeness)
    axes.stairs(curve.pairs, edges, fill=True, color=STRANGERS, label=f"all pairs: {curve.pairs.sum():.0f}")
    name = f"one person, estimated: {curve.genuine.sum():.0f}"
    axes.stairs(curve.genuine, edges, fill=True, color=GENUINE, alpha=0.75, label=name)
    if curve.impostors.any():
        name = f"surely two people: {curve.impostors.sum():.0f}"
        axes.stairs(curve.impostors, edges, color=IMPOSTORS, linewidth=1.8, label=name)
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(0, max(10.0, 8 * curve.pairs.max()))  # room for the legend
    axes.yaxis.set_major_formatter("{x:g}")


def _edges(likeness: Array) -> Array:
    middle = (likeness[:-1] + likeness[1:]) / 2
    return np.concatenate([[2 * likeness[0] - middle[0]], middle, [2 * likeness[-1] - middle[-1]]])


def _draw_curve(axes: Axes, curve: Meaning, bins: Sequence[Bin]) -> None:
    chances = [curve.at(likeness) for likeness in curve.likeness.tolist()]
    low, value, high = ([100 * getattr(each, end) for each in chances] for end in ("low", "value", "high"))
    axes.fill_between(curve.likeness, low, high, color=CURVE, alpha=0.2, linewidth=0)
    axes.plot(curve.likeness, value, color=CURVE, linewidth=2, label="chance; band: half or twice as many strangers")
    if bins:
        _draw_observed(axes, bins)
    axes.set(ylim=(-3, 103))


def _draw_observed(axes: Axes, bins: Sequence[Bin]) -> None:
    """What labels say of the pairs of each bin, at their mean likeness."""
    middle = [100 * each.observed.value for each in bins]
    below, above = (
        [100 * abs(each.observed.value - getattr(each.observed, end)) for each in bins] for end in ("low", "high")
    )
    axes.errorbar(
        [each.likeness for each in bins],
        middle,
        yerr=[below, above],
        fmt="o",
        color="#15803d",
        markersize=4,
        capsize=2,
        label="labelled pairs",
    )
