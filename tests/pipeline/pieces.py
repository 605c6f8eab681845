"""Pieces of work for the executors, in a module that a worker process can import."""

import os
import signal
import time
from collections.abc import Callable
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
