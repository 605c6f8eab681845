"""What a detector should say of every place: the teacher's word, put right where people labelled the picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vidreid.training.detector.network import Dense

SAME = 0.5  # IoU from which a box of the teacher is taken for a labelled person
AGREED = 4.0  # how much more the fit of a box counts than its score in the choice of a person's place


@dataclass(frozen=True, eq=False)
class Truth:
    """Labels of a view: ``boxes`` (n, 4) in pixels; ``cut`` (n,) those that the view cut through, which are neither
    asked for nor denied; ``complete``: the share 0..1 of the people in view that are labelled."""

    boxes: Tensor
    cut: Tensor
    complete: float

    def to(self, device: torch.device) -> Truth:
        """The same on a device."""
        return Truth(self.boxes.to(device), self.cut.to(device), self.complete)


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
    for row, truth in enumerate(truths):
        if truth is not None:
            left = 0.0 if own else 1 - truth.complete
            scores[row], boxes[row] = _corrected(scores[row], boxes[row], teacher, truth, left)
    return Targets(scores, boxes)


def _corrected(scores: Tensor, boxes: Tensor, teacher: Dense, truth: Truth, left: float) -> tuple[Tensor, Tensor]:
    open_ = scores * left
    if not len(truth.boxes):
        return open_, boxes
    overlap = iou(truth.boxes, boxes)
    fit = (scores + 1e-4).sqrt() * (overlap + 1e-3 * _near(truth.boxes, teacher)) ** AGREED
    fit = fit * _inside(truth.boxes, teacher)
    whole = ~truth.cut
    cut = (overlap[truth.cut] >= SAME).any(0) if truth.cut.any() else torch.zeros_like(scores, dtype=torch.bool)
    new = torch.where(cut, scores, open_)
    new = torch.where((overlap[whole] >= SAME).any(0) & ~cut, 0.0, new)
    asked, fit = truth.boxes[whole], fit[whole]
    for _ in asked:
        person, place = divmod(int(fit.argmax()), len(scores))
        if fit[person, place] == 0:
            break
        new[place], boxes[place] = 1.0, asked[person]
        fit[person], fit[:, place] = 0, 0
    return new, boxes


def _inside(boxes: Tensor, teacher: Dense) -> Tensor:
    """(n, A): whether a place's centre lies in a box, or in a cell's size around the middle of a smaller one, where
    there always is one."""
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    reach = half.clamp(min=float(teacher.strides.min()) / 2)
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
