"""``people.html``: who was seen, in one page that works offline, the doubtful ones first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any

import cv2

from vidreid.pipeline.calibrated import Chance, calibration_of
from vidreid.pipeline.links import LOOKS, Held, held_people
from vidreid.pipeline.moments import localised
from vidreid.pipeline.results import Run
from vidreid.store.folder import RunFolder
from vidreid.store.parts import write_atomic
from vidreid.views.certainty import above_even, expected_people, likely, percent, share
from vidreid.views.coverage import note
from vidreid.views.drawing import from_jpeg, resized
from vidreid.views.page import Axis, Head, Moment, Person, Picture, Strip, render

Row = Mapping[str, Any]
DOUBTFUL = 0.2  # chance of a sighting in the wrong place
MOST_PEOPLE = 500
MOST_PICTURES = 12  # a person
HEIGHT = 160  # of a picture, pixels
QUALITY = 72  # of its JPEG: a page of 300 people stays under 15 MB


def write_people(run: Run, path: Path) -> None:
    """Write the page of people: doubtful ones, then those seen in several cameras, then the rest.

    Of more than `MOST_PEOPLE` the first in this order are shown, and the page says so. The same run gives the same
    bytes.
    """
    rows = [localised(row, run.zone) for row in run.tracklets().to_pylist()]
    tracklets: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        tracklets[row["identity"]].append(row)
    held = held_people(run)
    known = [localised(row, run.zone) for row in run.identities().to_pylist()]
    everyone = sorted(known, key=lambda who: _order(who, held[who["identity"]].doubt))
    shown = everyone[:MOST_PEOPLE]
    chosen = {row["tracklet"] for who in shown for row in _spread(tracklets[who["identity"]])}
    pictures = _pictures(run, chosen)
    axis = _axis(rows, run.zone)
    people = [_person(who, tracklets[who["identity"]], held[who["identity"]], pictures, axis) for who in shown]
    groups = {
        "Doubtful": [p for p in people if p.doubtful],
        "Seen in several cameras": [p for p in people if not p.doubtful and len(p.strips) > 1],
        "Seen in one camera": [p for p in people if not p.doubtful and len(p.strips) == 1],
    }
    text = render(_head(run), run.cameras, groups, axis, left_out=len(everyone) - len(shown))
    write_atomic(path, lambda file: file.write(text.encode()) and None)


def renew_people(run: Run) -> None:
    """Write the page into the run's own folder; another process that matches the run now will, after that."""
    folder = RunFolder(run.path)
    if not folder.is_matched_now():
        with folder.matching(lambda line: None):
            write_people(run, folder.people)


def _head(run: Run) -> Head:
    found, summary, covers = calibration_of(run), run.summary(), note(run)
    if covers is not None:
        summary = replace(summary, covered=covers.removeprefix("covers "))
    alone = summary.people > 0 and found.threshold is None
    return Head(
        summary,
        expected="" if found.threshold is None else expected_people(found.expected),
        alarm="Nobody could be put together: every sighting stands alone, and one person may be here many times."
        if alone
        else "",
        notes=[*summary.notes, *found.notes],
    )


def _order(who: Row, doubt: float) -> tuple[bool, bool, float, str]:
    return doubt < DOUBTFUL, len(who["cameras"]) < 2, -doubt, who["identity"]


def _spread(tracklets: Sequence[Row]) -> list[Row]:
    """At most `MOST_PICTURES` of a person's tracklets, the tallest of each camera in turn; always the least certain."""
    cameras: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(tracklets, key=lambda row: (-(row["height"] or 0), row["tracklet"])):
        cameras[row["camera"]].append(row)
    turns = chain.from_iterable(zip_longest(*(cameras[name] for name in sorted(cameras))))
    least = _least_certain(tracklets)
    others = (row for row in turns if row is not None and row is not least)
    return [*([least] if least else []), *islice(others, MOST_PICTURES - (least is not None))]


def _least_certain(tracklets: Iterable[Row]) -> Row | None:
    """The tracklet that is hardly more like the rest of its person than like someone else; None where all are alone."""
    compared = [row for row in tracklets if row["similarity"] is not None and row["nearest_similarity"] is not None]
    return min(compared, key=lambda row: row["similarity"] - row["nearest_similarity"], default=None)


