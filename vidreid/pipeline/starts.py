"""When each file of a camera starts: from its name, else from its container, else nobody knows."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

from vidreid.footage.header import FileHeader
from vidreid.footage.recorders import FileName
from vidreid.footage.zones import DAY, instants
from vidreid.pipeline.ingest import SLACK

APART = timedelta(minutes=1)  # by which a recorder's name for a file and the clock in its frames may differ


@dataclass(frozen=True, slots=True)
class Start:
    """When a file starts and ends, where that is from, and what else should be known of it.

    ``time`` is None where nobody knows it, ``end`` where the file does not say how long it lasts; both in the site's
    zone.
    """

    time: datetime | None
    end: datetime | None
    source: Literal["file name", "container", "unknown"]
    remarks: tuple[str, ...] = ()


UNKNOWN = Start(None, None, "unknown")


def clash(earlier: Start, later: Start) -> bool:
    """Whether a file starts before an earlier one ends, by more than rounding, or when that one starts."""
    if earlier.time is None or later.time is None:
        return False
    # Python compares times of one zone by what its clocks show, which come twice when they are put back.
    start = later.time.timestamp()
    return start == earlier.time.timestamp() or (earlier.end is not None and earlier.end.timestamp() - start > SLACK)


def place(files: Sequence[tuple[FileName, FileHeader]], zone: tzinfo) -> list[tuple[int, Start]]:
    """Positions of a camera's files in order of time, each with its start; those without one come last, as given.

    A local time that came twice, when clocks were put back, is the first of the two unless another file has that
    time. Containers' times are used only where they contradict neither each other nor a name: those of many exports
    are the times of copies.
    """
    named = {number: file for number, file in enumerate(files) if file[0].start is not None}
    stamped = {number: file for number, file in enumerate(files) if number not in named and file[1].made is not None}
    by_name = _in_turn(named, zone, {})
    starts = _in_turn(stamped, zone, by_name)
    if _clashes(starts) > _clashes(by_name):
        remark = "its container's time contradicts another file's and is not used"
        starts = by_name | dict.fromkeys(stamped, replace(UNKNOWN, remarks=(remark,)))
    known = sorted(
        (number for number, start in starts.items() if start.time), key=lambda number: _order(starts[number])
    )
    others = [number for number in range(len(files)) if starts.get(number, UNKNOWN).time is None]
    return [(number, starts.get(number, UNKNOWN)) for number in [*known, *others]]


def _clashes(starts: Mapping[int, Start]) -> int:
    return sum(clash(*pair) for pair in itertools.pairwise(_by_time(starts.values())))


def _order(start: Start) -> datetime:
    assert start.time is not None
    return start.time.astimezone(UTC)


def _by_time(starts: Iterable[Start]) -> list[Start]:
    return sorted((start for start in starts if start.time is not None), key=_order)


def _in_turn(files: dict[int, tuple[FileName, FileHeader]], zone: tzinfo, before: dict[int, Start]) -> dict[int, Start]:
    """The starts ``before`` and those of these files, one after the other in order of the clock on the wall."""
    starts = dict(before)
    shown = {number: name.start or header.made for number, (name, header) in files.items()}
    order = sorted(files, key=lambda number: (_wall(shown[number], zone), number))
    for number in order:
        time = shown[number]
        assert time is not None
        starts[number] = _start(*files[number], time, zone, starts.values())
    return starts


def _wall(time: datetime | None, zone: tzinfo) -> datetime:
    assert time is not None
    return time if time.tzinfo is None else time.astimezone(zone).replace(tzinfo=None)


def _start(name: FileName, header: FileHeader, time: datetime, zone: tzinfo, taken: Iterable[Start]) -> Start:
    """The start of one file, whose name or container shows ``time``; others' times are ``taken``."""
    source: Literal["file name", "container"] = "container" if name.start is None else "file name"
    remarks: list[str] = []
    inner = header.made if source == "file name" else None
    if inner is not None and inner.tzinfo is None and abs(inner - _wall(time, zone)) > APART:
        remarks.append(f"the clock in its frames shows {inner:{DAY}}")
    moments = instants(time, zone)
    if not moments:
        remarks.append("clocks were put forward over this time: does the recorder follow them?")
        moments = (time.replace(tzinfo=zone).astimezone(UTC),)
    choices = [Start(one.astimezone(zone), _end(name, header, one, zone), source) for one in moments]
    chosen = 0
    if len(choices) > 1:
        chosen = _which(choices, name.summer, taken)
        remarks.append(f"clocks were put back: this is the {('first', 'second')[chosen]} time they showed this")
    return replace(choices[chosen], remarks=tuple(remarks))


def _which(choices: Sequence[Start], summer: bool | None, taken: Iterable[Start]) -> int:
    """Which of the two times that a clock showed the same is a file's: 0 or 1."""
    if summer is not None:
        return 0 if summer else 1
    others = _by_time(taken)
    for number, choice in enumerate(choices):
        if not any(clash(*_by_time([other, choice])) for other in others):
            return number
    return 0


def _end(name: FileName, header: FileHeader, start: datetime, zone: tzinfo) -> datetime | None:
    """When a file ends that starts then: as it says or its name does, whichever is sooner."""
    by_header = None if header.seconds is None else start + timedelta(seconds=header.seconds)
    by_name = [end for end in instants(name.end, zone) if end > start] if name.end else []
    if by_header is None:
        return by_name[0].astimezone(zone) if by_name else None
    nearest = min(by_name, key=lambda end: abs(end - by_header), default=by_header)
    return min(by_header, nearest).astimezone(zone)
