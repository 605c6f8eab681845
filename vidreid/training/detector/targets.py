"""What a detector should say of every place: the teacher's word, put right where people labelled the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from vidreid.networks.weights.ultralytics import Dense

SAME = 0.5  # IoU from which a box of the teacher is taken for a labelled person
AGREED = 4.0  # how much more the fit of a box counts than its score in the choice of a person's place


@dataclass(frozen=True, eq=False)
class Truth:
    """Labels of a view, on the CPU: ``boxes`` (n, 4) in pixels; ``cut`` (n,) those that the view cut through, which are
    neither asked for nor denied; ``complete``: the share 0..1 of the people in view that are labelled."""

    boxes: Tensor
    cut: Tensor
    complete: float


@dataclass(frozen=True, eq=False)
class Targets:
    """``scores`` (B, A) in 0..1 and ``boxes`` (B, A, 4) in pixels."""

    scores: Tensor
    boxes: Tensor


def targets(teacher: Dense, truths: list[Truth | None], *, own: bool = False) -> Targets:
    """The teacher's scores and boxes; in labelled views (others are None) one place a person says 1 and the label's
    box, others that mean the same person 0, and a box of nobody what the labels leave open:
    ``(1 - complete) * score``.

    A person's place is where the root of the teacher's score and the fourth power of its box's IoU with the label have
    the largest product, among places within the label: the assignment of TOOD (arXiv 2108.07755, eq. 1), asked of the
    teacher instead of the learner, and one to one. Of two people who want one place the one it fits better has it, the
    other the next best. With ``own`` the learner itself is asked, for want of a teacher:
    then labels count as complete, since nobody else would know.
    """
    scores, boxes = teacher.logits.sigmoid(), teacher.boxes.clone()
    asked: dict[int, Tensor] = {}
    fits = [boxes.new_zeros(0, boxes.shape[1])]
    for row, truth in enumerate(truths):
        if truth is not None:
            both = truth.boxes[~truth.cut], truth.boxes[truth.cut]
            whole, cut = (some.to(boxes.device, non_blocking=True) for some in both)
            asked[row] = whole
            fits.append(_fit(whole, scores[row], boxes[row], teacher))
            left = 0.0 if own else 1 - truth.complete
            scores[row] = _unasked(whole, cut, scores[row], boxes[row], left)
    # The choice looks at one number after another, each of which a GPU would be waited for: so once for all views.
    views = torch.cat(fits).cpu().split([len(whole) for whole in asked.values()])
    for (row, whole), fit in zip(asked.items(), views, strict=True):
        for person, place in _chosen(fit):
            scores[row, place], boxes[row, place] = 1.0, whole[person]
    return Targets(scores, boxes)


def _fit(asked: Tensor, scores: Tensor, boxes: Tensor, teacher: Dense) -> Tensor:
    """(n, A): how well places say people, 0 outside of them."""
    near = iou(asked, boxes) + 1e-3 * _near(asked, teacher)
    return (scores + 1e-4).sqrt() * near**AGREED * _inside(asked, teacher)


def _unasked(whole: Tensor, cut: Tensor, scores: Tensor, boxes: Tensor, left: float) -> Tensor:
    """(A,): scores of places that say nobody who is asked for."""
    theirs, cuts = ((iou(some, boxes) >= SAME).any(0) for some in (whole, cut))
    return torch.where(cuts, scores, torch.where(theirs, 0.0, scores * left))


def _chosen(fit: Tensor) -> Iterator[tuple[int, int]]:
    """(person, place) by falling ``fit`` (n, A), everybody and every place once; who fits nowhere has none."""
    fit = fit.clone()
    for _ in range(len(fit)):
        person, place = divmod(int(fit.argmax()), fit.shape[1])
        if fit[person, place] == 0:
            break
        yield person, place
        fit[person], fit[:, place] = 0, 0


def _inside(boxes: Tensor, teacher: Dense) -> Tensor:
    """(n, A): whether a place's centre lies in a box, or in a cell's size around the middle of a smaller one, where
    there always is one."""
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    reach = torch.maximum(half, teacher.strides.min() / 2)
    return ((teacher.centres[None] - middle[:, None]).abs() <= reach[:, None]).all(2)


def _near(boxes: Tensor, teacher: Dense) -> Tensor:
    """(n, A) in 0..1: how near a place is to a box's centre and its stride to an eighth of the box's height.

    It decides only where the teacher saw nothing.
    """
    middle, height = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 3] - boxes[:, 1]).clamp(min=1.0)
    away = (teacher.centres[None] - middle[:, None]).norm(dim=2) / height[:, None]
    scale = (teacher.strides[None] * 8 / height[:, None]).log2().abs()
    return torch.exp(-4 * away - scale)


def iou(one: Tensor, other: Tensor) -> Tensor:
    """Intersection over union of boxes (n, 4) with boxes (m, 4): (n, m)."""
    corner, end = torch.maximum(one[:, None, :2], other[:, :2]), torch.minimum(one[:, None, 2:], other[:, 2:])
    inner = (end - corner).clamp(min=0).prod(2)
    sizes = [(boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1) for boxes in (one, other)]
    return inner / (sizes[0][:, None] + sizes[1] - inner).clamp(min=1e-6)
