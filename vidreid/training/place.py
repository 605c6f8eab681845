"""Where a training runs: on one device, or as one of several processes that torchrun started."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed

from vidreid.errors import MissingError
from vidreid.posix import STOP_SIGNALS

Stopped = Callable[[], bool]


@dataclass(frozen=True)
class Place:
    """This process among those of a training: its device, and its number among so many."""

    device: str = "cpu"
    rank: int = 0
    ranks: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def agreed(self, wish: bool) -> bool:
        """Whether any process wishes so; all of them have to ask."""
        if self.ranks == 1:
            return wish
        votes = torch.tensor(int(wish))
        distributed.all_reduce(votes)
        return bool(votes)


def chosen_device(wanted: str) -> str:
    """``cpu`` or ``cuda``: ``auto`` takes a GPU where there is one, and ``cuda`` without one is a `MissingError`."""
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise MissingError("no CUDA device on this machine", "--device cpu")
    return "cuda" if there and wanted != "cpu" else "cpu"


@contextmanager
def joined(wanted: str = "auto") -> Iterator[Place]:
    """The place of this process on the `chosen_device`; under torchrun each process has a GPU of its own."""
    device = chosen_device(wanted)
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    if ranks == 1:
        yield Place(device)
        return
    cuda = device == "cuda"
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    # Votes are on the CPU, so that no step waits for the device.
    distributed.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
    try:
        yield Place(f"cuda:{torch.cuda.current_device()}" if cuda else "cpu", distributed.get_rank(), ranks)
    finally:
        distributed.destroy_process_group()


@contextmanager
def interrupts() -> Iterator[Stopped]:
    """Whether the user asked to stop (Ctrl-C, or a batch system's SIGTERM), so that a step is ended first.

    Asked twice, a KeyboardInterrupt comes at once. Outside of the main thread nobody can ask.
    """
    asked: list[int] = []

    def note(number: int, frame: Any) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {number: signal.signal(number, note) for number in STOP_SIGNALS}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
