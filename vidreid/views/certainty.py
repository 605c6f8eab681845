"""How sure, in words and numbers that never say more than was measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from vidreid.pipeline.calibrated import Chance

WORDS = ((0.99, "very likely"), (0.9, "likely"), (0.5, "more likely than not"), (0.1, "unlikely"), (0, "very unlikely"))
LEAST, MOST = 0.001, 0.999  # beyond which nothing is told apart
EVEN = "Even odds: as likely one person as two people."
LEAD = "A match is a lead, not proof."


def percent(chance: Chance) -> str:
    """A share with its interval where one is known; never 0 % or 100 %, nor beyond what the interval supports.

    >>> percent(Chance(0.931, 0.88, 0.962)), percent(Chance(0.9999, 0.97, 1.0)), percent(Chance(0.0, 0.0, 0.0003))
    ('93 % (88 to 96 %)', '> 97 %', '< 0.1 %')
    """
    if round(chance.value, 3) >= MOST and chance.low <= MOST:
        return f"> {_number(chance.low, math.floor)} %"
    if round(chance.value, 3) <= LEAST and chance.high >= LEAST:
        return f"< {_number(chance.high, math.ceil)} %"
    if chance.low == chance.high or not LEAST < chance.value < MOST:
        return share(chance.value)
    return f"{share(chance.value)} ({share(chance.low).removesuffix(' %')} to {share(chance.high)})"


def share(value: float) -> str:
    """A share without its interval; never 0 % or 100 %.

    >>> share(0.5), share(0.0123), share(0.0), share(1.0)
    ('50 %', '1.2 %', '< 0.1 %', '> 99.9 %')
    """
    if value > MOST:
        return "> 99.9 %"
    return "< 0.1 %" if value < LEAST else f"{_number(value, round)} %"


def likely(chance: Chance) -> str:
    """How likely in words, of the end of the interval that is nearer to a toss; ``unsure`` where that lies between.

    >>> likely(Chance(0.97, 0.92, 0.99)), likely(Chance(0.6, 0.3, 0.8)), likely(Chance(0.02, 0.01, 0.05))
    ('likely', 'unsure', 'very unlikely')
    """
    if chance.low < 0.5 < chance.high:
        return "unsure"
    cautious = chance.low if chance.value >= 0.5 else chance.high
    return next(word for least, word in WORDS if cautious >= least)


def above_even(likeness: float) -> str:
    """A likeness in words.

    >>> above_even(1.31), above_even(-0.4), above_even(0.02)
    ('1.3 above even odds', '0.4 below even odds', 'at even odds')
    """
    if abs(likeness) < 0.05:
        return "at even odds"
    return f"{abs(likeness):.1f} {'above' if likeness > 0 else 'below'} even odds"


def expected_people(expected: Mapping[str, Chance]) -> str:
    """How many people are expected to be two people, and how many to be one person split in two.

    >>> expected_people({"mixed": Chance(3.2, 1, 8), "split": Chance(0.8, 0.4, 1.6)})
    'expected: 3 mixed, under 1 split'
    """
    return "expected: " + ", ".join(f"{_count(expected[name].value)} {name}" for name in ("mixed", "split"))


def rate(found: Chance) -> str:
    """A rate with its interval, of as many digits as it needs; nothing seen is an upper bound.

    >>> rate(Chance(0.0, 0.0, 0.00093)), rate(Chance(0.00021, 0.0001, 0.0004))
    ('under 0.00093', '0.00021 (0.0001 to 0.0004)')
    """
    if found.value <= 0 or found.low <= 0:
        return f"under {found.high:.2g}"
    return f"{found.value:.2g} ({found.low:.2g} to {found.high:.2g})"


def _count(value: float) -> str:
    return "under 1" if value < 1 else f"{value:.0f}"


def _number(value: float, whole: Callable[[float], int]) -> str:
    """A share in percent: whole between 10 and 99, else with one digit."""
    scale = 1 if 0.1 <= value <= 0.99 else 10
    return f"{whole(100 * value * scale) / scale:g}"
