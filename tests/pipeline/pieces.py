"""Pieces of work for the executors, in a module that a worker process can import."""

import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from vidreid.errors import InputError, StorageError
from vidreid.pipeline.networks import Tools
from vidreid.pipeline.segment import SegmentWork, process_segment

Advance = Callable[[str, int], None]


class Bench:
    """Tools that note where they were closed."""

    def __init__(self, closed: Path) -> None:
        self._closed = closed

    def close(self) -> None:
        (self._closed / f"closed-{os.getpid()}").touch()


def double(tools: Bench, advance: Advance, number: int) -> int:
    return 2 * number


def step_twice(tools: Bench, advance: Advance, camera: str) -> str:
    advance(camera, 25)
    advance(camera, 5)
    return camera


def fail(tools: Bench, advance: Advance, kind: str) -> None:
    if kind == "input":
        raise InputError("c0: no picture", "look at it")
    if kind == "fault":
        raise ZeroDivisionError("by nothing\nat all")


def fill_disk(tools: Bench, advance: Advance, full: bool) -> None:
    if full:
        raise StorageError("00000.parquet: cannot be written: no space left on device", "make room")


def die(tools: Bench, advance: Advance, how: str, folder: Path, deaths: int) -> int:
    """Dies so many times, then answers with the number of tries."""
    tries = len(list(folder.glob("try-*")))
    (folder / f"try-{tries}").touch()
    if tries < deaths:
        if how == "exit":
            os._exit(3)
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)
    return tries + 1


def who(tools: Bench, advance: Advance, number: int) -> int:
    time.sleep(0.1)
    return os.getpid()


def step_for_ever(tools: Bench, advance: Advance) -> None:
    for _ in range(6000):
        advance(str(os.getpid()), 1)
        time.sleep(0.02)


class Deadly:
    """`process_segment`, but some segments kill the worker that has them, so many times."""

    def __init__(self, deaths: dict[str, int], folder: Path) -> None:
        self._deaths = deaths
        self._folder = folder

    def __call__(self, tools: Tools, advance: Advance, work: SegmentWork) -> dict[str, Any]:
        key = f"{work.segment.camera}/{work.segment.name}"
        died = self._folder / f"died-{key.replace('/', '-')}"
        died.touch()
        if len(died.read_bytes()) < self._deaths.get(key, 0):
            died.write_bytes(died.read_bytes() + b"x")
            os.kill(os.getpid(), signal.SIGKILL)
        return process_segment(tools, advance, work)


if __name__ == "__main__":  # a run that says which processes work for it, to be killed
    from vidreid.pipeline.executors.local import Local

    work: dict[str, tuple[Any, ...]] = {str(number): () for number in range(4)}
    made = Local(partial(Bench, Path(sys.argv[1])), 2).map(step_for_ever, work, lambda who, _: print(who, flush=True))
    next(made)
