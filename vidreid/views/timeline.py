"""Identities over time and cameras: a line an identity, a bar a tracklet, and beside them who they truly are."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidreid.evaluation.run import Followed
from vidreid.evaluation.sightings import NOBODY, THING
from vidreid.footage.zones import at, microseconds, offset, since_start
from vidreid.pipeline.results import Run
from vidreid.views.drawing import colour_of
from vidreid.views.figures import new_figure, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito, Color Universal Design, 2008: the colour-blind tell them apart too.
CAMERAS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A900", "#555555")
PALE = 0.45  # of cameras beyond those, which take the colours again
INK, SOFT, FAINT, BAND, WRONG, DIVIDED = "#28282c", "#77777f", "#e2e2e6", "#f4f4f6", "#c62828", "#b06a00"
MOST = 150  # identities that one picture can show
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
TICKS = 8
LEGEND = 10  # cameras in a line
THIN = 0.6  # height of a line of labels, where an identity's is 1


@dataclass(frozen=True, slots=True)
class Bar:
    """Someone in view of a camera from ``start`` to ``end``, seconds; ``person`` as `Followed` has it."""

    camera: str
    start: float
    end: float
    person: int | None = None


@dataclass(frozen=True)
class Timeline:
    """Bars by identity, and those of the labels by person where there are any.

    Seconds count from ``day``, a midnight of ``zone`` in UTC microseconds, or from each camera's first frame where a
    clock is unknown.
    """

    cameras: Sequence[str]
    identities: Mapping[str, Sequence[Bar]]
    people: Mapping[int, Sequence[Bar]]
    day: int | None = None
    zone: tzinfo = UTC


@dataclass(frozen=True)
class Line:
    """What stands in a line, and what is said beside it, in which colour.

    ``person`` of the labels, None of an identity; ``first`` of those that belong together.
    """

    name: str
    bars: Sequence[Bar]
    remark: str = ""
    ink: str = INK
    person: int | None = None
    first: bool = True

    @property
    def height(self) -> float:
        return 1.0 if self.person is None else THIN


def timeline_of(run: Run, truth: Followed | None = None) -> Timeline:
    """The identities of a run, with the labels where they are given."""
    cameras = tuple(camera for camera in run.cameras if run.files(camera))
    times = {camera: run.timeline(camera) for camera in cameras}
    starts = [times[camera].utc(np.zeros(1, np.int64)) for camera in cameras]
    known = [int(start[0]) for start in starts if start is not None]
    day = midnight(min(known), run.zone) if known and len(known) == len(cameras) else None

    def bar(camera: str, first: int, last: int, person: int | None) -> Bar:
        ends = np.array([first, last])
        utc = times[camera].utc(ends)
        start, end = times[camera].elapsed(ends) if day is None or utc is None else (utc - day) / 1e6
        return Bar(camera, float(start), float(end), person)

    identities: dict[str, list[Bar]] = defaultdict(list)
    people: dict[int, list[Bar]] = defaultdict(list)
    for row in run.tracklets().select(["tracklet", "identity", "camera", "first", "last"]).to_pylist():
        if row["identity"] is not None:
            person = truth.people.get(row["tracklet"]) if truth else None
            identities[row["identity"]].append(bar(row["camera"], row["first"], row["last"], person))
    frames = {camera: sum(len(file.pts) for file in run.files(camera)) for camera in cameras}
    for span in truth.spans if truth else ():
        if span.first < frames.get(span.camera, 0):
            last = min(span.last, frames[span.camera] - 1)
            people[span.person].append(bar(span.camera, span.first, last, span.person))
    return Timeline(cameras, identities, people, day, run.zone)


def midnight(utc_us: int, zone: tzinfo) -> int:
    """The beginning of a moment's day in a zone, UTC microseconds."""
    day = at(utc_us, zone).date()
    return microseconds(datetime.combine(day, time(), zone))


