"""The learning rate of a step, as a share of the recipe's."""

from __future__ import annotations

import math

from vidreid.training.recipe import Schedule


def rate(step: int, schedule: Schedule) -> float:
    """0..1 for ``step`` in 0..steps-1.

    >>> [rate(step, Schedule(steps=4, warmup=2, cooldown=2)) for step in range(4)]
    [0.5, 1.0, 1.0, 0.5]
    """
    share = schedule.factor ** sum(step >= milestone for milestone in schedule.milestones)
    if schedule.shape == "cosine":
        share *= 0.5 * (1 + math.cos(math.pi * step / schedule.steps))
    if step < schedule.warmup:
        share *= (step + 1) / schedule.warmup
    left = schedule.steps - step
    return share * min(1.0, left / schedule.cooldown) if schedule.cooldown else share
