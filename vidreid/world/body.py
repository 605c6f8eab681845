"""From a person's description to a cloud of coloured, oriented surface points hung on the bones of `gait`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from vidreid.types import Array
from vidreid.world.gait import ANKLE, BONES, ELBOW, HIP, KNEE, SHOULDER, Pose
from vidreid.world.people import Colour, Person
from vidreid.world.surface import Surface, block, ellipsoid, limb, turned

Paint = Callable[[Surface], Array]
Part = tuple[str, Surface, Paint]


@dataclass(frozen=True, slots=True)
class Body:
    """``points`` and ``normals`` (3, n) in their bone's axes, ``colours`` (3, n) 0..1, float32.

    Bone k owns the points from ``bounds[k]`` to ``bounds[k + 1]``.
    """

    points: Array
    normals: Array
    colours: Array
    bounds: tuple[int, ...]

    def posed(self, pose: Pose) -> tuple[Array, Array]:
        """Points and normals in the world, float32 (3, n) each."""
        points, normals = np.empty_like(self.points), np.empty_like(self.normals)
        for bone, (first, stop) in enumerate(zip(self.bounds[:-1], self.bounds[1:], strict=True)):
            turn = pose.rotation[bone].astype(np.float32)
            points[:, first:stop] = turn @ self.points[:, first:stop] + pose.joint[bone, :, None].astype(np.float32)
            normals[:, first:stop] = turn @ self.normals[:, first:stop]
        return points, normals


def sculpt(person: Person, spacing: float) -> Body:
    """The body of a person, with points about ``spacing`` metres apart."""
    rng = np.random.default_rng([person.number, 7])
    parts = sorted(_parts(person, spacing), key=lambda part: BONES.index(part[0]))
    counts = [sum(len(part[1].angle) for part in parts if part[0] == bone) for bone in BONES]
    points = np.concatenate([surface.points for _, surface, _ in parts])
    normals = np.concatenate([surface.normals for _, surface, _ in parts])
    colours = np.concatenate([paint(surface) for _, surface, paint in parts]) / 255
    colours *= 1 + 0.05 * rng.standard_normal((len(colours), 1))
    bounds = (0, *np.cumsum(counts).tolist())
    return Body(_columns(points), _columns(normals), _columns(np.clip(colours, 0.02, 1)), bounds)


def _columns(rows: Array) -> Array:
    """Rows of three to three rows, so that each coordinate lies in one piece of memory."""
    return np.ascontiguousarray(rows.T, dtype=np.float32)


def _parts(person: Person, spacing: float) -> Iterator[Part]:
    yield from _head(person, spacing)
    yield from _torso(person, spacing)
    yield from _bottom(person, spacing)
    for side, sign in (("left", -1.0), ("right", 1.0)):
        yield from _arm(person, spacing, side)
        yield from _leg(person, spacing, side, sign)
    yield from _bag(person, spacing)


def _head(person: Person, spacing: float) -> Iterator[Part]:
    h = person.height
    yield "head", limb(0.03 * h, 0.027 * h, 0.03 * h, spacing).moved(z=0.02 * h), _plain(person.skin)
    skull = ellipsoid(0.047 * h, 0.058 * h, 0.07 * h, spacing).moved(y=0.008 * h, z=0.082 * h)
    yield "head", skull, _face(person)
    nose = ellipsoid(0.008 * h, 0.012 * h, 0.012 * h, spacing).moved(y=0.066 * h, z=0.075 * h)
    yield "head", nose, _plain(person.skin)
    if person.hair == "long":
        fall = turned(
            np.array(((0.142, 0.0, 0.0), (0.13, 0.03, 0.03), (0.08, 0.053, 0.048), (-0.06, 0.05, 0.028))) * h, spacing
        )
        yield "head", fall.moved(y=-0.022 * h), _plain(person.hair_colour)
    if person.hair == "bun":
        bun = ellipsoid(0.026 * h, 0.026 * h, 0.026 * h, spacing).moved(y=-0.055 * h, z=0.125 * h)
        yield "head", bun, _plain(person.hair_colour)
    if person.hair == "cap":
        peak = ellipsoid(0.036 * h, 0.045 * h, 0.007 * h, spacing).moved(y=0.075 * h, z=0.108 * h)
        yield "head", peak, _plain(person.trim)


def _torso(person: Person, spacing: float) -> Iterator[Part]:
    h, wide = person.height, person.build
    loose = {"T-shirt": 1.0, "pullover": 1.04, "jacket": 1.08, "coat": 1.1}[person.top]
    profile = np.array(
        (
            (-0.055, 0.0, 0.0),
            (-0.05, 0.084, 0.064),
            (0.0, 0.085, 0.064),
            (0.07, 0.078, 0.056),
            (0.17, 0.093, 0.066),
            (0.23, 0.1, 0.062),
            (0.27, 0.093, 0.05),
            (0.297, 0.062, 0.04),
            (0.33, 0.03, 0.03),
        )
    )
    fatness = np.array((1.0, wide * loose, wide**1.5 * loose))
    trunk = turned(profile * h * fatness, spacing)
    yield "chest", trunk, _top(person)
    if person.top == "coat":
        tails = np.array(((0.02, 0.088, 0.066), (-0.12, 0.105, 0.085), (-0.2, 0.112, 0.092)))
        yield "pelvis", turned(tails * h * fatness, spacing), _top(person)


def _bottom(person: Person, spacing: float) -> Iterator[Part]:
    h, wide = person.height, person.build
    seat = ellipsoid(0.086 * h * wide, 0.066 * h * wide, 0.07 * h, spacing).moved(z=-0.02 * h)
    yield "pelvis", seat, _cloth(person.bottom_colour)
    if person.bottom == "skirt":
        flare = np.array(((0.03, 0.084, 0.062), (-0.06, 0.096, 0.08), (-0.21, 0.115, 0.1)))
        yield "pelvis", turned(flare * h * (1.0, wide, wide), spacing), _cloth(person.bottom_colour)


def _arm(person: Person, spacing: float, side: str) -> Iterator[Part]:
    h, thick = person.height, person.height * person.build**0.7
    loose = 1.0 if person.top == "T-shirt" else 1.13
    upper, lower = (SHOULDER - ELBOW) * h, 0.135 * h
    bare = person.top == "T-shirt"
    cuff = -0.65 * upper if bare else -upper * 2
    sleeve = limb(upper, 0.029 * thick * loose, 0.025 * thick * loose, spacing)
    yield f"{side} arm", sleeve, _hemmed(_sleeve(person), person.skin, cuff)
    forearm = limb(lower, 0.025 * thick * loose, 0.019 * thick * loose, spacing)
    yield f"{side} forearm", forearm, _plain(person.skin) if bare else _sleeve(person)
    hand = ellipsoid(0.014 * h, 0.022 * h, 0.042 * h, spacing).moved(z=-lower - 0.035 * h)
    yield f"{side} forearm", hand, _plain(person.skin)


def _leg(person: Person, spacing: float, side: str, sign: float) -> Iterator[Part]:
    h, thick = person.height, person.height * person.build**0.8
    upper, lower = (HIP - KNEE) * h, (KNEE - ANKLE) * h
    covered = person.bottom == "trousers"
    cloth = _cloth(person.bottom_colour)
    start = 0.025 * h
    thigh = limb(upper - start, 0.045 * thick, (0.04 if covered else 0.035) * thick, spacing, depth=1.1).moved(z=-start)
    hem = {"trousers": -2 * upper, "shorts": -0.8 * upper, "skirt": -0.85 * upper}[person.bottom]
    yield f"{side} thigh", thigh, _hemmed(cloth, person.skin, hem)
    shin = limb(lower, (0.039 if covered else 0.033) * thick, (0.032 if covered else 0.021) * thick, spacing)
    yield f"{side} shin", shin, cloth if covered else _plain(person.skin)
    shoe = limb(0.1 * h, 0.032 * h, 0.027 * h, spacing, depth=1.0).tipped()
    low = Surface(shoe.points * (1.0, -1.0, 0.85), shoe.normals * (1.0, -1.0, 1.0), shoe.angle)
    yield f"{side} foot", low.moved(y=-0.012 * h, z=-0.018 * h), _sole(person)


def _bag(person: Person, spacing: float) -> Iterator[Part]:
    h, wide = person.height, person.build
    paint = _cloth(person.bag_colour)
    if person.bag == "backpack":
        yield "chest", block(0.082 * h, 0.045 * h, 0.12 * h, spacing).moved(y=-0.098 * h * wide, z=0.17 * h), paint
    if person.bag == "shoulder bag":
        yield "pelvis", block(0.03 * h, 0.075 * h, 0.065 * h, spacing).moved(x=0.125 * h * wide, z=-0.02 * h), paint
    if person.bag == "shopping bag":
        yield "right forearm", block(0.03 * h, 0.085 * h, 0.1 * h, spacing).moved(z=-0.29 * h), paint


def _plain(colour: Colour) -> Paint:
    return lambda surface: np.tile(np.asarray(colour, dtype=np.float64), (len(surface.angle), 1))


def _cloth(colour: Colour) -> Paint:
    return lambda surface: _plain(colour)(surface) * _folds(surface)


def _sleeve(person: Person) -> Paint:
    trimmed = person.pattern in {"striped", "checked", "pinstriped", "dotted"}
    return lambda surface: _weave(surface, person, 0.035 * person.height if trimmed else 0.0)


def _hemmed(cloth: Paint, skin: Colour, hem: float) -> Paint:
    """Cloth above the height ``hem``, skin below."""
    return lambda surface: np.where(surface.points[:, 2:] > hem, cloth(surface), _plain(skin)(surface))


def _sole(person: Person) -> Paint:
    def paint(surface: Surface) -> Array:
        low = surface.points[:, 2:] < -0.033 * person.height
        return np.where(low, (40.0, 38.0, 36.0), _plain(person.shoes)(surface))

    return paint


def _face(person: Person) -> Paint:
    """Skin in front, hair above and behind, eyes and mouth as shadows; a cap covers the top."""

    def paint(surface: Surface) -> Array:
        up = (surface.points[:, 2] / person.height - 0.082) / 0.07
        ahead, side = np.abs(surface.angle) < 0.95, np.abs(surface.angle)
        colour = _plain(person.skin)(surface)
        colour[(ahead & (np.abs(up - 0.12) < 0.1) & (np.abs(side - 0.45) < 0.2))] *= 0.45
        colour[ahead & (np.abs(up + 0.45) < 0.06) & (side < 0.35)] *= 0.65
        crown = up > (0.42 if person.hair == "cap" else 0.5)
        back = (side > 1.25) & (up > -0.55)
        if person.hair != "bald":
            colour[crown | back] = person.hair_colour
        if person.hair == "cap":
            colour[up > 0.4] = person.trim
        return colour

    return paint


def _top(person: Person) -> Paint:
    radius = 0.085 * person.height * person.build

    def paint(surface: Surface) -> Array:
        colour = _weave(surface, person, radius)
        s, z = surface.angle * radius, surface.points[:, 2] / person.height
        if person.top in {"jacket", "coat"}:
            opening = (np.abs(s) < 0.012 * person.height + 0.1 * np.clip(z - 0.12, 0, 1)) & (z > -0.25)
            colour[opening] = np.asarray(person.trim) * 0.8 if person.pattern == "plain" else (48, 46, 48)
        if person.bag == "backpack":
            colour[(np.abs(np.abs(surface.angle) - 0.75) < 0.13) & (z > 0.1)] = person.bag_colour
        if person.bag == "shoulder bag":
            colour[np.abs(surface.points[:, 0] + (z - 0.13) * 0.75 * person.height) < 0.02] = person.bag_colour
        colour[(z > 0.308)] = person.skin
        return colour

    return paint


def _weave(surface: Surface, person: Person, radius: float) -> Array:
    """The garment's pattern by metres around (``angle * radius``) and along the body; radius 0 leaves it plain."""
    s, z = surface.angle * radius, surface.points[:, 2]
    cell = 0.07
    masks = {
        "striped": np.floor(z / 0.055) % 2 == 0,
        "checked": (np.floor(s / cell) + np.floor(z / cell)) % 2 == 0,
        "blocked": z > 0.145 * person.height,
        "logo": (np.abs(surface.angle) < 0.75) & (np.abs(z / person.height - 0.19) < 0.035 + 0.02 * np.sin(40 * s)),
        "pinstriped": s % 0.065 < 0.02,
        "dotted": np.hypot(s % cell - cell / 2, z % cell - cell / 2) < 0.021,
    }
    colour = _plain(person.top_colour)(surface)
    if radius and person.pattern in masks:
        colour[masks[person.pattern]] = person.trim
    return colour * _folds(surface)


def _folds(surface: Surface) -> Array:
    z, angle = surface.points[:, 2], surface.angle
    waves = np.sin(3 * angle + 31 * z) + np.sin(5 * angle - 47 * z + 1.3) + np.sin(2 * angle + 83 * z)
    return np.asarray(1 + 0.045 * waves[:, None])
