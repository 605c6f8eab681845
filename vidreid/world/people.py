"""Who walks through the world: build, clothing and gait of each person, drawn from named palettes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

Colour = tuple[int, int, int]

TOPS: Mapping[str, Colour] = {
    "red": (186, 38, 42),
    "white": (222, 222, 216),
    "navy": (34, 44, 92),
    "yellow": (222, 184, 48),
    "green": (46, 112, 62),
    "black": (46, 45, 49),
    "sky-blue": (104, 164, 210),
    "orange": (216, 104, 36),
    "purple": (98, 52, 122),
    "grey": (128, 130, 134),
    "pink": (214, 128, 150),
    "teal": (28, 122, 124),
}
BOTTOMS: Mapping[str, Colour] = {
    "blue": (54, 78, 124),
    "black": (44, 44, 48),
    "beige": (178, 156, 118),
    "grey": (110, 112, 116),
    "olive": (86, 88, 52),
    "brown": (98, 66, 46),
    "white": (206, 204, 196),
    "wine": (104, 34, 48),
}
SHOES: Mapping[str, Colour] = {
    "white": (220, 220, 220),
    "black": (28, 28, 30),
    "brown": (96, 62, 38),
    "red": (168, 40, 40),
}
HAIR: Mapping[str, Colour] = {
    "black": (28, 24, 24),
    "brown": (78, 52, 34),
    "blond": (190, 156, 96),
    "grey": (150, 148, 146),
    "red": (136, 66, 34),
}
SKIN: tuple[Colour, ...] = ((232, 190, 164), (214, 164, 132), (180, 126, 92), (134, 88, 62), (92, 60, 44))
BAGS: Mapping[str, Colour] = {
    "black": (30, 30, 34),
    "red": (160, 36, 40),
    "khaki": (126, 118, 84),
    "blue": (40, 70, 130),
}

PATTERNS = ("plain", "striped", "checked", "blocked", "logo", "pinstriped", "dotted")
TOP_KINDS = ("T-shirt", "pullover", "jacket", "coat")
BOTTOM_KINDS = ("trousers", "shorts", "skirt")
HAIR_STYLES = ("short", "long", "bald", "cap", "bun")
BAG_KINDS = ("none", "backpack", "shoulder bag", "shopping bag")


@dataclass(frozen=True, slots=True)
class Person:
    """One person's looks and gait.

    ``height`` in metres, ``build`` the width relative to a slim adult (0.9..1.3), ``pace`` in m/s. ``number``
    counts from 1 over the whole world and is the id in the truth. ``description`` is one line of English.
    """

    number: int
    height: float
    build: float
    skin: Colour
    top: str
    top_colour: Colour
    trim: Colour
    pattern: str
    bottom: str
    bottom_colour: Colour
    shoes: Colour
    hair: str
    hair_colour: Colour
    bag: str
    bag_colour: Colour
    pace: float
    swing: float
    description: str


def cast(seed: int, count: int) -> tuple[Person, ...]:
    """``count`` people; no two of the first 96 wear the same colours of top and bottom."""
    rng = np.random.default_rng([seed, 1])
    outfits = rng.permutation(list(product(TOPS, BOTTOMS)))
    return tuple(_dress(rng, number + 1, *map(str, outfits[number % len(outfits)])) for number in range(count))


def _dress(rng: np.random.Generator, number: int, top_colour: str, bottom_colour: str) -> Person:
    height, build = float(rng.uniform(1.58, 1.92)), float(rng.uniform(0.92, 1.28))
    top = str(rng.choice(TOP_KINDS, p=(0.4, 0.25, 0.2, 0.15)))
    bottom = str(rng.choice(BOTTOM_KINDS, p=(0.65, 0.2, 0.15)))
    pattern = str(rng.choice(PATTERNS))
    trim = str(rng.choice([name for name in TOPS if name != top_colour]))
    shoes, hair_colour, bag_colour = (str(rng.choice(list(names))) for names in (SHOES, HAIR, BAGS))
    hair = str(rng.choice(HAIR_STYLES, p=(0.4, 0.25, 0.08, 0.15, 0.12)))
    bag = str(rng.choice(BAG_KINDS, p=(0.45, 0.25, 0.15, 0.15)))
    upper = f"{top_colour} {top}" if pattern == "plain" else f"{top_colour} and {trim} {pattern} {top}"
    head = {"bald": "bald", "cap": f"{trim} cap"}.get(hair, f"{hair} {hair_colour} hair")
    carried = "no bag" if bag == "none" else f"{bag_colour} {bag}"
    return Person(
        number=number,
        height=height,
        build=build,
        skin=SKIN[rng.integers(len(SKIN))],
        top=top,
        top_colour=TOPS[top_colour],
        trim=TOPS[trim],
        pattern=pattern,
        bottom=bottom,
        bottom_colour=BOTTOMS[bottom_colour],
        shoes=SHOES[shoes],
        hair=hair,
        hair_colour=HAIR[hair_colour],
        bag=bag,
        bag_colour=BAGS[bag_colour],
        pace=float(rng.uniform(1.05, 1.55)),
        swing=float(rng.uniform(0.8, 1.2)),
        description=f"{height:.2f} m, {upper}, {bottom_colour} {bottom}, {shoes} shoes, {head}, {carried}",
    )
