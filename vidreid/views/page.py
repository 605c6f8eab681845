"""The HTML of the page of people: everything inline, nothing fetched, every name escaped."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from html import escape
from pathlib import Path

from vidreid.footage.zones import is_utc, offset, said, since_start
from vidreid.pipeline.summary import Summary
from vidreid.views.certainty import EVEN, LEAD
from vidreid.views.drawing import colour_of


@dataclass(frozen=True, slots=True)
class Moment:
    """``time`` in the run's zone, None where the clock is unknown, and seconds since the camera's first frame."""

    time: datetime | None
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Axis:
    """The timeline that all people share: seconds, by the clock or since each camera's start; times of a ``zone``."""

    start: Moment
    end: Moment
    by_clock: bool
    zone: tzinfo = UTC

    @classmethod
    def over(cls, moments: Sequence[Moment], *, by_clock: bool, zone: tzinfo = UTC) -> Axis:
        """From the first to the last of the moments."""
        bare = cls(Moment(None, 0.0), Moment(None, 0.0), by_clock, zone)
        ends = (min(moments, key=bare.seconds), max(moments, key=bare.seconds)) if moments else (bare.start, bare.end)
        return cls(*ends, by_clock, zone)

    def seconds(self, moment: Moment) -> float:
        return moment.time.timestamp() if self.by_clock and moment.time else moment.elapsed_s

    def place(self, moment: Moment) -> float:
        """Where a moment lies, 0..1."""
        first, last = self.seconds(self.start), self.seconds(self.end)
        return (self.seconds(moment) - first) / (last - first) if last > first else 0.0

    @property
    def form(self) -> str:
        """How times are written: without the date where there is only one."""
        times = (self.start.time, self.end.time)
        one_day = times[0] and times[1] and times[0].date() == times[1].date()
        return "%H:%M:%S" if self.by_clock and one_day else "%Y-%m-%d %H:%M:%S"

    @property
    def offsets(self) -> list[str]:
        """How far from UTC its ends are; several where clocks are put forward or back in between."""
        ends = [moment.time for moment in (self.start, self.end) if self.by_clock and moment.time]
        return list(dict.fromkeys(offset(time) for time in ends))

    def html(self, moment: Moment) -> str:
        """A moment in the run's zone, which shows UTC to the pointer; with its offset where there are several."""
        if moment.time is None:
            return escape(since_start(moment.elapsed_s))
        utc = moment.time.astimezone(UTC)
        title = "" if is_utc(moment.time) else f' title="{escape(said(moment.time))}"'
        zone = f" {offset(moment.time)}" if len(self.offsets) != 1 and title else ""
        return f'<time datetime="{utc:%Y-%m-%dT%H:%M:%SZ}"{title}>{moment.time.strftime(self.form)}{zone}</time>'

    def about(self) -> str:
        """What times are those on the page."""
        if not (self.by_clock and self.start.time and self.end.time):
            return "Times with a + count from the start of their camera."
        first, last = self.start.time.date(), self.end.time.date()
        zone = "UTC" if is_utc(self.start.time) else f"local ({self.zone}, UTC{' and '.join(self.offsets)})"
        return f"Times are {zone}, {first}." if first == last else f"Times are {zone}, {first} to {last}."


@dataclass(frozen=True, slots=True)
class Picture:
    """The best crop of a tracklet; ``least`` marks the person's least certain one."""

    camera: str
    tracklet: str
    moment: Moment
    jpeg: bytes
    width: int
    least: bool


@dataclass(frozen=True, slots=True)
class Strip:
    """When a person was seen in a camera: first and last moment of each tracklet, in order of time."""

    camera: str
    spans: Sequence[tuple[Moment, Moment]]


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above all people: what the run found, an ``alarm`` that nobody may miss, and what limits trust."""

    summary: Summary
    expected: str
    alarm: str
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Person:
    """What a card shows."""

    identity: str
    doubt: str
    doubtful: bool
    sure: str
    reason: str
    nearest: str | None
    pictures: Sequence[Picture]
    strips: Sequence[Strip]
    sightings: int
    first: Moment | None
    last: Moment | None


def render(
    head: Head, cameras: Sequence[str], groups: Mapping[str, Sequence[Person]], axis: Axis, left_out: int
) -> str:
    """The whole page."""
    style, script = (Path(__file__).with_name(f"people.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    found = head.summary.people > 0
    body = [_head(head, axis), _filter(cameras) if found else ""]
    body += [_section(title, people, axis) for title, people in groups.items() if people]
    if not found:
        body.append("<h2>No person was found.</h2>")
    if left_out:
        shown = _count(sum(len(people) for people in groups.values()), "person", "people")
        body.append(
            f"<p class=soft>The page shows the first {shown}; {left_out} more, of less doubt and in fewer cameras, "
            "are in the tables of this run.</p>"
        )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>People in the footage</title>
<style>
{style}</style>
</head>
<body>
{"".join(body)}
<script>{script}</script>
</body>
</html>
"""


