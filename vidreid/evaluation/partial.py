"""Which boxes count where only some of the people are labelled.

Labels are *partial* when people in view may have none. Then a frame counts if it has a label, and an output box
counts if it matches a label (one to one) or lies on a declared distractor, a thing that detectors take for a person.
Every other output box may be an unlabelled person and is left out, neither right nor wrong.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vidreid.evaluation.mot import Rows
from vidreid.evaluation.sequence import by_frame, iou
from vidreid.types import Boxes

MATCH_IOU = 0.3


def counted(labels: Rows, output: Rows, distractors: Boxes) -> NDArray[np.bool_]:
    """Mask (n,) of the ``output`` boxes that count against partial ``labels``; ``distractors`` (k, 4)."""
    keep = np.zeros(len(output), np.bool_)
    labelled, offered = by_frame(labels), by_frame(output)
    for frame in labelled.keys() & offered.keys():
        overlap = iou(labels.boxes[labelled[frame]], output.boxes[offered[frame]])
        keep[offered[frame][_matched(overlap)]] = True
    on_distractor = np.any(iou(output.boxes, distractors) >= MATCH_IOU, axis=1)
    mask: NDArray[np.bool_] = keep | (on_distractor & np.isin(output.frame, labels.frame))
    return mask


def _matched(overlap: NDArray[np.float64]) -> NDArray[np.int64]:
    """Columns with a partner of IoU >= `MATCH_IOU` in the one-to-one assignment of the largest total IoU."""
    score = np.where(overlap >= MATCH_IOU, overlap, 0.0)
    rows, columns = linear_sum_assignment(score, maximize=True)
    matched: NDArray[np.int64] = columns[score[rows, columns] > 0]
    return matched
