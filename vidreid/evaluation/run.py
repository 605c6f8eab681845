"""Scores of a whole run: its tracklets and identities against labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vidreid.evaluation.identity import IdentityScore, evaluate_identity
from vidreid.evaluation.mot import Rows
from vidreid.evaluation.tracking import TrackingScore, evaluate_tracking
from vidreid.evaluation.truth import Truth, parse_distractor, read_truth
from vidreid.pipeline.results import Run


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
    outputs = {camera: rows(opened, camera, "identity") for camera in labels.cameras}
    return labels.notes(partial=partial, identity=True), evaluate_identity(labels, outputs, partial=partial)


def rows(run: Run, camera: str, ids: str) -> Rows:
    """A camera's boxes with numbers of ``tracklet`` or ``identity``, as the metrics take them."""
    table = run.boxes(camera)
    table = table.filter(table[ids].is_valid())
    numbers = [int(name.rpartition("/")[2].lstrip("P")) for name in table[ids].to_pylist()]
    boxes = np.stack([table[side].to_numpy() for side in ("x1", "y1", "x2", "y2")], 1)
    return Rows(table["frame"].to_numpy().astype(np.int64) + 1, np.array(numbers, np.int64), boxes.astype(np.float32))


def _open(run: Path, truth: Path, distractors: Sequence[str], by_person: bool) -> tuple[Run, Truth]:
    opened = Run(run)
    given = [parse_distractor(text) for text in distractors]
    return opened, read_truth(truth, opened.cameras, distractors=given, by_person=by_person)
