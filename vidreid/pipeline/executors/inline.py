"""One process, one piece of work after the other."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vidreid.errors import StorageError, VidreidError
from vidreid.types import Outcome


class Inline:
    """Runs work here. ``setup`` makes the tools that every piece is given first."""

    def __init__(self, setup: Callable[[], Any], workers: int = 1) -> None:
        self._setup = setup

    def map(
        self, function: Callable[..., Any], work: Mapping[str, tuple[Any, ...]], advance: Callable[[str, int], None]
    ) -> Iterator[Outcome]:
        """Outcomes in the order of ``work``."""
        tools = self._setup()
        try:
            for key, arguments in work.items():
                yield attempt(key, function, tools, advance, arguments)
        finally:
            tools.close()


def attempt(
    key: str, function: Callable[..., Any], tools: Any, advance: Callable[[str, int], None], arguments: tuple[Any, ...]
) -> Outcome:
    """The outcome of one piece of work; a disk that takes nothing more ends everything, as a `StorageError`."""
    try:
        return Outcome(key, function(tools, advance, *arguments))
    except StorageError:
        raise
    except VidreidError as error:
        return Outcome(key, error=error.message, hint=error.hint)
    except Exception as error:
        line = f"{type(error).__name__}: {error}".splitlines()[0]
        return Outcome(key, error=line, hint=traceback.format_exc())


def make(setup: Callable[[], Any], workers: int) -> Inline:
    """The contract of a file of `run/executors`."""
    return Inline(setup, workers)