def _head(head: Head, axis: Axis) -> str:
    summary = head.summary
    numbers = {
        "cameras": f"{summary.cameras}",
        "hours": f"{summary.hours:.1f}" if summary.hours >= 1 else f"{summary.hours:.2f}",
        "sightings (tracklets)": f"{summary.sightings}",
        f"people{f' ({head.expected})' if head.expected else ''}": f"{summary.people}",
        "seen in several cameras": f"{summary.people_in_several}",
    }
    tiles = "".join(f"<div><dd>{value}</dd><dt>{name}</dt></div>" for name, value in numbers.items())
    alarm = f"<p class=alarm role=alert>{escape(head.alarm)}</p>\n" if head.alarm else ""
    notes = "".join(f"<li>{escape(note)}</li>" for note in head.notes)
    limits = f"<div class=notes><strong>What limits trust</strong><ul>{notes}</ul></div>" if notes else ""
    return (
        f"<h1>People in the footage</h1>\n<p class=lead>{LEAD}</p>\n{alarm}"
        f"<dl class=numbers>{tiles}</dl>\n{limits}\n"
        f"<p class=soft>Covers {escape(summary.covered)}. {escape(axis.about())} {EVEN}</p>\n"
    )


def _filter(cameras: Iterable[str]) -> str:
    options = "".join(f'<option value="{escape(name)}">{escape(name)}</option>' for name in cameras)
    return (
        '<div class=filter hidden><input type=search placeholder="Person or sighting" aria-label="Person or sighting">'
        f'<select aria-label="Camera"><option value="">every camera</option>{options}</select>'
        "<label><input type=checkbox> in several cameras</label>"
        "<label><input type=checkbox> times of this computer’s zone</label></div>\n"
    )


def _section(title: str, people: Sequence[Person], axis: Axis) -> str:
    cards = "".join(_card(person, axis) for person in people)
    return f"<section><h2>{title} <span class=soft>{len(people)}</span></h2>\n{cards}</section>\n"


def _card(person: Person, axis: Axis) -> str:
    name = escape(person.identity)
    cameras = [strip.camera for strip in person.strips]
    words = " ".join([person.identity, *(picture.tracklet for picture in person.pictures)]).lower()
    seen = f"{_count(person.sightings, 'sighting')} in {_count(len(cameras), 'camera')}"
    when = f", {_span(person.first, person.last, axis)}" if person.first and person.last else ""
    link = f' <a href="#{escape(person.nearest)}">Compare {escape(person.nearest)}</a>' if person.nearest else ""
    pictures = "".join(_figure(person, picture, axis) for picture in person.pictures)
    red, green, blue = colour_of(person.identity)
    return (
        f'<article class="card{" doubtful" if person.doubtful else ""}" id="{name}" '
        f'style="--who:rgb({red},{green},{blue})" data-cameras="{escape(json.dumps(cameras))}" '
        f'data-words="{escape(words)}">\n'
        f"<header><h3><span class=chip></span>{name}</h3>"
        f'<span class=doubt title="{escape(person.doubt)}">{escape(person.sure)}</span>'
        f"<span>{seen}<span class=when>{when}</span></span></header>\n"
        f"<p class=reason>{escape(person.reason)}.{link}</p>\n"
        f"<div class=pictures>{pictures}</div>\n{_timeline(person, axis)}</article>\n"
    )


def _span(first: Moment, last: Moment, axis: Axis) -> str:
    """From one moment to another, UTC beside it."""
    local = f"{axis.html(first)} to {axis.html(last)}"
    if first.time is None or last.time is None or is_utc(first.time):
        return local
    utc = (time.astimezone(UTC).strftime(axis.form) for time in (first.time, last.time))
    return f"{local} ({' to '.join(utc)} UTC)"


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"


def _figure(person: Person, picture: Picture, axis: Axis) -> str:
    data = base64.b64encode(picture.jpeg).decode()
    mark = ' class=least title="the least certain sighting"' if picture.least and person.doubtful else ""
    camera = escape(picture.camera)
    number = escape(picture.tracklet.removeprefix(f"{picture.camera}/"))
    return (
        f'<figure{mark}><img alt="{escape(person.identity)} in {camera}" width={picture.width} '
        f'height=160 src="data:image/jpeg;base64,{data}"><figcaption><b>{camera}</b>/<wbr>{number}<br>'
        f"{axis.html(picture.moment)}</figcaption></figure>"
    )


def _timeline(person: Person, axis: Axis) -> str:
    rows = "".join(_strip(strip, axis) for strip in person.strips)
    return f"<div class=strips>{rows}</div>"


def _strip(strip: Strip, axis: Axis) -> str:
    bars = []
    for start, end in strip.spans:
        x = 1000 * axis.place(start)
        width = max(4.0, 1000 * axis.place(end) - x)  # a short sighting stays visible
        bars.append(f'<rect x="{min(x, 996):.1f}" width="{width:.1f}" height="10"/>')
    first, last = strip.spans[0][0], max((end for _, end in strip.spans), key=axis.seconds)
    name = escape(strip.camera)
    return (
        f'<span class=name title="{name}">{name}</span>'
        f'<svg viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="{len(strip.spans)} in {name}">'
        f"{''.join(bars)}</svg>"
        f"<span class=when>{axis.html(first)} – {axis.html(last)}</span>\n"
    )
