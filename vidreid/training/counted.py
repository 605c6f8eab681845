"""Long work in pieces, with a word every ten seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator


def counted(total: int, step: int, say: Callable[[str], None], *, every: float = 10.0) -> Iterator[int]:
    """0, ``step``, 2 ``step``, ... below ``total``; tells every so many seconds how many are done.

    >>> list(counted(5, 2, print, every=0.0))
    2 of 5 tracklets
    4 of 5 tracklets
    [0, 2, 4]
    """
    told = time.monotonic()
    for start in range(0, total, step):
        if start and time.monotonic() - told >= every:
            told = time.monotonic()
            say(f"{start} of {total} tracklets")
        yield start
