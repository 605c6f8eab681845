"""Where in one run or several somebody was seen: tracklets ranked by how likely they are the person looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vidreid.errors import InputError, UsageError
from vidreid.identity.levels import unit
from vidreid.identity.search import Gallery, Query, score
from vidreid.pipeline.calibrated import Calibrated, Frame, calibration_of
from vidreid.pipeline.index import Index, open_index
from vidreid.pipeline.moments import Moment, is_within, localised
from vidreid.pipeline.person import Person
from vidreid.pipeline.query import Note, embed_person
from vidreid.pipeline.results import Run
from vidreid.types import Array

LIKELY = 0.5  # probability from which a sighting is called likely
SHOWN = ["tracklet", "camera", "identity", "start", "end", "start_s", "end_s"]


@dataclass(frozen=True)
class Limits:
    """Which tracklets may be found: of some ``cameras`` (empty: of all), in view from ``after`` and ``before``."""

    cameras: tuple[str, ...] = ()
    after: Moment | None = None
    before: Moment | None = None


ANYWHERE = Limits()


@dataclass(frozen=True)
class Hit:
    """A tracklet that may be the person looked for.

    ``likeness`` is 0 at even odds, as `match` compares sightings; ``probability`` 0..1 that both are one person.
    Times are those of the tracklet's first and last box, ``_s`` since the camera's first frame, the others in the
    run's zone, None where the clock is unknown; ``identity`` is None where the tracklet is too short to say.
    """

    run: Path
    tracklet: str
    camera: str
    identity: str | None
    start: datetime | None
    end: datetime | None
    start_s: float
    end_s: float
    likeness: float
    probability: float

    @property
    def likely(self) -> bool:
        """Whether this is more likely than not the person."""
        return self.probability >= LIKELY

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``: plain values, times as ISO 8601 in UTC."""
        times = {
            name: moment and moment.astimezone(UTC).isoformat()
            for name, moment in (("start", self.start), ("end", self.end))
        }
        return {**self.__dict__, "run": str(self.run), "likely": self.likely, **times}


def search(
    runs: Sequence[Run],
    person: Person,
    limits: Limits = ANYWHERE,
    *,
    top: int = 20,
    offline: bool = False,
    note: Note = lambda line: None,
) -> list[Hit]:
    """The ``top`` tracklets of all runs that are most likely a person, by probability, then likeness.

    Each run is searched with the vectors of its own network, in its own frame and by its own calibration: where those
    of the person are of another network, its pictures are embedded again. `InputError` where a run is not matched or
    its index is stale.
    """
    _check_cameras(runs, limits.cameras)
    hits = [hit for run in runs for hit in _search_run(run, person, limits, top, offline, note)]
    hits.sort(key=lambda hit: (-hit.probability, -hit.likeness))
    return hits[:top]


def with_vectors(run: Run, person: Person, *, offline: bool = False, note: Note = lambda line: None) -> Person:
    """The person with vectors of the run's network, made of its pictures where they are not known."""
    network = open_index(run).network
    if network in person.vectors:
        return person
    if person.vectors:
        note(f"{run.path}: another network: the pictures are embedded again, since vectors of two cannot be compared")
    return embed_person(run, person, network, offline=offline, note=note)


def _search_run(run: Run, person: Person, limits: Limits, top: int, offline: bool, note: Note) -> list[Hit]:
    index, calibrated = open_index(run), calibration_of(run)
    if not len(index.vectors):
        return []
    person = with_vectors(run, person, offline=offline, note=note)
    query = _query(run, person, index, calibrated.frame)
    gallery = index.gallery(calibrated.frame.cameras)
    allowed = _allowed(run, index, limits)
    allowed[query.own] = False
    rows, likenesses, chances = _ranked(gallery, query, calibrated, allowed, top)
    table = run.tracklets().select(SHOWN)
    places = pc.index_in(pa.array(index.tracklets[rows], pa.string()), table["tracklet"].combine_chunks())
    return [
        Hit(run=run.path, **localised(row, run.zone), likeness=likeness, probability=chance)
        for row, likeness, chance in zip(table.take(places).to_pylist(), likenesses, chances, strict=True)
    ]


