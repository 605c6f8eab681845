"""A person's word about a run: checked against what is known, kept in the journal, and matched anew."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Any

import numpy as np

from vidreid.errors import InputError, UsageError
from vidreid.footage.zones import at, microseconds
from vidreid.pipeline.carriers import Carriers, Footage, Track, anchors
from vidreid.pipeline.decisions import LeftOut, cut, cuts, resolve
from vidreid.pipeline.match import match_finished
from vidreid.pipeline.moments import Moment, clock_unknown, meant
from vidreid.pipeline.results import Run
from vidreid.store.folder import RunFolder
from vidreid.store.journal import LEAST_SUBJECTS, Decision, Entry, Journal, Kind, Undo, active, check_undo
from vidreid.types import Array, Reporter

SPLIT_SECONDS = 5.0  # how far from a split the boxes may be that stand for its two sides
HALF_MILLISECOND = 0.0005  # seconds; times are shown in milliseconds


@dataclass(frozen=True, slots=True)
class Request:
    """A decision as a person states it: names of tracklets (c0/000117) and people (P0042); ``moment`` of a split."""

    kind: Kind
    names: tuple[str, ...]
    moment: Moment | None = None

    def __str__(self) -> str:
        return f"{self.kind} {' '.join(self.names)}"


class Present:
    """The tracklets of a matched run, as decisions see them; boxes are read of the cameras that are asked for."""

    def __init__(self, run: Run) -> None:
        table = run.tracklets().select(["tracklet", "camera", "identity"]).to_pylist()
        self.identity: dict[str, str | None] = {row["tracklet"]: row["identity"] for row in table}
        self._camera = {row["tracklet"]: row["camera"] for row in table}
        self.zone = run.zone
        self._run = run
        self._tracks: dict[str, list[Track]] = {}
        self._footage: dict[str, Footage] = {}

    def named(self, name: str) -> list[str]:
        """The tracklets of a person, or the one of this name; `UsageError` names the nearest where there is none."""
        if name in self.identity:
            return [name]
        found = [tracklet for tracklet, identity in self.identity.items() if identity == name]
        if not found:
            known = [*self.identity, *{identity for identity in self.identity.values() if identity}]
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
            hint = f"did you mean {', '.join(near)}?" if near else "people.html shows their names"
            raise UsageError(f"neither a sighting nor a person {name!r} in this run", hint)
        return found

    def track(self, tracklet: str) -> tuple[Track, Footage]:
        """A tracklet's boxes, and the footage of its camera."""
        camera = self._camera[tracklet]
        return next(track for track in self.tracks({camera}) if track.name == tracklet), self._footage[camera]

    def tracks(self, cameras: Collection[str]) -> list[Track]:
        """The tracklets of these cameras, in order of the run's cameras and of their names."""
        for camera in self._run.cameras:
            if camera in cameras and camera not in self._tracks and self._run.files(camera):
                self._footage[camera] = Footage(self._run.files(camera), self._run.timeline(camera))
                self._tracks[camera] = _tracks(self._run, camera)
        return [track for camera in self._run.cameras if camera in cameras for track in self._tracks.get(camera, [])]

    def carriers(self, decisions: Sequence[Decision]) -> Carriers:
        """Finds what these decisions speak of; it knows their cameras."""
        cameras = {anchor.camera for decision in decisions for subject in decision.subjects for anchor in subject}
        tracks = self.tracks(cameras)
        return Carriers(tracks, {name: self._footage[name] for name in cameras if name in self._footage})


@dataclass
class Outcome:
    """What came of decisions: the journal's new ``entries``, and per group of people that are others now their
    ``changes``: names before, and names with numbers of sightings after."""

    entries: list[Entry] = field(default_factory=list)
    changes: list[tuple[list[str], dict[str, int]]] = field(default_factory=list)


