"""Frames of one camera: backdrop, shadows, people from far to near, noise; and what of whom can be seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from vidreid.types import Array, Image
from vidreid.world.body import Body, sculpt
from vidreid.world.gait import Stance, pose
from vidreid.world.people import Person
from vidreid.world.scene import Scene, paint_backdrop

FINE = 2  # sub-pixels a pixel, along each axis
REACH = 1.8  # metres beside the picture from which a person's shadow may still fall into it
MIN_HEIGHT, MIN_VISIBILITY = 8, 0.1  # of a truth box; pixels, share


@dataclass(frozen=True, slots=True)
class Sighting:
    """A truth box: ``box`` x1, y1, x2, y2 in whole pixels, ``visibility`` 0..1."""

    person: int
    box: tuple[int, int, int, int]
    visibility: float


@dataclass(frozen=True, slots=True)
class Sprite:
    """A person alone: premultiplied RGBA float32 (h, w, 4), colours of 255, alpha 0..1; top left pixel; metres away."""

    pixels: Array
    left: int
    top: int
    distance: float

    def inside(self, width: int, height: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """The part within a picture: rows and columns of the picture, and of the sprite (maybe empty)."""
        rows, columns = self.pixels.shape[:2]
        top, bottom = max(self.top, 0), min(self.top + rows, height)
        left, right = max(self.left, 0), min(self.left + columns, width)
        bottom, right = max(bottom, top), max(right, left)
        here = slice(top, bottom), slice(left, right)
        there = slice(top - self.top, bottom - self.top), slice(left - self.left, right - self.left)
        return here, there


class Studio:
    """Renders one camera's view. The same stances and frame number always give the same picture."""

    def __init__(self, scene: Scene, people: Mapping[int, Person], seed: int) -> None:
        self.scene = scene
        self._people = people
        self._seed = seed
        self._backdrop = paint_backdrop(scene)
        self._curves = scene.look.curves().T.copy()
        self._vignette = scene.look.shading(scene.camera.width, scene.camera.height)
        self._bodies: dict[tuple[int, int], Body] = {}
        self._noise = _noise_bank(np.random.default_rng([seed, 4]), scene)

    def frame(self, stances: Mapping[int, Stance], number: int) -> tuple[Image, list[Sighting]]:
        """The picture of people (id to stance) at frame ``number``, and who is in it, by id."""
        picture = self._backdrop.picture.astype(np.float32)
        drawn: list[tuple[int, Sprite]] = []
        for person, stance in sorted(stances.items(), key=lambda item: -item[1].y):
            if self._near_picture(stance):
                sprite, shadow = self.sprite(person, stance)
                self._darken(picture, shadow)
                drawn.append((person, sprite))
        for _, sprite in drawn:
            self._paint(picture, sprite)
        return self._develop(picture, number), sorted(self._sightings(drawn), key=lambda seen: seen.person)

    def sprite(self, person: int, stance: Stance) -> tuple[Sprite, Sprite]:
        """The person alone, nothing in front, and the shadow (alpha only), neither clipped to the picture."""
        who, camera = self._people[person], self.scene.camera
        fine = FINE * camera.focal / max(np.hypot(stance.y, camera.elevation - 1), 1.5)
        body = self._body(who, fine)
        points, normals = body.posed(pose(stance, who.height, who.build, who.swing))
        eye = np.array((0, 0, camera.elevation)) - (stance.x, stance.y, 1.0)
        facing = (eye / np.linalg.norm(eye)).astype(np.float32) @ normals
        front = np.flatnonzero(facing > 0)
        colours = self._lit(body.colours.take(front, 1), normals.take(front, 1), facing[front])
        pixels, left, top = _splat(camera.project(points.take(front, 1)), colours, FINE, self.scene.look.blur)
        return Sprite(pixels, left, top, stance.y), self._shadow(points[:, ::4], stance)

    def _body(self, person: Person, fine: float) -> Body:
        """The person's body, coarser where it is far away: a point for about every 1.6 sub-pixels."""
        level = int(np.floor(np.log(max(1.6 / fine, 0.004)) / np.log(1.25)))
        key = (person.number, level)
        if key not in self._bodies:
            self._bodies[key] = sculpt(person, 1.25**level)
        return self._bodies[key]

    def _lit(self, colours: Array, normals: Array, facing: Array) -> Array:
        light = self.scene.light
        direct = np.maximum(light.direction.astype(np.float32) @ normals, 0)
        sky = 0.78 + 0.22 * normals[2] + 0.12 * facing
        shade = np.outer(light.ambient, sky) + np.outer(light.direct, direct)
        levels = np.minimum(255 * colours * np.maximum(shade, 0), 255).astype(np.uint8)
        return np.stack([curve[level] for curve, level in zip(self._curves, levels, strict=True)], axis=1)

    def _shadow(self, points: Array, stance: Stance) -> Sprite:
        toward = self.scene.light.direction.astype(np.float32)
        cast = points - np.outer(toward / toward[2], points[2])
        black = np.zeros((cast.shape[1], 3), np.uint8)
        return Sprite(*_splat(self.scene.camera.project(cast), black, 1, 1.6), stance.y)

    def _near_picture(self, stance: Stance) -> bool:
        camera = self.scene.camera
        u, _, depth = camera.project(np.array(((stance.x,), (stance.y,), (1.0,))))[:, 0]
        return bool(depth > 1 and abs(u - camera.width / 2) < camera.width / 2 + REACH * camera.focal / depth)

    def _darken(self, picture: Array, shadow: Sprite) -> None:
        here, there = shadow.inside(picture.shape[1], picture.shape[0])
        alpha = shadow.pixels[there][..., 3] * self._backdrop.uncovered(shadow.distance)[here]
        picture[here] *= 1 - self.scene.light.shadow * alpha[..., None]

    def _paint(self, picture: Array, sprite: Sprite) -> None:
        here, there = sprite.inside(picture.shape[1], picture.shape[0])
        pixels = sprite.pixels[there] * self._backdrop.uncovered(sprite.distance)[here][..., None]
        picture[here] = picture[here] * (1 - pixels[..., 3:]) + pixels[..., :3] * self._vignette[here]

    def _develop(self, picture: Array, number: int) -> Image:
        rng = np.random.default_rng([self._seed, 5, number])
        height, width = picture.shape[:2]
        bank = self._noise[rng.integers(len(self._noise))]
        y, x = rng.integers(0, 32, 2)
        return np.asarray(cv2.add(picture, bank[y : y + height, x : x + width], dtype=cv2.CV_8U))

    def _sightings(self, drawn: list[tuple[int, Sprite]]) -> list[Sighting]:
        """Truth from far to near ``drawn`` sprites; what is nearer hides."""
        height, width = self._vignette.shape[:2]
        clear = np.ones((height, width), np.float32)
        found = []
        for person, sprite in reversed(drawn):
            here, there = sprite.inside(width, height)
            alpha = sprite.pixels[..., 3]
            inside = alpha[there]
            seen = float((inside * clear[here] * self._backdrop.uncovered(sprite.distance)[here]).sum())
            clear[here] *= 1 - inside
            box = _tight(inside, here)
            visibility = seen / float(alpha.sum())
            if box and box[3] - box[1] >= MIN_HEIGHT and visibility >= MIN_VISIBILITY:
                found.append(Sighting(person, box, min(visibility, 1.0)))
        return found


