"""How sure, in words and numbers that never say more than was measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from vidreid.pipeline.calibrated import Chance

WORDS = ((0.99, "very likely"), (0.9, "likely"), (0.5, "more likely than not"), (0.1, "unlikely"), (0, "very unlikely"))
LEAD = "A match is a lead, not proof."


def percent(chance: Chance) -> str:
    """A share with its interval where one is known; never 0 % or 100 %, nor beyond what the interval supports.

    >>> percent(Chance(0.931, 0.88, 0.962)), percent(Chance(0.9999, 0.97, 1.0)), percent(Chance(0.0, 0.0, 0.0003))
    ('93 % (88 to 96 %)', '> 97 %', '< 0.1 %')
    """
    if chance.value > 0.999 and chance.low <= 0.999:
        return f"> {_number(chance.low, math.floor)} %"
    if chance.value < 0.001 and chance.high >= 0.001:
        return f"< {_number(chance.high, math.ceil)} %"
    if chance.low == chance.high or not 0.001 <= chance.value <= 0.999:
        return share(chance.value)
    return f"{share(chance.value)} ({share(chance.low).removesuffix(' %')} to {share(chance.high)})"


def share(value: float) -> str:
    """A share without its interval; never 0 % or 100 %.

    >>> share(0.5), share(0.0123), share(0.0), share(1.0)
    ('50 %', '1.2 %', '< 0.1 %', '> 99.9 %')
    """
    if value > 0.999:
        return "> 99.9 %"
    return "< 0.1 %" if value < 0.001 else f"{_number(value, round)} %"


def likely(chance: Chance) -> str:
    """How likely in words, of the end of the interval that is nearer to a toss; ``unsure`` where that lies between.

    >>> likely(Chance(0.97, 0.92, 0.99)), likely(Chance(0.6, 0.3, 0.8)), likely(Chance(0.02, 0.01, 0.05))
    ('likely', 'unsure', 'very unlikely')
    """
    if chance.low < 0.5 < chance.high:
        return "unsure"
    cautious = chance.low if chance.value >= 0.5 else chance.high
    return next(word for least, word in WORDS if cautious >= least)


def people_line(people: int, expected: Mapping[str, Chance]) -> str:
    """How many people, and how many of them are expected to be two people, or one person split in two.

    >>> people_line(312, {"mixed": Chance(3.2, 1, 8), "split": Chance(19.8, 9, 33)})
    '312 people (expected: 3 mixed, 20 split)'
    >>> people_line(1, {})
    '1 person'
    """
    known = [f"{_count(expected[name].value)} {name}" for name in ("mixed", "split") if name in expected]
    found = f"{people} {'person' if people == 1 else 'people'}"
    return f"{found} (expected: {', '.join(known)})" if known else found


def _count(value: float) -> str:
    return "under 1" if value < 1 else f"{value:.0f}"


def _number(value: float, whole: Callable[[float], int]) -> str:
    """A share in percent: whole between 10 and 99, else with one digit."""
    scale = 1 if 0.1 <= value <= 0.99 else 10
    return f"{whole(100 * value * scale) / scale:g}"
