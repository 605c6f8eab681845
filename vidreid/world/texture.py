"""Procedural surfaces: float32 RGB or RGBA pictures, 0..1, `SCALE` pixels a metre."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vidreid.types import Array

SCALE = 40
Tint = tuple[float, float, float]


def clouds(rng: np.random.Generator, height: int, width: int, cells: Sequence[int]) -> Array:
    """Smooth noise of about unit amplitude, float32 (height, width); ``cells`` are sizes in pixels, coarse to fine."""
    total = np.zeros((height, width), np.float32)
    for octave, cell in enumerate(cells):
        grid = rng.uniform(-1, 1, (height // cell + 2, width // cell + 2)).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * 0.7**octave
    return total


def plain(rng: np.random.Generator, width: float, height: float, tint: Tint, rough: float = 0.06) -> Array:
    """Plaster, asphalt, concrete: one tint with stains and grain; metres."""
    rows, columns = round(height * SCALE), round(width * SCALE)
    noise = clouds(rng, rows, columns, (192, 64, 16, 4, 1))
    return _clip(np.asarray(tint, np.float32) * (1 + rough * noise[..., None]))


def tiles(
    rng: np.random.Generator, width: float, height: float, tint: Tint, *, tile: tuple[float, float], bond: bool = False
) -> Array:
    """Slabs or bricks (``bond`` shifts every second row) of ``tile`` metres, each a little different, with joints."""
    picture = plain(rng, width, height, tint)
    step_x, step_y = (max(4, round(side * SCALE)) for side in tile)
    rows, columns = picture.shape[0] // step_y + 1, picture.shape[1] // step_x + 2
    shade = 1 + 0.08 * rng.standard_normal((rows, columns))
    for row in range(rows):
        shift = -step_x // 2 if bond and row % 2 else 0
        for column in range(columns):
            x, y = column * step_x + shift, row * step_y
            slab = picture[y : y + step_y, max(x, 0) : max(x + step_x, 0)]
            slab *= shade[row, column]
            slab[-2:] *= 0.78
            slab[:, -2:] *= 0.78
    return _clip(picture)


def window(rng: np.random.Generator, wall: Array, x: float, y: float, width: float, height: float) -> None:
    """Paint a window with frame, reflection and blind into ``wall``; metres from its top left corner."""
    left, top, right, bottom = (round(v * SCALE) for v in (x, y, x + width, y + height))
    pane = wall[top:bottom, left:right]
    if pane.size == 0:
        return
    rows, columns = pane.shape[:2]
    glass = np.linspace(0.42, 0.16, rows, dtype=np.float32)[:, None, None] * np.array((0.8, 0.95, 1.1), np.float32)
    slant = 0.12 * (clouds(rng, rows, columns, (24, 12)) > 0.3)
    pane[:] = _clip(glass + slant[..., None])
    blind = round(rows * rng.uniform(0, 0.5))
    pane[:blind] = np.array((0.72, 0.69, 0.62), np.float32) * (0.9 + 0.1 * (np.arange(blind) // 3 % 2))[:, None, None]
    for line in (slice(0, 3), slice(rows // 2 - 1, rows // 2 + 2), slice(rows - 4, rows)):
        pane[line] = (0.62, 0.6, 0.56)
    for line in (slice(0, 3), slice(columns // 2 - 1, columns // 2 + 2), slice(columns - 3, columns)):
        pane[:, line] = (0.62, 0.6, 0.56)


def stain(wall: Array, x: float, y: float, width: float, height: float, tint: Tint) -> None:
    """Tint a rectangle of ``wall`` (a door, a skirting board); metres from its top left corner."""
    left, top, right, bottom = (round(v * SCALE) for v in (x, y, x + width, y + height))
    wall[top:bottom, left:right] *= np.asarray(tint, np.float32)


def sign(wall: Array, text: str, x: float, y: float, size: float, tint: Tint) -> None:
    """Letters ``size`` metres high into ``wall``; metres from its top left corner to the text's bottom left."""
    at = (round(x * SCALE), round(y * SCALE))
    cv2.putText(wall, text, at, cv2.FONT_HERSHEY_DUPLEX, size * SCALE / 22, tint, max(1, round(size * 6)), cv2.LINE_AA)


