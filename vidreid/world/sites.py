"""The three views of the site: north (a sunny plaza), hall (a neon-lit corridor), yard (a dusky car park)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from vidreid.types import Array
from vidreid.world import texture
from vidreid.world.scene import Light, Look, Panel, Pinhole, Prop, Scene


def north(seed: int, width: int, height: int) -> Scene:
    """A plaza in front of a facade, warm low sun from the left, a tree and a lamp post in the way."""
    rng = np.random.default_rng([seed, 11])
    facade = texture.tiles(rng, 26, 7, (0.74, 0.62, 0.48), tile=(0.5, 0.25), bond=True)
    for left in np.arange(1.2, 24, 3.0):
        texture.window(rng, facade, left, 3.4, 1.5, 1.9)
        texture.window(rng, facade, left, 0.4, 1.5, 1.9)
    texture.stain(facade, 0, 6.7, 26, 0.3, (0.55, 0.55, 0.55))
    trunk = texture.column(rng, 0.34, 3.6, (0.36, 0.27, 0.2))
    crown = texture.foliage(rng, 3.4, 2.4, (0.3, 0.46, 0.2))
    kerb = texture.plain(rng, 1.5, 0.45, (0.52, 0.5, 0.47))
    shrub = texture.foliage(rng, 1.5, 0.8, (0.26, 0.4, 0.2))
    lamp = texture.column(rng, 0.16, 5, (0.24, 0.26, 0.26))
    tree = (
        _upright(kerb, -3.1, 7.4, 1.5, 0.45),
        _upright(shrub, -3.1, 7.4, 1.5, 0.8, 0.3),
        _upright(trunk, -2.5, 7.4, 0.34, 3.6),
        _upright(crown, -4.0, 7.4, 3.4, 2.4, 2.3),
    )
    wall = texture.hole(facade, 11.6, 4.55, 1.5, 2.45)
    return Scene(
        camera=Pinhole(width, height, 0.86 * width, 3.1, 0.24),
        light=Light((-0.7, -0.5, 0.9), (0.56, 0.56, 0.6), (0.62, 0.58, 0.5), 0.42),
        look=Look(cast=(1.04, 1.0, 0.92), gamma=0.95, vignette=0.22, blur=0.55, noise=2.5),
        props=(
            _ground(texture.tiles(rng, 40, 30, (0.6, 0.57, 0.53), tile=(0.9, 0.6), bond=True)),
            Prop(19, (_upright(np.full((96, 96, 3), 0.16, np.float32), -3.0, 19, 4, 3),), hides=False),
            Prop(16.5, (_upright(wall, -13, 16.5, 26, 7),)),
            Prop(7.4, tree),
            Prop(9.2, (_upright(lamp, 2.7, 9.2, 0.16, 5),)),
        ),
        routes=(
            ((-7.0, 6.3), (0.0, 5.9), (6.0, 6.4)),
            ((-9.0, 8.4), (0.0, 8.3), (8.5, 8.3)),
            ((-10.5, 11.5), (0.0, 10.4), (10.0, 11.0)),
            ((-0.6, 19.0), (-0.6, 15.5), (0.4, 9.0), (-6.5, 6.0)),
            ((-0.6, 19.0), (-0.6, 15.0), (1.2, 8.0), (1.2, 2.2)),
            ((11.0, 12.5), (4.5, 11.5), (0.2, 7.5), (-0.4, 2.2)),
        ),
    )


def hall(seed: int, width: int, height: int) -> Scene:
    """A corridor under neon tubes, greenish and noisy; pillars in front, a door at the far end."""
    rng = np.random.default_rng([seed, 12])
    end = texture.plain(rng, 14, 4, (0.7, 0.7, 0.64), 0.03)
    texture.sign(end, "HALL B", 8.8, 1.6, 0.4, (0.16, 0.3, 0.42))
    sides = texture.plain(rng, 16, 4, (0.72, 0.72, 0.66), 0.03)
    texture.stain(sides, 0, 3.8, 16, 0.2, (0.6, 0.6, 0.6))
    for left in (2.0, 6.0, 10.5):
        texture.stain(sides, left, 1.7, 1.1, 2.3, (0.52, 0.42, 0.34))
    pillar = texture.column(rng, 0.5, 4, (0.74, 0.73, 0.7))
    shelf = texture.tiles(rng, 1.9, 1.25, (0.46, 0.36, 0.27), tile=(0.38, 0.3))
    shelf = shelf * (0.6 + 0.8 * texture.clouds(rng, shelf.shape[0], shelf.shape[1], (14,))[..., None].clip(0, 1))
    floor = texture.tiles(rng, 14, 22, (0.56, 0.57, 0.54), tile=(0.6, 0.6))
    return Scene(
        camera=Pinhole(width, height, 0.8 * width, 2.7, 0.2),
        light=Light((0.3, -0.7, 1.0), (0.52, 0.55, 0.52), (0.56, 0.58, 0.55), 0.32),
        look=Look(cast=(0.94, 1.02, 0.93), gamma=1.08, black=0.03, vignette=0.3, blur=0.65, noise=4.0),
        props=(
            _ground(floor, 7.0),
            Prop(19, (_upright(np.full((96, 96, 3), 0.3, np.float32), -2.5, 19, 4, 3),), hides=False),
            Prop(15.5, (_upright(texture.hole(end, 5.4, 1.7, 1.7, 2.3), -7, 15.5, 14, 4),)),
            Prop(15.4, (_along(sides, -6.2, 4), _along(sides[:, ::-1].copy(), 6.2, 4)), hides=False),
            Prop(6.8, (_upright(pillar, 1.5, 6.8, 0.5, 4),)),
            Prop(10.2, (_upright(pillar, -3.4, 10.2, 0.5, 4),)),
            Prop(11.4, (_upright(shelf, 3.2, 11.4, 1.9, 1.25),)),
        ),
        routes=(
            ((-5.4, 5.6), (0.0, 5.5), (5.6, 5.7)),
            ((-6.6, 8.0), (0.0, 8.3), (7.0, 8.0)),
            ((-0.7, 18.5), (-0.7, 15.0), (-0.2, 9.0), (-0.4, 2.2)),
            ((-0.7, 18.5), (-0.8, 15.0), (-1.8, 9.0), (-6.0, 6.0)),
            ((-0.7, 18.5), (-0.6, 15.0), (0.6, 9.5), (6.8, 7.8)),
            ((0.3, 2.2), (0.4, 7.0), (1.4, 9.4), (7.6, 9.2)),
        ),
    )


def yard(seed: int, width: int, height: int) -> Scene:
    """A car park before a brick shop front at dusk: bluish, flat light; parked cars in front."""
    rng = np.random.default_rng([seed, 13])
    bricks = texture.tiles(rng, 30, 6, (0.5, 0.3, 0.25), tile=(0.36, 0.16), bond=True)
    for left in (3.0, 9.0, 20.5):
        texture.window(rng, bricks, left, 3.3, 3.6, 2.0)
    texture.sign(bricks, "MARKET", 13.0, 2.6, 0.75, (0.86, 0.82, 0.7))
    asphalt = texture.plain(rng, 44, 30, (0.36, 0.36, 0.37), 0.09)
    for left in range(2, 44, 3):
        asphalt[: 24 * texture.SCALE, left * texture.SCALE : left * texture.SCALE + 5] = 0.66
    asphalt[17 * texture.SCALE : 17 * texture.SCALE + 6] = 0.66
    return Scene(
        camera=Pinhole(width, height, 0.9 * width, 3.4, 0.25),
        light=Light((0.6, -0.7, 1.1), (0.56, 0.6, 0.68), (0.34, 0.34, 0.36), 0.25),
        look=Look(cast=(0.92, 0.97, 1.06), gamma=1.05, black=0.02, vignette=0.25, blur=0.65, noise=3.5),
        props=(
            _ground(asphalt, 22.0),
            Prop(20, (_upright(np.full((96, 96, 3), 0.7, np.float32), 2.0, 20, 5, 3),), hides=False),
            Prop(17.5, (_upright(texture.hole(bricks, 17.6, 3.4, 1.7, 2.6), -15, 17.5, 30, 6),)),
            Prop(13.5, (_upright(texture.car(rng, (0.5, 0.52, 0.55)), -8.2, 13.5, 4.3, 1.5),)),
            Prop(8.2, (_upright(texture.car(rng, (0.44, 0.1, 0.1)), 1.6, 8.2, 4.3, 1.5),)),
            Prop(6.6, (_upright(texture.column(rng, 0.2, 1.0, (0.7, 0.6, 0.2)), -1.9, 6.6, 0.2, 1.0),)),
        ),
        routes=(
            ((-6.5, 5.9), (0.0, 5.7), (6.2, 6.0)),
            ((-8.6, 7.5), (0.0, 7.4), (8.0, 7.3)),
            ((-9.8, 10.2), (0.0, 10.0), (9.6, 9.8)),
            ((-11.5, 12.2), (0.0, 12.0), (11.0, 12.4)),
            ((3.4, 20.0), (3.4, 16.5), (0.6, 11.0), (-0.3, 2.4)),
            ((3.4, 20.0), (3.4, 16.0), (-2.0, 9.0), (-6.8, 6.6)),
            ((3.4, 20.0), (3.4, 16.0), (6.8, 9.6), (8.0, 7.2)),
        ),
    )


SITES: Mapping[str, Callable[[int, int, int], Scene]] = {"north": north, "hall": hall, "yard": yard}


def _ground(surface: Array, half: float = 20.0) -> Prop:
    depth = surface.shape[0] / texture.SCALE
    panel = Panel(surface, (-half, 1.0, 0.0), (2 * half, 0.0, 0.0), (0.0, depth, 0.0))
    return Prop(1000.0, (panel,), hides=False)


def _upright(surface: Array, left: float, y: float, width: float, height: float, z: float = 0.0) -> Panel:
    """A panel that faces the camera."""
    return Panel(surface, (left, y, z), (width, 0.0, 0.0), (0.0, 0.0, height))


def _along(surface: Array, x: float, first: float) -> Panel:
    """A wall that runs away from the camera."""
    length, height = surface.shape[1] / texture.SCALE, surface.shape[0] / texture.SCALE
    return Panel(surface, (x, first, 0.0), (0.0, length, 0.0), (0.0, 0.0, height))