def _query(run: Run, person: Person, index: Index, frame: Frame) -> Query:
    """Who is looked for in the frame of a run: its own sightings as `match` compares them, without what their camera
    gives to all; what is from elsewhere without the mean of the network. All of these weigh alike."""
    views = person.views(index.network, str(run.path.resolve()))
    dim = index.vectors.shape[1]
    if any(len(view) != dim for view in views.values()):
        raise InputError(
            f"the person's vectors are not of {dim} numbers, as those of {run.path}",
            "make the person's file again: vidreid search --save",
        )
    own = np.flatnonzero(np.isin(index.tracklets, [name for name in views if name is not None]))
    indexed = dict(zip(index.tracklets[own], index.vectors[own].astype(np.float32), strict=True))
    cameras = [_number(name, frame) for name in views]
    means = [frame.mean if camera is None else frame.means[camera] for camera in cameras]
    moved = [indexed.get(name, view - mean) for (name, view), mean in zip(views.items(), means, strict=True)]
    return Query(
        vector=unit(unit(np.stack(moved)).sum(0, keepdims=True))[0],
        camera=cameras[0] if len(set(cameras)) == 1 else None,
        own=own,
        levels=np.array(index.about["levels"][own[0]].as_py()) if len(own) == len(views) == 1 else None,
    )


def _number(name: str | None, frame: Frame) -> int | None:
    """The number of a tracklet's camera; None where it is of none, or of one in which `match` told nobody apart."""
    known = frame.cameras[: len(frame.means)]
    camera = name.rpartition("/")[0] if name else None
    return known.index(camera) if camera in known else None


def _ranked(
    gallery: Gallery, query: Query, calibrated: Calibrated, allowed: Array, top: int
) -> tuple[Array, list[float], list[float]]:
    """The ``top`` of the ``allowed`` (n,): rows, likenesses, and chances, by which they are ordered.

    Pairs of one camera and of two have each their curve, so that the best of both are found and then put in order.
    """
    scores = score(gallery, query, calibrated.frame.strangers, calibrated.frame.scale)
    alike = gallery.cameras == (-1 if query.camera is None else query.camera)
    several = len(np.unique(gallery.cameras)) > 1  # else nobody knows what likenesses between cameras mean
    curves = calibrated.curves["same"], calibrated.curves["cross" if several else "same"]
    found: list[tuple[float, float, int]] = []
    for group, curve in zip((alike, ~alike), curves, strict=True):
        rows, high = scores.best(top, allowed & group)
        likeness = high - curve.even
        found += [(curve.at(one).value, one, row) for one, row in zip(likeness.tolist(), rows.tolist(), strict=True)]
    found.sort(key=lambda one: (-one[0], -one[1], one[2]))
    chances, likenesses, numbers = zip(*found[:top], strict=True) if found else ((), (), ())
    return np.array(numbers, np.int64), list(likenesses), list(chances)


def _allowed(run: Run, index: Index, limits: Limits) -> Array:
    """Which rows (n,) of the index are within the limits."""
    cameras = index.about["camera"]
    allowed = np.ones(len(cameras), bool)
    if limits.cameras:
        allowed &= pc.is_in(cameras, pa.array(limits.cameras)).to_numpy()
    if limits.after is not None or limits.before is not None:
        rows = {row["tracklet"]: row for row in run.tracklets().select(SHOWN).to_pylist()}
        within = (is_within(rows[name], limits.after, limits.before, run.zone) for name in index.tracklets)
        allowed &= np.fromiter(within, bool, len(cameras))
    return allowed


def _check_cameras(runs: Sequence[Run], wanted: Sequence[str]) -> None:
    known = sorted({camera for run in runs for camera in run.cameras})
    for camera in wanted:
        if camera not in known:
            raise UsageError(f"no camera {camera!r} in {runs[0].path}", f"cameras: {', '.join(known)}")
