"""How much of the footage something is made from, and of which hours: an unfinished run holds the first of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import numpy as np

from vidreid.footage.clock import Timeline
from vidreid.footage.zones import at
from vidreid.types import Array, Segment

PAUSE = 60_000_000  # microseconds between two frames from which on there is no footage between them

Span = tuple[int, int]
"""From the first to the last microsecond: UTC where the camera's clock is known, else since its first frame."""

Ranges = Sequence[Sequence[int]]
"""Frame indices ``[first, stop)``, in order, that do not touch."""


@dataclass(frozen=True)
class CameraCoverage:
    """What of a camera's footage was analysed: ``frames`` of ``total``, its ``spans``, and those that are ``missing``.

    A camera whose footage nobody has read yet has no frames at all.
    """

    camera: str
    known: bool
    frames: int
    total: int
    spans: tuple[Span, ...] = ()
    missing: tuple[Span, ...] = ()

    @property
    def share(self) -> float:
        """Analysed share 0..1 of its frames."""
        return self.frames / self.total if self.total else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``: times as ISO 8601 in UTC, or seconds since the camera's first frame."""
        return {
            "clock": "known" if self.known else "unknown",
            "share": self.share,
            "spans": [[self._plain(end) for end in span] for span in self.spans],
            "missing": [[self._plain(end) for end in span] for span in self.missing],
        }

    def _plain(self, moment: int) -> str | float:
        return at(moment, UTC).isoformat() if self.known else moment / 1e6


@dataclass(frozen=True)
class Coverage:
    """What of all cameras was analysed."""

    cameras: tuple[CameraCoverage, ...]

    @property
    def share(self) -> float:
        """Analysed share 0..1 of all frames."""
        total = sum(one.total for one in self.cameras)
        return sum(one.frames for one in self.cameras) / total if total else 0.0

    @property
    def whole(self) -> bool:
        """Whether nothing is left out."""
        return all(one.frames == one.total > 0 for one in self.cameras)

    @property
    def spans(self) -> tuple[Span, ...]:
        """When cameras with a known clock were analysed, up to the first moment from which one of them is left to do.

        What lies beyond, of cameras that are ahead, is not counted; what is missing before is in `holes`.
        """
        known = [one for one in self.cameras if one.known and one.spans]
        behind = [one.spans[-1][1] for one in known if one.missing and one.missing[-1] > one.spans[-1]]
        end = min([*behind, max((one.spans[-1][1] for one in known), default=0)])
        spans = united(span for one in known for span in one.spans)
        return tuple((first, min(last, end)) for first, last in spans if first < end)

    def holes(self) -> dict[str, tuple[Span, ...]]:
        """Footage within what is covered that was not analysed, by camera; of unknown clocks what each lacks."""
        end = self.spans[-1][1] if self.spans else 0
        found = {
            one.camera: tuple(
                (first, min(last, end) if one.known else last)
                for first, last in one.missing
                if first < (end if one.known else one.spans[-1][1])
            )
            for one in self.cameras
            if one.spans
        }
        return {camera: spans for camera, spans in found.items() if spans}

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"share": self.share, "cameras": {one.camera: one.as_dict() for one in self.cameras}}


def camera_coverage(camera: str, timeline: Timeline | None, total: int, ranges: Ranges) -> CameraCoverage:
    """What the analysed ``ranges`` of a camera's ``total`` frames cover by its clock; no timeline: nothing is known."""
    if timeline is None:
        return CameraCoverage(camera, known=False, frames=0, total=0)
    frames = np.arange(total)
    utc = timeline.utc(frames)
    times = np.rint(timeline.elapsed(frames) * 1e6).astype(np.int64) if utc is None else utc
    edges = [0, *(edge for one in ranges for edge in one), total]
    others = [[first, stop] for first, stop in zip(edges[::2], edges[1::2], strict=True) if first < stop]
    pauses = np.flatnonzero(np.abs(np.diff(times)) > PAUSE) + 1
    count = sum(stop - first for first, stop in ranges)
    return CameraCoverage(
        camera, utc is not None, count, total, _spans(times, pauses, ranges), _spans(times, pauses, others)
    )


def match_coverage(
    facts: Mapping[str, Any], cameras: Sequence[str], cover: Callable[[str, Ranges], CameraCoverage]
) -> Coverage | None:
    """What a match covers by its ``facts``, where that is not all footage of these cameras; else None.

    None too where an older program did not say. ``cover`` says what ranges of frames of a camera are.
    """
    found = facts.get("covered")
    if found is None or (facts["frames"] == facts["frames_total"] and set(found) == set(cameras)):
        return None
    return Coverage(tuple(cover(camera, found.get(camera, [])) for camera in cameras))


def ranges_of(segments: Iterable[Segment]) -> list[list[int]]:
    """The frames that segments of one camera own, in order of time."""
    ranges: list[list[int]] = []
    for segment in segments:
        if ranges and ranges[-1][1] == segment.own_first:
            ranges[-1][1] = segment.own_stop
        else:
            ranges.append([segment.own_first, segment.own_stop])
    return ranges


def united(spans: Iterable[Span]) -> list[Span]:
    """The same moments in spans that are more than a pause apart."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + PAUSE:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found


def _spans(times: Array, pauses: Array, ranges: Ranges) -> tuple[Span, ...]:
    """When ranges of frames were taken, cut at pauses, in order of time."""
    spans: list[Span] = []
    for first, stop in ranges:
        within = pauses[np.searchsorted(pauses, first, side="right") : np.searchsorted(pauses, stop)]
        bounds = [first, *within.tolist(), stop]
        spans += [(int(times[start]), int(times[end - 1])) for start, end in itertools.pairwise(bounds)]
    return tuple(sorted(spans))
