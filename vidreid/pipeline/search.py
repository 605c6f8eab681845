"""Where in one run or several somebody was seen: tracklets ranked by how like the query they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from vidreid.errors import InputError, UsageError
from vidreid.identity.search import search as search_gallery
from vidreid.pipeline.index import Index, open_index
from vidreid.pipeline.moments import Moment, is_within
from vidreid.pipeline.networks import Identities
from vidreid.pipeline.person import Person
from vidreid.pipeline.plan import threshold
from vidreid.pipeline.query import Note, embed_person, own_settings
from vidreid.pipeline.results import Run
from vidreid.store.folder import RunFolder
from vidreid.types import Array

LIKELY = 0.5  # probability from which a sighting is called likely


@dataclass(frozen=True)
class Limits:
    """Which tracklets may be found: of some ``cameras`` (empty: of all), in view from ``after`` and ``before``."""

    cameras: tuple[str, ...] = ()
    after: Moment | None = None
    before: Moment | None = None


ANYWHERE = Limits()


@dataclass(frozen=True)
class Hit:
    """A tracklet that looks like the query.

    ``likeness`` is the cosine of the query with the tracklet's mean look; ``probability`` that both are one person,
    None where the run is not calibrated; ``likely``: from `LIKELY` on, or from the run's threshold where there is no
    probability. Times are those of the tracklet's first and last box, ``_s`` since the camera's first frame.
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
    probability: float | None
    likely: bool
    standing: float

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``: plain values, times as ISO 8601."""
        times = {name: moment and moment.isoformat() for name, moment in (("start", self.start), ("end", self.end))}
        found = {name: value for name, value in self.__dict__.items() if name != "standing"}
        return {**found, "run": str(self.run), **times}


def search(
    runs: Sequence[Run],
    person: Person,
    limits: Limits = ANYWHERE,
    *,
    top: int = 20,
    offline: bool = False,
    note: Note = lambda line: None,
) -> list[Hit]:
    """The ``top`` tracklets of all runs most like a person, best first.

    Each run is searched with the vectors of its own network: where those of the person are of another one, its
    pictures are embedded again. Hits of one run are in order of likeness; those of several are merged by probability
    where all are calibrated, else by how far they are above their run's threshold. `InputError` where a run is not
    matched or its index is stale.
    """
    _check_cameras(runs, limits.cameras)
    hits = [hit for run in runs for hit in _search_run(run, person, limits, top, offline, note)]
    calibrated = all(hit.probability is not None for hit in hits)
    hits.sort(key=lambda hit: (-(hit.probability or 0.0) if calibrated else 0.0, -hit.standing))
    return hits[:top]


def with_vectors(run: Run, person: Person, *, offline: bool = False, note: Note = lambda line: None) -> Person:
    """The person with vectors of the run's network, made of its pictures where they are not known."""
    network = open_index(run.path).network
    return person if network in person.vectors else _embedded(run, person, network, offline, note)


def _embedded(run: Run, person: Person, network: str, offline: bool, note: Note) -> Person:
    if person.vectors:
        note(f"{run.path}: another network: the pictures are embedded again, since vectors of two cannot be compared")
    return embed_person(run, person, network, offline=offline, note=note)


def _search_run(run: Run, person: Person, limits: Limits, top: int, offline: bool, note: Note) -> list[Hit]:
    index = open_index(run.path)
    if not index.tracklets:
        return []
    if index.network not in person.vectors:
        person = _embedded(run, person, index.network, offline, note)
    query = person.query(index.network)
    if len(query) != index.gallery.vectors.shape[1]:
        raise InputError(
            f"vectors of {len(query)} numbers, those of {run.path} have {index.gallery.vectors.shape[1]}",
            "make the person's file again: vidreid search --save",
        )
    rows = {row["tracklet"]: row for row in run.tracklets().drop_columns(["pieces"]).to_pylist()}
    allowed = _allowed(run, index, rows, person, limits)
    numbers, likenesses = search_gallery(index.gallery, query, top, allowed)
    found = [rows[index.tracklets[number]] for number in numbers.tolist()]
    return _hits(run, found, likenesses, note)


def _allowed(run: Run, index: Index, rows: Mapping[str, Any], person: Person, limits: Limits) -> Array:
    own = {name for path, name in person.own if path == str(run.path.resolve())}
    return np.array(
        [
            name not in own
            and (not limits.cameras or rows[name]["camera"] in limits.cameras)
            and is_within(rows[name], limits.after, limits.before)
            for name in index.tracklets
        ],
        bool,
    )


def _hits(run: Run, rows: Sequence[Mapping[str, Any]], likenesses: Array, note: Note) -> list[Hit]:
    record = RunFolder(run.path).read()
    cosine = threshold(own_settings(record), Identities(**record.networks))
    calibration = run.calibration() if (run.path / "match" / "calibration.json").is_file() else None
    if calibration is None:
        note(f"{run.path}: not calibrated, so likeness has no probability")
    chances = [None] * len(rows) if calibration is None else calibration.probability(likenesses).tolist()
    limit = calibration.threshold if calibration is not None else cosine
    hits = []
    for row, likeness, chance in zip(rows, likenesses.tolist(), chances, strict=True):
        standing = likeness - (limit or 0.0)
        hits.append(
            Hit(
                run=run.path,
                **{name: row[name] for name in ("tracklet", "camera", "identity", "start", "end", "start_s", "end_s")},
                likeness=likeness,
                probability=chance,
                likely=chance >= LIKELY if chance is not None else limit is not None and standing >= 0,
                standing=standing,
            )
        )
    return hits


def _check_cameras(runs: Sequence[Run], wanted: Sequence[str]) -> None:
    known = sorted({camera for run in runs for camera in run.cameras})
    for camera in wanted:
        if camera not in known:
            raise UsageError(f"no camera {camera!r} in {runs[0].path}", f"cameras: {', '.join(known)}")
