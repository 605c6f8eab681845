"""Scores of a whole run: its tracklets and identities against labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from vidreid.evaluation.identity import IdentityScore, evaluate_identity
from vidreid.evaluation.mot import Rows
from vidreid.evaluation.sightings import UNKNOWN, true_people
from vidreid.evaluation.tracking import TrackingScore, evaluate_tracking
from vidreid.evaluation.truth import Truth, parse_distractor, read_truth
from vidreid.pipeline.results import Run
from vidreid.types import Array

GAP = 25  # frames without a label after which someone has left


def score_tracking(
    run: Path, truth: Path, *, partial: bool = False, distractors: Sequence[str] = (), by_person: bool = False
) -> tuple[list[str], dict[str, TrackingScore]]:
    """Notes, and the scores of each labelled camera's tracklets, gaps interpolated."""
    opened, labels = _open(run, truth, distractors, by_person)
    outputs = {camera: rows(opened, camera, "tracklet") for camera in labels.cameras}
    return labels.notes(partial=partial), evaluate_tracking(labels, outputs, partial=partial)


def score_identity(
    run: Path, truth: Path, *, partial: bool = False, distractors: Sequence[str] = (), by_person: bool = False
) -> tuple[list[str], IdentityScore]:
    """Notes, and the score of the run's identities over all labelled cameras; boxes without identity are left out."""
    opened, labels = _open(run, truth, distractors, by_person)
    tables = {camera: _known(opened, camera, "identity") for camera in labels.cameras}
    outputs = {camera: _rows(table, "identity") for camera, table in tables.items()}
    tracklets = {camera: _numbers(table, "tracklet") for camera, table in tables.items()}
    score = evaluate_identity(labels, outputs, tracklets, partial=partial)
    return labels.notes(partial=partial, identity=True), score


@dataclass(frozen=True, slots=True)
class Span:
    """A ``person`` of the labels in view of a camera from frame index ``first`` to ``last``."""

    camera: str
    person: int
    first: int
    last: int


@dataclass(frozen=True)
class Followed:
    """Whom the tracklets of a run follow: ``people`` by tracklet as of `true_people`, the unknown left out; and where
    the labels have people in view."""

    people: Mapping[str, int]
    spans: Sequence[Span]


def followed(
    run: Path, truth: Path, *, partial: bool = False, distractors: Sequence[str] = (), by_person: bool = False
) -> Followed:
    """Who each tracklet of a run is by the labels."""
    opened, labels = _open(run, truth, distractors, by_person)
    people: dict[str, int] = {}
    spans: list[Span] = []
    for camera, known in labels.cameras.items():
        found = true_people(known, rows(opened, camera, "tracklet"), partial=partial)
        people |= {f"{camera}/{number:06d}": person for number, person in found.items() if person != UNKNOWN}
        spans += _spans(camera, known.rows)
    return Followed(people, spans)


def _spans(camera: str, labels: Rows) -> Iterator[Span]:
    """When each person is labelled; a gap of `GAP` frames or more ends a span."""
    for person in np.unique(labels.ids).tolist():
        frames = np.sort(labels.frame[labels.ids == person]) - 1
        for part in np.split(frames, np.flatnonzero(np.diff(frames) > GAP) + 1):
            yield Span(camera, person, int(part[0]), int(part[-1]))


def rows(run: Run, camera: str, ids: str) -> Rows:
    """A camera's boxes with numbers of ``tracklet`` or ``identity``, as the metrics take them."""
    return _rows(_known(run, camera, ids), ids)


def _known(run: Run, camera: str, ids: str) -> pa.Table:
    """A camera's boxes that have such an id."""
    table = run.boxes(camera)
    return table.filter(table[ids].is_valid())


def _rows(table: pa.Table, ids: str) -> Rows:
    boxes = np.stack([table[side].to_numpy() for side in ("x1", "y1", "x2", "y2")], 1)
    return Rows(table["frame"].to_numpy().astype(np.int64) + 1, _numbers(table, ids), boxes.astype(np.float32))


def _numbers(table: pa.Table, ids: str) -> Array:
    return np.array([int(name.rpartition("/")[2].lstrip("P")) for name in table[ids].to_pylist()], np.int64)


def _open(run: Path, truth: Path, distractors: Sequence[str], by_person: bool) -> tuple[Run, Truth]:
    opened = Run(run)
    given = [parse_distractor(text) for text in distractors]
    return opened, read_truth(truth, opened.cameras, distractors=given, by_person=by_person)
