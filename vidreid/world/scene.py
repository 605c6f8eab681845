"""What a view of the site is made of: pinhole camera, light, the camera's look, painted rectangles, routes.

World axes of a view: x to the right, y away from the camera along the ground, z up; metres; the camera stands
above the origin. Views have nothing in common but time: they do not overlap.
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate

import cv2
import numpy as np

from vidreid.types import Array

Route = tuple[tuple[float, float], ...]
OVERSIZE = 3  # of the canvas on which a backdrop is painted


@dataclass(frozen=True, slots=True)
class Pinhole:
    """A camera ``elevation`` metres up that looks along +y, ``pitch`` radians down; ``focal`` and size in pixels."""

    width: int
    height: int
    focal: float
    elevation: float
    pitch: float

    def scaled(self, factor: float) -> Pinhole:
        width, height = round(self.width * factor), round(self.height * factor)
        return Pinhole(width, height, self.focal * factor, self.elevation, self.pitch)

    @property
    def matrix(self) -> Array:
        """3 x 4: homogeneous world to (u w, v w, w), where w is the depth in metres."""
        c, s = np.cos(self.pitch), np.sin(self.pitch)
        right, down, ahead = (1.0, 0.0, 0.0), (0.0, -s, -c), (0.0, c, -s)
        axes = np.array((right, down, ahead))
        extrinsic = np.column_stack((axes, -axes @ (0.0, 0.0, self.elevation)))
        inner = np.array(((self.focal, 0, self.width / 2), (0, self.focal, self.height / 2), (0, 0, 1)))
        return np.asarray(inner @ extrinsic)

    def project(self, points: Array) -> Array:
        """World points (3, n) to rows u, v in pixels and depth in metres, in the points' type."""
        matrix = self.matrix.astype(points.dtype)
        seen = matrix[:, :3] @ points + matrix[:, 3:]
        seen[:2] /= seen[2]
        return np.asarray(seen)


@dataclass(frozen=True, slots=True)
class Light:
    """``toward`` points at the light; ``ambient`` and ``direct`` are RGB; ``shadow`` is how dark one is, 0..1."""

    toward: tuple[float, float, float]
    ambient: tuple[float, float, float]
    direct: tuple[float, float, float]
    shadow: float

    @property
    def direction(self) -> Array:
        return np.array(self.toward) / float(np.linalg.norm(self.toward))


@dataclass(frozen=True, slots=True)
class Look:
    """What the camera does to a picture: colour cast, gamma, black level, vignette, blur (pixels), noise (of 255)."""

    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gamma: float = 1.0
    black: float = 0.0
    vignette: float = 0.2
    blur: float = 0.6
    noise: float = 3.0

    def curves(self) -> Array:
        """Lookup table (256, 3) uint8 from light to picture."""
        level = np.linspace(0, 1, 256)[:, None] ** self.gamma
        curve = self.black + (1 - self.black) * level * self.cast
        return np.asarray(np.clip(255 * curve, 0, 255).round(), dtype=np.uint8)

    def shading(self, width: int, height: int) -> Array:
        """The vignette, float32 (height, width, 1): 1 in the middle."""
        x = np.linspace(-1, 1, width)[None, :]
        y = np.linspace(-1, 1, height)[:, None]
        return np.asarray(1 - self.vignette * (x**2 + y**2) / 2, dtype=np.float32)[..., None]


@dataclass(frozen=True, slots=True)
class Panel:
    """A painted rectangle: ``corner`` is the texture's bottom left, ``across`` and ``up`` its edges in metres.

    ``texture`` is float32 RGB or RGBA, 0..1.
    """

    texture: Array
    corner: tuple[float, float, float]
    across: tuple[float, float, float]
    up: tuple[float, float, float]

    def drawn(self, camera: Pinhole) -> Array:
        """RGBA float32 picture of the panel alone, through the camera."""
        corner, across, up = (np.array(edge, dtype=np.float64) for edge in (self.corner, self.across, self.up))
        target = camera.project(np.stack((corner + up, corner + up + across, corner + across, corner), axis=1))[:2].T
        height, width = self.texture.shape[:2]
        source = np.array(((0, 0), (width, 0), (width, height), (0, height)), dtype=np.float32)
        homography = cv2.getPerspectiveTransform(source, target.astype(np.float32))
        picture = self.texture
        if picture.shape[2] == 3:
            picture = np.dstack((picture, np.ones(picture.shape[:2], np.float32)))
        premultiplied = picture * np.concatenate((picture[..., 3:].repeat(3, 2), np.ones_like(picture[..., 3:])), 2)
        drawn = cv2.warpPerspective(premultiplied, homography, (camera.width, camera.height), flags=cv2.INTER_LINEAR)
        return np.asarray(drawn)


@dataclass(frozen=True, slots=True)
class Prop:
    """Panels at one distance: people beyond ``distance`` metres (along y) are hidden behind it where it is opaque."""

    distance: float
    panels: tuple[Panel, ...]
    hides: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """One view. ``props`` hold the ground and everything on it; people walk ``routes`` in either direction."""

    camera: Pinhole
    light: Light
    look: Look
    props: tuple[Prop, ...]
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A scene without people: ``picture`` uint8 (h, w, 3) as the camera shows it, and what stands before people.

    ``distances`` of the covers ascend; ``open[k]`` (h, w) is the share of light that passes the first k of them.
    """

    picture: Array
    distances: tuple[float, ...]
    open: tuple[Array, ...]

    def uncovered(self, distance: float) -> Array:
        """Share of light that reaches the camera from ``distance``, float32 (h, w)."""
        return self.open[bisect(self.distances, distance)]


def paint_backdrop(scene: Scene) -> Backdrop:
    """Draw a scene's props from far to near, several times too large, and shrink."""
    camera = scene.camera.scaled(OVERSIZE)
    canvas = np.full((camera.height, camera.width, 3), 0.8, np.float32)
    covers: list[tuple[float, Array]] = []
    for prop in sorted(scene.props, key=lambda prop: -prop.distance):
        opacity = np.zeros(canvas.shape[:2], np.float32)
        for panel in prop.panels:
            drawn = panel.drawn(camera)
            canvas = canvas * (1 - drawn[..., 3:]) + drawn[..., :3]
            opacity = np.maximum(opacity, drawn[..., 3])
        if prop.hides:
            covers.insert(0, (prop.distance, _shrunk(opacity, scene)))
    levels = np.clip(255 * _shrunk(canvas, scene), 0, 255).round().astype(np.uint8)
    shown = scene.look.curves()[levels, np.arange(3)] * scene.look.shading(scene.camera.width, scene.camera.height)
    picture = np.clip(shown, 0, 255).astype(np.uint8)
    clear = np.ones(picture.shape[:2], np.float32)
    opening = accumulate((1 - opacity for _, opacity in covers), np.multiply, initial=clear)
    return Backdrop(picture, tuple(distance for distance, _ in covers), tuple(opening))


def _shrunk(picture: Array, scene: Scene) -> Array:
    size = (scene.camera.width, scene.camera.height)
    return np.asarray(
        cv2.GaussianBlur(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), (0, 0), scene.look.blur)
    )
