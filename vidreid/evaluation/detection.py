"""Average precision of a detector of persons, and what it finds and invents at one score.

COCO's definition (Lin et al., Microsoft COCO, arXiv 1405.0312; the evaluation at cocodataset.org), so that figures
compare with the field's: detections of a picture are matched to labels by falling score, each to the label that it
overlaps most of those still free; precision is made to fall with recall and read at 101 recalls, 0, 0.01, ..., 1.
Not the area under every point of the curve (VOC 2010), which is higher by up to a point on small sets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidreid.evaluation.sequence import iou
from vidreid.types import Boxes, Detections

IOUS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
MOST = 100  # detections of a picture, the best, that count
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Labels:
    """The people of one picture: ``boxes`` (n, 4) as `Detections` has them.

    ``regions`` (k, 4) are to be ignored, crowds or what may be a person: nobody is missed there, and a detection that
    matches no box but lies in a region, by as large a share of itself as the IoU that is asked for, does not count.
    """

    boxes: Boxes
    regions: Boxes = field(default_factory=lambda: np.zeros((0, 4), np.float32))


@dataclass(frozen=True)
class DetectionScore:
    """How well persons are found in ``pictures`` with ``boxes`` labels; fractions, None where they mean nothing.

    ``ap50`` is the average precision at IoU 0.5, ``ap`` its mean over IoU 0.5, 0.55, ..., 0.95, ``curve`` the
    precision at recalls 0, 0.01, ..., 1 whose mean is ``ap50``. From ``score`` on, at IoU 0.5: ``recall``,
    ``precision``, and ``false_positives`` a picture. Of partial labels there is recall alone; without people, false
    positives alone.
    """

    pictures: int
    boxes: int
    score: float
    ap50: float | None
    ap: float | None
    recall: float | None
    precision: float | None
    false_positives: float | None
    curve: tuple[float, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, plain numbers."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class _Judged:
    """Detections (n,) by falling score; ``right`` and ``left_out`` (10, n) at each IoU."""

    scores: NDArray[np.float32]
    right: Mask
    left_out: Mask


def score_detections(
    pictures: Iterable[tuple[Labels, Detections]], *, score: float, partial: bool = False
) -> DetectionScore:
    """Score the detections of pictures, one after another, against their labels.

    Average precision takes detections of every score, so give all that the detector has; recall and false positives
    count those from ``score`` on. ``partial``: people may have no label, so detections without one do not count.
    """
    judged, boxes = [], 0
    for labels, found in pictures:
        judged.append(_judge(labels, found))
        boxes += len(labels.boxes)
    every = _joined(judged)
    curves = [_curve(*at, boxes) for at in zip(every.right, every.left_out, strict=True)] if boxes else []
    sure = every.scores >= score
    hits = int((every.right[0] & sure).sum())
    false = int((~every.right[0] & ~every.left_out[0] & sure).sum())
    recall = hits / boxes if boxes else None
    if partial or not curves:
        false_positives = None if partial or not judged else false / len(judged)
        return DetectionScore(len(judged), boxes, score, None, None, recall, None, false_positives)
    return DetectionScore(
        pictures=len(judged),
        boxes=boxes,
        score=score,
        ap50=float(curves[0].mean()),
        ap=float(np.mean(curves)),
        recall=recall,
        precision=hits / (hits + false) if hits + false else None,
        false_positives=false / len(judged),
        curve=tuple(curves[0].tolist()),
    )


def _judge(labels: Labels, found: Detections) -> _Judged:
    """Match the best detections of a picture, by falling score."""
    found = found.take(np.argsort(-found.scores, kind="stable")[:MOST])
    right = _matched(iou(found.boxes, labels.boxes))
    inside = _share_inside(found.boxes, labels.regions).max(axis=1, initial=0)
    return _Judged(found.scores, right, ~right & (inside >= IOUS[:, None]))


def _matched(overlap: NDArray[np.float64]) -> Mask:
    """Which rows of ``overlap`` (n, m) get a column of their own (10, n), at each of `IOUS`; the first choose first."""
    overlap = overlap[:, ::-1]  # of columns that overlap alike COCO takes the last
    right, taken = np.zeros((len(IOUS), len(overlap)), np.bool_), np.zeros((len(IOUS), overlap.shape[1]), np.bool_)
    levels = np.arange(len(IOUS))
    for row in np.flatnonzero((overlap >= IOUS[0]).any(axis=1)):
        free = np.where(taken, 0, overlap[row])
        best = free.argmax(axis=1)
        right[:, row] = free[levels, best] >= IOUS
        taken[levels, best] |= right[:, row]
    return right


def _share_inside(boxes: Boxes, regions: Boxes) -> NDArray[np.float64]:
    """Shares (n, k) of ``boxes`` that lie in each of ``regions``."""
    first, second = boxes.astype(np.float64)[:, None], regions.astype(np.float64)[None]
    overlap = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2])
    shared = np.prod(np.maximum(overlap, 0), axis=-1)
    area = np.broadcast_to(np.prod(first[..., 2:] - first[..., :2], axis=-1), shared.shape)
    share: NDArray[np.float64] = np.divide(shared, area, out=np.zeros_like(shared), where=area > 0)
    return share


def _joined(judged: list[_Judged]) -> _Judged:
    """The detections of all pictures, by falling score."""
    if not judged:
        return _Judged(np.zeros(0, np.float32), *np.zeros((2, len(IOUS), 0), np.bool_))
    scores = np.concatenate([one.scores for one in judged])
    order = np.argsort(-scores, kind="stable")
    right, left_out = (
        np.concatenate(part, axis=1)[:, order] for part in zip(*((o.right, o.left_out) for o in judged), strict=True)
    )
    return _Judged(scores[order], right, left_out)


def _curve(right: Mask, left_out: Mask, boxes: int) -> NDArray[np.float64]:
    """Precision (101,) at `RECALLS`: the best that is had at that recall or a higher one, 0 where none is had."""
    right = right[~left_out]
    found = np.cumsum(right)
    precision = found / np.arange(1, len(right) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(found / boxes, RECALLS)
    return np.append(falling, 0)[place]