def decide(
    folder: RunFolder,
    requests: Sequence[Request],
    undo: Sequence[int],
    reporter: Reporter,
    *,
    note: str = "",
    rematch: bool = True,
) -> Outcome:
    """Write decisions and what is undone to the journal, all or nothing, and match anew.

    Raises `UsageError` for what the run does not have and `InputError` for what contradicts footage or a decision
    that holds; then nothing was written.
    """
    with folder.matching(reporter.note):
        journal = Journal(folder.path / "journal.sqlite")
        history = journal.history()
        for number in undo:
            check_undo(history, number)
        present = Present(Run(folder.path))
        first = len(history) + len(undo) + 1
        fresh = [replace(statement(present, r), number=first + i, note=note) for i, r in enumerate(requests)]
        held = [decision for decision in active(history) if decision.number not in undo]
        _check(folder, present, held, fresh, requests)
        outcome = Outcome(journal.append([*(Undo(number) for number in undo), *fresh]))
        if rematch:
            match_finished(folder, reporter)
            outcome.changes = changes(present.identity, Present(Run(folder.path)).identity)
    return outcome


def statement(present: Present, request: Request) -> Decision:
    """A request as a decision, held on to by boxes; of a person all sightings are meant."""
    if len(set(request.names)) < len(request.names):
        raise UsageError(f"{request}: one name twice", "name two sightings, or two people")
    named = [present.named(name) for name in request.names]
    if request.kind == "split":
        return _split(present, request, named[0])
    if request.kind == "different":
        named = _first_and_others(request, *named)
    tracklets = list(dict.fromkeys(tracklet for names in named for tracklet in names))
    if len(tracklets) < LEAST_SUBJECTS[request.kind]:
        raise UsageError(f"{request}: both are {tracklets[0]}", "name two sightings")
    return Decision(request.kind, tuple(anchors(*present.track(tracklet)) for tracklet in tracklets))


def _first_and_others(request: Request, one: list[str], other: list[str]) -> list[list[str]]:
    """A single sighting, and those of whom it is not."""
    first, others = (one, other) if len(one) == 1 else (other, one)
    if len(first) > 1:
        raise UsageError(
            f"{request}: two people of several sightings are kept apart already",
            f"say which sighting does not belong: --different {one[0]} {request.names[0]}",
        )
    return [first, [tracklet for tracklet in others if tracklet not in first]]


def _split(present: Present, request: Request, named: list[str]) -> Decision:
    """A split in front of the tracklet's first box at or after the moment."""
    if len(named) > 1:
        raise UsageError(f"{request}: a person of {len(named)} sightings", f"name one of them: {', '.join(named[:3])}")
    track, footage = present.track(named[0])
    elapsed = footage.timeline.elapsed(track.frames)
    row = _row_at(request, elapsed, footage.timeline.utc(track.frames), present.zone)
    if not 0 < row < len(elapsed):
        raise InputError(
            f"{track.name}: not seen before and after {_shown(request.moment)}",
            f"it is seen from +{elapsed[0]:.1f} to +{elapsed[-1]:.1f} seconds of camera {track.camera}",
        )
    near = np.flatnonzero(np.abs(elapsed - elapsed[row]) <= SPLIT_SECONDS)
    sides = track.between(min(int(near[0]), row - 1), row), track.between(row, int(near[-1]) + 1)
    place = footage.place(int(track.frames[row]))
    return Decision("split", tuple(anchors(side, footage) for side in sides), place)


def _row_at(request: Request, elapsed: Array, utc: Array | None, zone: tzinfo) -> int:
    """The tracklet's first row at or after the moment of a request; times (n,) in seconds and UTC microseconds."""
    moment = request.moment
    assert moment is not None
    if isinstance(moment, float):
        return int(np.searchsorted(elapsed, moment - HALF_MILLISECOND))
    if utc is None:
        raise clock_unknown(request.names[0])
    # A sighting over midnight has two days on which it may have been that time.
    wanted = [microseconds(one) for one in meant(moment, at(int(utc[0])), at(int(utc[-1])), zone)]
    seen = [one for one in wanted if utc[0] <= one <= utc[-1]]
    return int(np.searchsorted(utc, (seen or wanted)[0] - HALF_MILLISECOND * 1e6))


def _shown(moment: Moment | None) -> str:
    return f"+{moment:.1f} seconds" if isinstance(moment, float) else str(moment)


