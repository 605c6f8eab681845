"""A walking skeleton: where each bone is at a phase of the step.

Body axes: x to the person's right, y ahead, z up; metres. Angles swing a hanging limb forwards. The curves
follow the textbook shape of human gait (thigh as a sine, the knee bent in swing, arms against legs), not data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vidreid.types import Array

BONES = (
    "pelvis", "chest", "head",
    "left arm", "left forearm", "left thigh", "left shin", "left foot",
    "right arm", "right forearm", "right thigh", "right shin", "right foot",
)  # fmt: skip
HIP, KNEE, ANKLE, SHOULDER, NECK, ELBOW = 0.52, 0.285, 0.045, 0.79, 0.845, 0.625  # heights, in shares of the person's
CYCLE = 0.84  # metres walked in one cycle of two steps, in shares of the height


@dataclass(frozen=True, slots=True)
class Stance:
    """A person at one moment: ground position, ``yaw`` (0 walks along +y), metres walked, ``effort`` 0 still .. 1."""

    x: float
    y: float
    yaw: float
    walked: float
    effort: float


@dataclass(frozen=True, slots=True)
class Pose:
    """Rotation (13, 3, 3) and joint position (13, 3) in the world of each of `BONES`."""

    rotation: Array
    joint: Array


def pose(stance: Stance, height: float, build: float, swing: float = 1.0) -> Pose:
    """The skeleton of a person of ``height`` metres in this stance."""
    phase = 2 * np.pi * stance.walked / (CYCLE * height)
    effort = stance.effort * swing
    heading = _about_z(stance.yaw)
    rotation, joint = np.empty((13, 3, 3)), np.empty((13, 3))
    rotation[0] = heading @ _about_z(-0.07 * effort * np.sin(phase))
    rotation[1] = heading @ _about_z(0.09 * effort * np.sin(phase)) @ _about_x(-0.03 - 0.03 * effort)
    rotation[2] = heading @ _about_z(0.25 * np.sin(0.4 * stance.walked + height * 40))
    joint[0] = 0.0
    joint[1] = 0.0
    joint[2] = rotation[1] @ (0.0, 0.0, (NECK - HIP) * height)
    for side, first in ((-1, 3), (1, 8)):
        cycle = phase if side < 0 else phase + np.pi
        _arm(rotation, joint, first, side, cycle, effort, height, build)
        _leg(rotation, joint, first + 2, side, cycle, effort, height, build)
    floor = min(joint[7, 2], joint[12, 2]) - ANKLE * height
    return Pose(rotation, np.add(joint, (stance.x, stance.y, -floor)))


def _arm(
    rotation: Array, joint: Array, first: int, side: int, cycle: float, effort: float, height: float, build: float
) -> None:
    upper = -0.45 * effort * np.sin(cycle)
    lower = upper + 0.18 + 0.25 * effort * (0.5 - 0.5 * np.sin(cycle))
    chest = rotation[1]
    joint[first] = chest @ (side * 0.1 * height * build**0.7, 0.0, (SHOULDER - HIP) * height)
    rotation[first] = chest @ _about_y(-side * 0.10 * build) @ _about_x(upper)
    joint[first + 1] = joint[first] + rotation[first] @ (0.0, 0.0, (ELBOW - SHOULDER) * height)
    rotation[first + 1] = chest @ _about_y(-side * 0.04) @ _about_x(lower)


def _leg(
    rotation: Array, joint: Array, first: int, side: int, cycle: float, effort: float, height: float, build: float
) -> None:
    thigh = effort * (0.44 * np.sin(cycle) + 0.05)
    shin = thigh - effort * (0.08 + 0.95 * max(0.0, np.cos(cycle + 0.4)) ** 2)
    foot = 0.6 * min(shin, 0.0) + 0.5 * max(shin, 0.0)
    pelvis = rotation[0]
    joint[first] = pelvis @ (side * 0.05 * height * build**0.5, 0.0, 0.0)
    rotation[first] = pelvis @ _about_x(thigh)
    joint[first + 1] = joint[first] + rotation[first] @ (0.0, 0.0, (KNEE - HIP) * height)
    rotation[first + 1] = pelvis @ _about_x(shin)
    joint[first + 2] = joint[first + 1] + rotation[first + 1] @ (0.0, 0.0, (ANKLE - KNEE) * height)
    rotation[first + 2] = pelvis @ _about_z(-side * 0.12) @ _about_x(foot)


def _about_x(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array(((1.0, 0.0, 0.0), (0.0, c, -s), (0.0, s, c)))


def _about_y(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array(((c, 0.0, s), (0.0, 1.0, 0.0), (-s, 0.0, c)))


def _about_z(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array(((c, -s, 0.0), (s, c, 0.0), (0.0, 0.0, 1.0)))