def hole(wall: Array, x: float, y: float, width: float, height: float) -> Array:
    """The wall as RGBA with a doorway; metres from the top left corner."""
    alpha = np.ones((*wall.shape[:2], 1), np.float32)
    left, top, right, bottom = (round(v * SCALE) for v in (x, y, x + width, y + height))
    wall[max(top - 5, 0) : bottom, max(left - 5, 0) : right + 5] *= 0.6
    alpha[top:bottom, left:right] = 0
    return np.concatenate((wall, alpha), axis=2)


def column(rng: np.random.Generator, width: float, height: float, tint: Tint) -> Array:
    """A round pillar, lit from the left."""
    picture = plain(rng, width, height, tint, 0.04)
    across = np.linspace(-1, 1, picture.shape[1], dtype=np.float32)
    light = 0.45 + 0.6 * np.sqrt(np.clip(1 - (across + 0.3) ** 2 / 1.7, 0, 1))
    return _clip(picture * light[None, :, None])


def foliage(rng: np.random.Generator, width: float, height: float, tint: Tint) -> Array:
    """A crown or shrub, RGBA: leaves as many small blots, light above."""
    rows, columns = round(height * SCALE), round(width * SCALE)
    picture = np.zeros((rows, columns, 4), np.float32)
    for _ in range(round(width * height * 220)):
        radius, turn = np.sqrt(rng.uniform(0, 1)) * 0.47, rng.uniform(0, 2 * np.pi)
        x, y = columns * (0.5 + radius * np.cos(turn)), rows * (0.5 + radius * np.sin(turn))
        light = (1.25 - 0.9 * y / rows) * rng.uniform(0.7, 1.3)
        colour = (*(float(np.clip(channel * light, 0, 1)) for channel in tint), 1.0)
        axes = (int(rng.integers(2, 6)), int(rng.integers(2, 4)))
        cv2.ellipse(picture, (int(x), int(y)), axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    return picture


def car(rng: np.random.Generator, tint: Tint) -> Array:
    """The side of a parked car, 4.3 x 1.5 m, RGBA."""
    rows, columns = round(1.5 * SCALE), round(4.3 * SCALE)
    picture = np.zeros((rows, columns, 4), np.float32)

    def outline(points: Sequence[tuple[float, float]], colour: Sequence[float]) -> None:
        corners = np.array(points) * (SCALE, -SCALE) + (0, rows)
        cv2.fillPoly(picture, [np.round(corners * 16).astype(np.int32)], (*colour, 1.0), cv2.LINE_AA, 4)

    outline(
        ((0.05, 0.3), (0.1, 0.75), (0.9, 0.92), (1.45, 1.42), (2.9, 1.45), (3.5, 0.98), (4.15, 0.85), (4.27, 0.3)),
        tint,
    )
    light = np.linspace(1.25, 0.55, rows, dtype=np.float32)[:, None, None]
    picture[..., :3] = _clip(picture[..., :3] * light * (1 + 0.02 * clouds(rng, rows, columns, (32,))[..., None]))
    outline(((1.1, 0.95), (1.52, 1.34), (2.1, 1.36), (2.1, 0.95)), (0.16, 0.2, 0.24))
    outline(((2.2, 0.95), (2.2, 1.36), (2.85, 1.36), (3.3, 0.98)), (0.14, 0.18, 0.22))
    for x in (0.9, 3.4):
        for radius, colour in ((0.33, (0.06, 0.06, 0.06)), (0.2, (0.5, 0.5, 0.52)), (0.07, (0.2, 0.2, 0.2))):
            turn = np.linspace(0, 2 * np.pi, 40)
            outline(list(zip(x + radius * np.cos(turn), 0.33 + radius * np.sin(turn), strict=True)), colour)
    return picture


def _clip(picture: Array) -> Array:
    return np.clip(picture, 0, 1).astype(np.float32)
