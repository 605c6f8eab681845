"""Pictures that a training does without."""

from __future__ import annotations

from collections.abc import Callable, Sequence

MOST = 10


def tell_skipped(skipped: Sequence[str], say: Callable[[str], None]) -> None:
    """Name the pictures that cannot be decoded, or the first `MOST` and how many more there are.

    >>> tell_skipped(["people: 1.png"], print)
    skipped, cannot be decoded: people: 1.png
    """
    for name in skipped[:MOST]:
        say(f"skipped, cannot be decoded: {name}")
    if len(skipped) > MOST:
        say(f"skipped: {len(skipped) - MOST} more")
