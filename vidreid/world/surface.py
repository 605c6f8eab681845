"""Oriented points on turned solids: the clay of which bodies are made.

A solid is a profile of ellipses along z. Sampling it evenly gives points, normals and the angle around the axis, so
that cloth can be painted on by angle and height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vidreid.types import Array


@dataclass(frozen=True, slots=True)
class Surface:
    """``points`` (n, 3) metres, unit ``normals`` (n, 3), ``angle`` (n,) from -pi to pi around z, 0 at +y."""

    points: Array
    normals: Array
    angle: Array

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Surface:
        return Surface(np.add(self.points, (x, y, z)), self.normals, self.angle)

    def tipped(self) -> Surface:
        """Turned so that the axis z points ahead, along y."""
        turn = np.array(((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)))
        return Surface(self.points @ turn, self.normals @ turn, self.angle)


def turned(profile: Array, spacing: float) -> Surface:
    """Sample a solid given as rows ``z, half width in x, half depth in y`` with points ``spacing`` metres apart."""
    z, a, b = np.asarray(profile, dtype=np.float64).T
    steps = np.hypot(np.diff(z), np.diff(a + b) / 2)
    along = np.concatenate(([0.0], np.cumsum(steps)))
    rings = np.linspace(0.0, along[-1], max(3, int(np.ceil(along[-1] / spacing))))
    z, a, b = (np.interp(rings, along, axis) for axis in (z, a, b))
    growth_a, growth_b, rise = (np.gradient(axis, rings) for axis in (a, b, z))
    counts = np.maximum(4, np.ceil(np.pi * (a + b) / spacing)).astype(int)
    ring = np.repeat(np.arange(len(rings)), counts)
    place = np.arange(len(ring)) - np.repeat(np.cumsum(counts) - counts, counts)
    angle = ((place + 0.5 * (ring % 2)) / counts[ring] * 2 - 1) * np.pi
    x, y = np.sin(angle), np.cos(angle)
    a, b = np.maximum(a, 1e-4)[ring], np.maximum(b, 1e-4)[ring]
    # The cross product of the steps around and along the surface, outwards whichever way the profile runs.
    up = a * growth_b[ring] * y**2 + b * growth_a[ring] * x**2
    normals = np.stack((-b * rise[ring] * x, -a * rise[ring] * y, up), axis=1) * np.sign(z[0] - z[-1])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Surface(np.stack((a * x, b * y, z[ring]), axis=1), normals, angle)


def limb(length: float, top: float, bottom: float, spacing: float, depth: float = 1.0) -> Surface:
    """A tapered capsule that hangs from the origin; radii in x, times ``depth`` in y."""
    bow = np.linspace(0.0, 0.5 * np.pi, 6)
    z = np.concatenate((top * np.cos(bow), -length - bottom * np.sin(bow)))
    radius = np.concatenate((top * np.sin(bow), bottom * np.cos(bow)))
    return turned(np.column_stack((z, radius, radius * depth)), spacing)


def ellipsoid(width: float, depth: float, height: float, spacing: float) -> Surface:
    """Half axes in metres, around the origin."""
    bow = np.linspace(0.0, np.pi, 24)
    ring = np.sin(bow)
    return turned(np.column_stack((height * np.cos(bow), width * ring, depth * ring)), spacing)


def block(width: float, depth: float, height: float, spacing: float) -> Surface:
    """A bag: half axes in metres, around the origin, with soft corners."""
    bow = np.linspace(0.0, np.pi, 24)
    ring = np.sin(bow) ** 0.35
    return turned(np.column_stack((height * np.cos(bow), width * ring, depth * ring)), spacing)