def _tight(alpha: Array, here: tuple[slice, slice]) -> tuple[int, int, int, int] | None:
    """The box around the pixels that are at least half covered, None where there are none."""
    solid = alpha >= 0.5
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not len(rows):
        return None
    top, left = here[0].start, here[1].start
    return left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]) + 1, top + int(rows[-1]) + 1


def _splat(seen: Array, colours: Array, fine: int, blur: float) -> tuple[Array, int, int]:
    """Draw points (u, v, depth) as 2 x 2 sub-pixels, the nearest on top; close pinholes; shrink and soften.

    ``fine`` sub-pixels make a pixel along each axis. Returns pixels as in `Sprite`, left, top.
    """
    margin = 2 + round(2 * blur)
    u, v, depth = seen
    left, top = (int(np.floor(axis.min())) - margin for axis in (u, v))
    columns, rows = (int(np.ceil(axis.max())) + margin - edge for axis, edge in ((u, left), (v, top)))
    width, height = columns * fine, rows * fine
    # 16-bit keys make the stable sort a radix sort, five times as fast as sorting floats.
    steps = ((depth.max() - depth) * (65535 / max(float(np.ptp(depth)), 1e-6))).astype(np.uint16)
    order = np.argsort(steps, kind="stable")
    place = ((v - top) * fine).astype(np.int32) * width + ((u - left) * fine).astype(np.int32)
    packed = np.full((len(order), 4), 255, np.uint8)
    packed[:, :3] = colours
    canvas = np.zeros(height * width, np.uint32)
    # Where an index occurs twice NumPy keeps the last value, which is the nearest.
    canvas[(place[order, None] + np.array((0, 1, width, width + 1))).ravel()] = packed.view(np.uint32)[order].repeat(4)
    large = _closed(canvas.view(np.uint8).reshape(height, width, 4))
    small = cv2.resize(large, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    soft = cv2.GaussianBlur(small, (0, 0), blur)
    soft[..., 3] /= 255
    return soft, left, top


def _closed(picture: Array) -> Array:
    """Fill pinholes between points with the colour beside them."""
    alpha = np.ascontiguousarray(picture[..., 3])
    kernel = np.ones((3, 3), np.uint8)
    holes = cv2.morphologyEx(alpha, cv2.MORPH_CLOSE, kernel) & ~alpha
    return np.asarray(cv2.copyTo(cv2.dilate(picture, kernel), holes, picture))


def _noise_bank(rng: np.random.Generator, scene: Scene) -> Array:
    """Six fields of sensor noise, a little larger than the picture, so that a shift makes many of them."""
    shape = (6, scene.camera.height + 32, scene.camera.width + 32, 3)
    luma = rng.standard_normal((*shape[:3], 1), dtype=np.float32)
    colour = rng.standard_normal(shape, dtype=np.float32)
    return np.asarray(scene.look.noise * (0.8 * luma + 0.5 * colour), dtype=np.float32)