def _pictures(run: Run, tracklets: set[str]) -> dict[str, tuple[bytes, int]]:
    """The best crop of each tracklet as a JPEG `HEIGHT` pixels high, and its width."""
    if not tracklets:
        return {}
    crops = run.crops(sorted(tracklets), best=1)
    return {row["tracklet"]: _thumbnail(row["jpeg"]) for row in crops.select(["tracklet", "jpeg"]).to_pylist()}


def _thumbnail(jpeg: bytes) -> tuple[bytes, int]:
    image = from_jpeg(jpeg)
    width = max(1, round(image.shape[1] * HEIGHT / image.shape[0]))
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    _, small = cv2.imencode(".jpg", resized(image, width, HEIGHT)[..., ::-1], options)
    return small.tobytes(), width


def _axis(tracklets: Sequence[Row], zone: tzinfo) -> Axis:
    """From the first to the last tracklet: by the clock where all clocks are known, else since each camera's start."""
    known = all(row["start"] is not None for row in tracklets)
    moments = [_moment(row, end) for row in tracklets for end in ("start", "end")]
    return Axis.over(moments, by_clock=known, zone=zone)


def _person(
    who: Row, tracklets: Sequence[Row], held: Held, pictures: Mapping[str, tuple[bytes, int]], axis: Axis
) -> Person:
    least = _least_certain(tracklets)
    nearest = (least or tracklets[0])["nearest"]
    shown = [row for row in _in_time(tracklets, axis) if row["tracklet"] in pictures]
    return Person(
        identity=who["identity"],
        doubt=f"{share(held.doubt)} that a sighting is in the wrong place",
        doubtful=held.doubt >= DOUBTFUL,
        sure=_sure(held, nearest, len(tracklets)),
        reason=_reason(tracklets, held),
        nearest=nearest,
        pictures=[
            Picture(row["camera"], row["tracklet"], _moment(row, "start"), *pictures[row["tracklet"]], row is least)
            for row in shown
        ],
        strips=[_strip(name, tracklets, axis) for name in sorted({row["camera"] for row in tracklets})],
        sightings=len(tracklets),
        first=None if who["start"] is None else Moment(who["start"], 0.0),
        last=None if who["end"] is None else Moment(who["end"], 0.0),
    )


def _strip(camera: str, tracklets: Sequence[Row], axis: Axis) -> Strip:
    own = _in_time([row for row in tracklets if row["camera"] == camera], axis)
    spans = [(_moment(row, "start"), _moment(row, "end")) for row in own]
    return Strip(camera, spans)


def _in_time(tracklets: Iterable[Row], axis: Axis) -> list[Row]:
    return sorted(tracklets, key=lambda row: (axis.seconds(_moment(row, "start")), row["tracklet"]))


def _moment(row: Row, end: str) -> Moment:
    return Moment(row[end], row[f"{end}_s"])


def _sure(held: Held, nearest: str | None, sightings: int) -> str:
    """How sure it is that each of these sightings is in its place."""
    if sightings > 1:
        return f"rightly together: {likely(held.sure)}, {percent(held.sure)}"
    if held.doubt < DOUBTFUL:
        return "seen once"
    return f"seen once, {percent(Chance.around(held.doubt))} that it is {nearest}"


def _reason(tracklets: Sequence[Row], held: Held) -> str:
    """What holds a person together, and apart from the nearest other one, in words."""
    found = []
    if held.weakest:
        link = held.weakest
        why = "" if link.reason == LOOKS else f" ({link.reason})"
        pair = f"{link.first} and {link.second}"
        found.append(f"Weakest link: {pair}, likeness {above_even(link.likeness)}, {percent(link.chance)}{why}")
    row = _least_certain(tracklets) or tracklets[0]
    if row["nearest_similarity"] is None:
        found.append("Nobody else to compare with")
    else:
        apart = held.apart.get(row["nearest"])
        why = f" ({apart.reason})" if apart and apart.reason != LOOKS else ""
        found.append(f"Kept apart from {row['nearest']}{why}, mean likeness {above_even(row['nearest_similarity'])}")
        if row["similarity"] is not None:
            found[-1] += f" to {row['tracklet']}, whose own is {above_even(row['similarity'])}"
    return ". ".join(found)
