"""Versions of runtimes, compared."""

from __future__ import annotations


def newer(one: str, other: str) -> bool:
    """Whether version ``one`` is later than ``other``; what follows the numbers does not count.

    >>> newer("2026.10", "2026.4.1-22982"), newer("1.31.1+cpu", "1.31.1")
    (True, False)
    """
    return _numbers(one) > _numbers(other)


def _numbers(version: str) -> tuple[int, ...]:
    numbers = version.partition("-")[0].partition("+")[0].split(".")
    return tuple(int(part) for part in numbers if part.isdigit())