def lines_of(timeline: Timeline) -> list[Line]:
    """The lines from top to bottom, of at most `MOST` identities, those that are seen longest.

    Without labels in order of time. With labels each person, then the identities that are mostly this person.
    """
    longest = sorted(timeline.identities.items(), key=lambda item: (-_seconds(item[1]), item[0]))[:MOST]
    shown = sorted(longest, key=lambda item: (_start(item[1]), item[0]))
    if not timeline.people:
        return [Line(name, bars) for name, bars in shown]
    mostly: dict[int | None, list[Line]] = defaultdict(list)
    for name, bars in shown:
        mostly[_main(bars)].append(_judged(name, bars))
    lines: list[Line] = []
    for person, bars in sorted(timeline.people.items(), key=lambda item: (_start(item[1]), item[0])):
        holding = [name for name, others in shown if any(bar.person == person for bar in others)]
        remark = f"split: {', '.join(holding)}" if len(holding) > 1 else "" if holding else "not found"
        lines += [
            Line(f"person {person}", bars, remark, DIVIDED, person),
            *(replace(line, first=False) for line in mostly.pop(person, [])),
        ]
    return lines + [line for left in mostly.values() for line in left]


def _judged(name: str, bars: Sequence[Bar]) -> Line:
    """The line of an identity beside labels."""
    held = [f"person {person}" for person in sorted({bar.person for bar in bars if bar.person and bar.person > 0})]
    labelled = bool(held)
    held += ["no person"] * len({(bar.camera, bar.person) for bar in bars if bar.person and bar.person <= THING})
    strangers = sum(bar.person == NOBODY for bar in bars)
    if len(held) + strangers > 1:
        held += [f"{strangers} without label"] if strangers else []
        return Line(name, bars, f"mixed: {', '.join(held)}", WRONG)
    return Line(name, bars, "" if labelled else held[0] if held else "no label", SOFT)


def _main(bars: Sequence[Bar]) -> int | None:
    """The person of most of the time of these bars."""
    time: Counter[int] = Counter()
    for bar in bars:
        if bar.person and bar.person > 0:
            time[bar.person] += math.ceil(1e6 * (bar.end - bar.start)) + 1
    return max(time, key=lambda person: (time[person], -person)) if time else None


def _start(bars: Iterable[Bar]) -> float:
    return min(bar.start for bar in bars)


def _seconds(bars: Iterable[Bar]) -> float:
    return sum(bar.end - bar.start for bar in bars)


