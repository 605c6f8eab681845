"""What a run found, in a few numbers, and what limits trust in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from vidreid.engines.registry import terms_of
from vidreid.footage.thinning import frame_rate, thinned
from vidreid.pipeline.sightings import outside_note
from vidreid.settings import Settings, check_model

if TYPE_CHECKING:
    from vidreid.pipeline.results import Run

SMALL = 64  # pixels of a person's height under which identities are weak
MOST = 5  # notes on the files of one camera


@dataclass(frozen=True)
class Summary:
    """What a run found. ``hours`` of footage over all cameras, ``sightings`` are tracklets, ``damage`` a share
    0..1 of frames, ``notes`` what limits trust, ``covered`` how much of the footage this is made from, ``looked_at``
    how many frames a second of how many, empty where all."""

    cameras: int
    hours: float
    frames: int
    sightings: int
    people: int
    people_in_several: int
    damage: float
    notes: list[str]
    covered: str
    looked_at: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class _Footage:
    """One camera's: ``known`` clock, None where no footage could be read, and ``notes`` on its files."""

    camera: str
    frames: int
    seconds: float
    lost: int
    known: bool | None
    notes: list[str]
    rates: frozenset[float] = frozenset()


def summarise(run: Run) -> Summary:
    """What a run found, and what limits trust in it; the footage of one camera at a time in memory."""
    cameras = [_footage(run, camera) for camera in run.cameras]
    frames, lost = sum(one.frames for one in cameras), sum(one.lost for one in cameras)
    people = people_in_several = sightings = 0
    if run.is_matched:
        several = pc.sum(pc.greater(pc.list_value_length(run.identities()["cameras"]), 1))
        people, people_in_several = run.identities().num_rows, int(several.as_py() or 0)
        sightings = run.tracklets().num_rows
    return Summary(
        cameras=len(cameras),
        hours=sum(one.seconds for one in cameras) / 3600,
        frames=frames,
        sightings=sightings,
        people=people,
        people_in_several=people_in_several,
        damage=lost / frames if frames else 0.0,
        notes=[*_notes(run, cameras), *_weak(run, lost, frames)],
        covered=_covered(run),
        looked_at=_looked_at(run, cameras),
    )


def told_once(notes: Iterable[tuple[str, str]], between: str = ": ") -> list[str]:
    """Notes on files by their names, each told once: the first file and how many others, and `MOST` in all.

    >>> told_once([("a.mp4", "interlaced"), ("b.mp4", "interlaced"), ("b.mp4", "damaged")])
    ['a.mp4 (and 1 more): interlaced', 'b.mp4: damaged']
    """
    files: dict[str, list[str]] = {}
    for name, note in notes:
        files.setdefault(note, []).append(name)
    told = [
        f"{names[0]}{f' (and {len(names) - 1} more)' if len(names) > 1 else ''}{between}{note}"
        for note, names in files.items()
    ]
    return told if len(told) <= MOST else [*told[: MOST - 1], f"and {len(told) - MOST + 1} more notes on its files"]


def _footage(run: Run, camera: str) -> _Footage:
    files = run.files(camera)
    if not files:
        return _Footage(camera, 0, 0.0, run.lost_frames(camera), None, [])
    timeline = run.timeline(camera)
    paths = run.footage(camera)
    notes = told_once((path.name, note) for path, file in zip(paths, files, strict=False) for note in file.notes)
    frames = sum(len(file.pts) for file in files)
    rates = frozenset(map(frame_rate, files))
    return _Footage(camera, frames, timeline.duration, run.lost_frames(camera), timeline.known, notes, rates)


def _notes(run: Run, cameras: list[_Footage]) -> Iterator[str]:
    """What is to be known of the footage."""
    for one in cameras:
        yield from (f"{one.camera}: {note}" for note in one.notes)
    for camera in run.record.cameras:
        left_out = [file.unusable for file in camera.files if file.unusable]
        yield from (f"left out: {reason}" for reason in left_out[:MOST])
        if len(left_out) > MOST:
            yield f"left out: {len(left_out) - MOST} more files of {camera.name}"
    empty = [one.camera for one in cameras if one.known is None]
    if empty:
        yield f"no footage could be read of {', '.join(empty)}"
    unknown = [one.camera for one in cameras if one.known is False]
    if unknown:
        yield f"clock unknown: {', '.join(unknown)} (times count from each camera's first frame)"


def _weak(run: Run, lost: int, frames: int) -> Iterator[str]:
    """What is to be known of what was found in it."""
    if run.is_matched:
        for camera, (outside, boxes) in run.match.header.facts.get("outside", {}).items():
            yield f"{camera}: {outside_note(outside, boxes)}"
    if lost:
        yield f"{lost} of {frames} frames could not be decoded"
    if run.is_matched:
        heights = run.tracklets()["height"].to_numpy()
        small = float((heights < SMALL).mean()) if len(heights) else 0.0
        if small > 0.25:
            yield f"{small:.0%} of sightings are under {SMALL} pixels tall: their identities are weak"
    for kind in ("detector", "embedder"):
        name = run.record.networks.get(kind, {}).get("name", "")
        if terms := terms_of(name):
            yield f"{kind} {name}: {terms}"


def _looked_at(run: Run, cameras: list[_Footage]) -> str:
    rate = check_model(Settings, run.record.settings, "settings").decoding.rate
    return thinned(rate, (of for one in cameras for of in one.rates))


def _covered(run: Run) -> str:
    if not run.is_matched:
        return "not matched yet"
    facts = run.match.header.facts
    done, total = facts["frames"], facts["frames_total"]
    return "all footage" if done == total else f"{done / total:.0%} of the footage"
