"""What a result covers, for people to read: ``covers 31 %, 08:00 to 11:20``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo

from vidreid.footage.zones import at, is_utc, offset, since_start
from vidreid.pipeline.coverage import CameraCoverage, Coverage, Span
from vidreid.pipeline.results import Run

MOST = 3  # pieces, and cameras, that one line names
SHORT = timedelta(hours=1)  # under which seconds count


def note(run: Run) -> str | None:
    """What the match of a run covers, where that is not all of its footage."""
    found = run.partial()
    return None if found is None else words(found, run.zone)


def words(coverage: Coverage, zone: tzinfo) -> str:
    """What is covered: the share, when by the clocks, what is missing within, and cameras whose clock is unknown.

    Times are local ones of ``zone``, those of unknown clocks count from the camera's first frame.
    """
    parts = [f"covers {percent(coverage.share)}"]
    if coverage.spans:
        parts.append(clock_times(coverage.spans, zone))
    holes = coverage.holes()
    lacking = [
        f"{one.camera} {times(one, holes[one.camera], zone, coverage.spans)}"
        for one in coverage.cameras
        if one.camera in holes
    ]
    unknown = [f"{one.camera} {times(one, one.spans, zone)}" for one in coverage.cameras if one.spans and not one.known]
    nothing = [one.camera for one in coverage.cameras if not one.spans]
    said = [
        ", ".join(parts),
        *(["clock unknown: " + _few(unknown)] if unknown else []),
        *(["without " + _few(lacking)] if lacking else []),
        *(["nothing of " + _few(nothing)] if nothing else []),
    ]
    return "; ".join(said)


def camera_words(camera: CameraCoverage, zone: tzinfo) -> str:
    """When a camera's footage that was analysed is from, and what of it is missing within."""
    if not camera.spans:
        return "-"
    within = [span for span in camera.missing if span < camera.spans[-1]]
    without = f", without {times(camera, within, zone, camera.spans)}" if within else ""
    return times(camera, camera.spans, zone) + without + ("" if camera.known else " (clock unknown)")


def percent(share: float) -> str:
    """A share as a person says it; neither nothing nor all that is not.

    >>> percent(0.314), percent(0.0001), percent(0.9999), percent(1.0)
    ('31 %', 'under 1 %', 'over 99 %', '100 %')
    """
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{share * 100:.0f} %"


def times(camera: CameraCoverage, spans: Sequence[Span], zone: tzinfo, beside: Sequence[Span] = ()) -> str:
    """When spans of a camera were, by its clock, or since its first frame; ``beside`` others that are told before."""
    if camera.known:
        when, day = _clock_times(spans, zone)
        return when if beside and day == _clock_times(beside, zone)[1] else when + day
    return _pieces([(since_start(first / 1e6), since_start(last / 1e6)) for first, last in spans])


def clock_times(spans: Sequence[Span], zone: tzinfo) -> str:
    """When spans (UTC microseconds) were in a zone: the day and how far it is from UTC once, where they are the same.

    >>> from datetime import UTC
    >>> clock_times([(1_776_000_000_000_000, 1_776_012_000_000_000)], UTC)
    '13:20 to 16:40 on 2026-04-12 (UTC)'
    """
    return "".join(_clock_times(spans, zone))


def _clock_times(spans: Sequence[Span], zone: tzinfo) -> tuple[str, str]:
    """When spans were, and what is common to all of that: the day, where it is one, and the offset from UTC."""
    found = [(at(first, zone), at(last, zone)) for first, last in spans]
    ends = [end for span in found for end in span]
    form = "%H:%M:%S" if max(ends) - min(ends) < SHORT else "%H:%M"
    one_day = len({end.date() for end in ends}) == 1
    form = form if one_day else f"%Y-%m-%d {form}"
    far = list(dict.fromkeys(_from_utc(end) for end in ends))
    day = f" on {ends[0]:%Y-%m-%d}" if one_day else ""
    return _pieces([(f"{first:{form}}", f"{last:{form}}") for first, last in found]), f"{day} ({', then '.join(far)})"


def _from_utc(time: datetime) -> str:
    return "UTC" if is_utc(time) else f"UTC{offset(time)}"


def _pieces(spans: Sequence[tuple[str, str]]) -> str:
    """From when to when; of many pieces, from the first to the last."""
    if len(spans) > MOST:
        return f"{spans[0][0]} to {spans[-1][1]} in {len(spans)} pieces"
    return ", ".join(f"{first} to {last}" for first, last in spans)


def _few(words: Iterable[str]) -> str:
    """The first of many, and how many more there are."""
    found = list(words)
    more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
    return ", ".join(found[:MOST]) + more