def write_timeline(path: Path, timeline: Timeline) -> None:
    """Draw a timeline as SVG, PNG or PDF, by the name's ending; equal timelines, equal bytes.

    A person of the labels stands in a thin line of its colour, and every tracklet is underlined in the colour of the
    person whom it follows. What an identity holds too much, or a person too often, is said beside it.
    """
    lines = lines_of(timeline)
    total = max(3.0, sum(line.height for line in lines))
    inch = min(0.3, max(0.13, 16 / total))  # height of a line
    figure = new_figure(11, 1.2 + 0.2 * (len(timeline.cameras) // LEGEND + 1) + inch * total)
    axes = figure.add_subplot()
    _frame(axes, timeline, lines)
    _draw(axes, timeline.cameras, lines, size=min(9.0, 50 * inch))
    axes.set_ylim(total, 0)
    shown = sum(line.person is None for line in lines)
    everybody = len(timeline.identities)
    what = f"{everybody} identities" if shown == everybody else f"{shown} of {everybody} identities, seen longest"
    sightings = sum(len(bars) for bars in timeline.identities.values())
    cameras = "1 camera" if len(timeline.cameras) == 1 else f"{len(timeline.cameras)} cameras"
    axes.set_title(f"{what}, {sightings} sightings, {cameras}", loc="left", fontsize=10, color=INK)
    _legend(figure, timeline.cameras)
    write_figure(path, figure)


def _frame(axes: Axes, timeline: Timeline, lines: Sequence[Line]) -> None:
    """The axis of time."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    bars = [bar for line in lines for bar in line.bars] or [Bar("", 0.0, 1.0)]
    start, end = _start(bars), max(bar.end for bar in bars)
    length = max(end - start, 1.0)
    axes.set_xlim(start - 0.01 * length, start + 1.01 * length)
    step = next((step for step in STEPS if length <= TICKS * step), STEPS[-1] * math.ceil(length / STEPS[-1] / TICKS))
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: _clock(timeline, seconds, length)))
    by_clock = "time (UTC)" if timeline.zone is UTC else f"time ({timeline.zone}), and UTC"
    axes.set_xlabel("time since each camera's first frame" if timeline.day is None else by_clock, color=INK)
    axes.tick_params(axis="x", colors=INK, labelsize=8)
    axes.grid(axis="x", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _clock(timeline: Timeline, seconds: float, length: float) -> str:
    """A moment as its tick says it, UTC below."""
    if timeline.day is None:
        return since_start(seconds) if seconds >= 0 else ""
    moment = at(timeline.day + round(seconds * 1e6), timeline.zone)
    form = "%H:%M:%S" if length < 12 * 3600 else "%Y-%m-%d\n%H:%M"
    if timeline.zone is UTC:
        return moment.strftime(form)
    return f"{moment.strftime(form)} {offset(moment)}\n{moment.astimezone(UTC):%H:%M:%S} UTC"


def _draw(axes: Axes, cameras: Sequence[str], lines: Sequence[Line], *, size: float) -> None:
    """The lines from the top, names at their left and remarks at their right."""
    top, middles, dark = 0.0, [], False
    for line in lines:
        dark ^= line.first
        if dark:
            axes.axhspan(top, top + line.height, color=BAND, zorder=0, linewidth=0)
        middles.append(top + line.height / 2)
        if line.person is not None:
            _bars(axes, line.bars, top + 0.3 * THIN, 0.6 * THIN, [_hue(line.person)] * len(line.bars))
        else:
            _sightings(axes, cameras, line.bars, top)
        axes.text(
            1.005,
            middles[-1],
            line.remark,
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=size,
            color=line.ink,
        )
        top += line.height
    axes.set_yticks(middles, [line.name for line in lines], fontsize=size)
    for label, line in zip(axes.get_yticklabels(), lines, strict=True):
        label.set_color(INK if line.person is None else SOFT)
    axes.tick_params(axis="y", length=0)


def _sightings(axes: Axes, cameras: Sequence[str], bars: Sequence[Bar], top: float) -> None:
    """An identity's tracklets: those of one time below each other, coloured by camera, underlined by person."""
    lanes = _lanes(bars)
    count = max(lanes, default=0) + 1
    high = 0.84 / count
    for lane in range(count):
        mine = [bar for bar, place in zip(bars, lanes, strict=True) if place == lane]
        begin = top + 0.08 + lane * high
        _bars(axes, mine, begin, high * 0.92, [camera_colour(cameras.index(bar.camera)) for bar in mine])
        known = [(bar, bar.person) for bar in mine if bar.person and bar.person > 0]
        hues = [_hue(person) for _, person in known]
        _bars(axes, [bar for bar, _ in known], begin + high * 0.64, high * 0.28, hues)


def _lanes(bars: Sequence[Bar]) -> list[int]:
    """The lane of each bar, as few as keep bars of one time apart."""
    free: list[float] = []
    lanes = [0] * len(bars)
    for number in sorted(range(len(bars)), key=lambda number: bars[number].start):
        lane = next((lane for lane, end in enumerate(free) if end <= bars[number].start), len(free))
        free[lane : lane + 1] = [bars[number].end]
        lanes[number] = lane
    return lanes


def _bars(axes: Axes, bars: Sequence[Bar], bottom: float, height: float, colours: Sequence[str]) -> None:
    # The edge keeps a sighting of a second visible in an hour.
    spans = [(bar.start, bar.end - bar.start) for bar in bars]
    axes.broken_barh(spans, (bottom, height), facecolors=colours, edgecolors=colours, linewidth=0.6)


def camera_colour(number: int) -> str:
    """The colour of a run's camera by its place."""
    red, green, blue = (int(CAMERAS[number % len(CAMERAS)][at : at + 2], 16) for at in (1, 3, 5))
    share = PALE if number >= len(CAMERAS) else 0.0
    return "#" + "".join(f"{round(part + (255 - part) * share):02x}" for part in (red, green, blue))


def _hue(person: int) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour_of(f"P{person:04d}"))


def _legend(figure: Figure, cameras: Sequence[str]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=camera_colour(number), label=name) for number, name in enumerate(cameras)]
    columns = min(LEGEND, max(1, len(handles)))
    figure.legend(handles=handles, loc="outside upper left", ncols=columns, frameon=False, fontsize=8)
