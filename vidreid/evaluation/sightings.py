"""Who the tracklets of a run truly are, by the labels that they follow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vidreid.evaluation.mot import Rows
from vidreid.evaluation.partial import MATCH_IOU
from vidreid.evaluation.sequence import by_frame, iou
from vidreid.evaluation.truth import CameraTruth

THRESHOLD = 0.5
NOBODY, UNKNOWN, THING = 0, -1, -2


def true_people(truth: CameraTruth, tracklets: Rows, *, partial: bool = False) -> dict[int, int]:
    """The person of each tracklet of a camera that has a box within the labelled frames.

    It is the label that most of its boxes match, one to one at IoU 0.5, if they are at least half of its boxes in the
    labelled frames; or the declared distractor on which as many lie, `THING` less its place among them. Any other
    tracklet is `NOBODY`, a person of its own whom nobody labelled; with ``partial`` labels it is `UNKNOWN`.
    """
    first, last = truth.span or (0, np.inf)
    rows = tracklets.take((tracklets.frame >= first) & (tracklets.frame <= last))
    names, tracklet = np.unique(rows.ids, return_inverse=True)
    seen, label = np.unique(_labels(truth, rows), return_inverse=True)
    votes = np.zeros((len(names), len(seen)), np.int64)
    np.add.at(votes, (tracklet, label), 1)
    votes[:, seen == UNKNOWN] = 0
    agreed = 2 * votes.max(1, initial=0) >= np.bincount(tracklet, minlength=len(names))
    people = seen[votes.argmax(1)] if len(names) else seen
    return dict(zip(names.tolist(), np.where(agreed, people, UNKNOWN if partial else NOBODY).tolist(), strict=True))


def _labels(truth: CameraTruth, rows: Rows) -> NDArray[np.int64]:
    """The label of each box (n,), or the thing that it lies on, or `UNKNOWN`."""
    found = np.full(len(rows), UNKNOWN)
    for place, thing in enumerate(truth.distractors):
        found[iou(rows.boxes, thing[None])[:, 0] >= MATCH_IOU] = THING - place
    labelled = by_frame(truth.rows)
    for frame, offered in by_frame(rows).items():
        if frame in labelled:
            overlap = iou(truth.rows.boxes[labelled[frame]], rows.boxes[offered])
            score = np.where(overlap >= THRESHOLD, overlap, 0.0)
            left, right = linear_sum_assignment(score, maximize=True)
            matched = score[left, right] > 0
            found[offered[right[matched]]] = truth.rows.ids[labelled[frame][left[matched]]]
    return found
