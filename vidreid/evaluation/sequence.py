"""Boxes with ids as the sequences that trackeval scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidreid.evaluation.mot import Rows
from vidreid.types import Boxes

_NOTHING = np.zeros(0, np.int64)


def iou(first: Boxes, second: Boxes) -> NDArray[np.float64]:
    """Intersection over union (n, m) of boxes (n, 4) and (m, 4), 0..1."""
    a, b = first.astype(np.float64)[:, None], second.astype(np.float64)[None]
    overlap = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.prod(np.maximum(overlap, 0), axis=-1)
    union = np.prod(a[..., 2:] - a[..., :2], axis=-1) + np.prod(b[..., 2:] - b[..., :2], axis=-1) - shared
    ratio: NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratio


def by_frame(rows: Rows) -> dict[int, NDArray[np.int64]]:
    """Positions of the rows of each frame."""
    order = np.argsort(rows.frame, kind="stable")
    frames, starts = np.unique(rows.frame[order], return_index=True)
    return dict(zip(frames.tolist(), np.split(order, starts[1:]), strict=len(rows) > 0))


def sequence(pairs: Sequence[tuple[Rows, Rows]]) -> dict[str, Any]:
    """The argument of trackeval's ``eval_sequence`` for (truth, output) of one or more cameras.

    Cameras follow one another in time, so their frames are disjoint, while an id means the same in all of them.
    """
    truth_ids = np.unique(np.concatenate([truth.ids for truth, _ in pairs]))
    output_ids = np.unique(np.concatenate([output.ids for _, output in pairs]))
    steps: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    for truth, output in pairs:
        labelled, offered = by_frame(truth), by_frame(output)
        for frame in sorted(labelled.keys() | offered.keys()):
            left, right = labelled.get(frame, _NOTHING), offered.get(frame, _NOTHING)
            steps.append(
                (
                    np.searchsorted(truth_ids, truth.ids[left]),
                    np.searchsorted(output_ids, output.ids[right]),
                    iou(truth.boxes[left], output.boxes[right]),
                )
            )
    return {
        "num_timesteps": len(steps),
        "num_gt_ids": len(truth_ids),
        "num_tracker_ids": len(output_ids),
        "num_gt_dets": sum(len(truth) for truth, _ in pairs),
        "num_tracker_dets": sum(len(output) for _, output in pairs),
        "gt_ids": [step[0] for step in steps],
        "tracker_ids": [step[1] for step in steps],
        "similarity_scores": [step[2] for step in steps],
    }