def _check(
    folder: RunFolder,
    present: Present,
    held: Sequence[Decision],
    fresh: Sequence[Decision],
    requests: Sequence[Request],
) -> None:
    """Raise `InputError` where any of the ``fresh`` contradicts the footage, those that are ``held``, or another."""
    split = {name for request in requests if request.kind == "split" for name in request.names}
    for request in requests:
        if request.kind != "split" and split & set(request.names):
            raise UsageError(
                f"{request}: split in the same call", "split first; then the parts have names of their own"
            )
    decisions = [*held, *fresh]
    carriers = present.carriers(decisions)
    tracks = cut(carriers.tracks, cuts(decisions, carriers.tracks, carriers.footage))
    by_number = {decision.number: request for decision, request in zip(fresh, requests, strict=True)}
    for one in resolve(decisions, tracks, carriers.footage).left_out:
        if one.number in by_number:
            raise InputError(f"{by_number[one.number]}: {one.why}", _mend(folder, one))


def _mend(folder: RunFolder, one: LeftOut) -> str:
    if not one.against:
        return f"if one of them holds two people, split it first: vidreid decide {folder.path} --split SIGHTING TIME"
    return f"undo what it contradicts: vidreid decide {folder.path} " + " ".join(f"--undo {n}" for n in one.against)


def changes(
    before: Mapping[str, str | None], after: Mapping[str, str | None]
) -> list[tuple[list[str], dict[str, int]]]:
    """Groups of people that are others than they were: names before, and names with numbers of sightings after.

    Both map tracklets to people. A group is of all who share sightings, be it by way of others.
    """
    old, new = _people(before), _people(after)
    changed = [
        {name: of for name, of in one.items() if other.get(name) != of} for one, other in ((old, new), (new, old))
    ]
    groups: list[set[str]] = []
    for sightings in [*changed[0].values(), *changed[1].values()]:
        meeting = [group for group in groups if group & sightings]
        groups = [group for group in groups if group not in meeting] + [sightings.union(*meeting)]
    return sorted(
        (
            sorted(name for name, of in changed[0].items() if of & group),
            {name: len(of) for name, of in sorted(changed[1].items()) if of & group},
        )
        for group in groups
    )


def _people(identities: Mapping[str, str | None]) -> dict[str, set[str]]:
    """The sightings of each person."""
    people: dict[str, set[str]] = {}
    for tracklet, identity in identities.items():
        if identity is not None:
            people.setdefault(identity, set()).add(tracklet)
    return people


def listing(folder: RunFolder) -> list[dict[str, Any]]:
    """The journal's entries as plain values, with the names that the sightings of a decision have in the run now.

    A sighting that nothing carries any more is named by camera and time.
    """
    history = Journal(folder.path / "journal.sqlite").history()
    decisions = [entry for entry in history if isinstance(entry, Decision)]
    undone = {entry.undoes: entry.number for entry in history if isinstance(entry, Undo)}
    if not decisions:
        return []
    carriers = Present(Run(folder.path)).carriers(decisions)
    return [_listed(entry, carriers, undone) for entry in history]


def _listed(entry: Entry, carriers: Carriers, undone: Mapping[int, int]) -> dict[str, Any]:
    if isinstance(entry, Undo):
        return {"number": entry.number, "kind": "undo", "made": entry.made, "undoes": entry.undoes}
    now = [carriers.of(subject) for subject in entry.subjects]
    return {
        "number": entry.number,
        "kind": entry.kind,
        "made": entry.made,
        "note": entry.note,
        "undone_by": undone.get(entry.number),
        "sightings": [[carriers.tracks[position].name for position in positions] for positions in now],
        "lost": [carriers.where(s) for s, positions in zip(entry.subjects, now, strict=True) if not positions],
    }


def _tracks(run: Run, camera: str) -> list[Track]:
    """The tracklets of a camera by their boxes, those that were found, not interpolated."""
    table = run.boxes(camera, interpolate=False)
    frames = table["frame"].to_numpy().astype(np.int64)
    boxes = np.stack([table[side].to_numpy() for side in ("x1", "y1", "x2", "y2")], axis=1)
    names, owner = np.unique(table["tracklet"].to_numpy().astype(str), return_inverse=True)
    order = np.argsort(owner, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(owner[order])) + 1) if len(order) else []
    return [Track(str(name), camera, frames[rows], boxes[rows]) for name, rows in zip(names, parts, strict=True)]
