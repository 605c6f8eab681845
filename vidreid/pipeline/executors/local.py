"""Worker processes on this machine. A worker that dies is replaced, and its piece tried again, twice."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from vidreid.errors import StorageError
from vidreid.pipeline.executors.inline import attempt
from vidreid.types import Outcome

TRIES = 3


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    key: str | None = None


class Local:
    """Runs work in ``workers`` processes, each with tools of its own."""

    def __init__(self, setup: Callable[[], Any], workers: int) -> None:
        self._setup = setup
        self._workers = workers

    def map(
        self, function: Callable[..., Any], work: Mapping[str, tuple[Any, ...]], advance: Callable[[str, int], None]
    ) -> Iterator[Outcome]:
        """Outcomes as they finish; leaving the loop early stops the workers."""
        waiting = deque(work)
        tries = dict.fromkeys(work, 0)
        workers = [self._start(function) for _ in range(min(self._workers, len(work)))]
        try:
            while waiting or any(worker.key is not None for worker in workers):
                for worker in workers:
                    if worker.key is None and waiting:
                        worker.key = waiting.popleft()
                        tries[worker.key] += 1
                        with contextlib.suppress(ConnectionError):  # it is dead: its pipe says so below
                            worker.pipe.send((worker.key, work[worker.key]))
                busy = {worker.pipe: worker for worker in workers if worker.key is not None}
                for pipe in wait(list(busy)):
                    worker = busy[pipe]  # type: ignore[index]
                    outcome = self._receive(worker, advance)
                    if outcome is _DEAD:
                        _stop(worker)
                        workers[workers.index(worker)] = self._start(function)
                        outcome = self._again(worker.key or "", tries, waiting)
                    if outcome is not None:
                        worker.key = None
                        yield outcome
        finally:
            for worker in workers:
                _stop(worker)

    def _start(self, function: Callable[..., Any]) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, self._setup, function), daemon=True)
        # A worker is born with SIGINT blocked: Ctrl-C goes to the whole group, and only the run may speak of it.
        # The first start would also start Python's resource tracker, which unblocks SIGINT again.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        return _Worker(process, ours)

    def _receive(self, worker: _Worker, advance: Callable[[str, int], None]) -> Outcome | None:
        """An outcome, None for progress, or `_DEAD`."""
        try:
            message = worker.pipe.recv()
        except (EOFError, ConnectionError):
            return _DEAD
        if isinstance(message, Outcome):
            return message
        if isinstance(message, StorageError):
            raise message
        advance(*message)
        return None

    def _again(self, key: str, tries: Mapping[str, int], waiting: deque[str]) -> Outcome | None:
        if tries[key] < TRIES:
            waiting.appendleft(key)
            return None
        return Outcome(key, error=f"its worker died {TRIES} times", hint="look for memory shortage in the system log")


_DEAD = Outcome("", error="dead")


def _stop(worker: _Worker) -> None:
    """End a worker; parts are whole or absent, so nothing is lost by force."""
    with contextlib.suppress(OSError):
        worker.pipe.send(None)
    worker.process.join(0.2 if worker.key is not None else 5)
    if worker.process.is_alive():
        worker.process.terminate()
        worker.process.join()
    worker.pipe.close()


def _work(pipe: Connection, setup: Callable[[], Any], function: Callable[..., Any]) -> None:
    """A worker's life: pieces come in, progress and outcomes go out."""
    tools = setup()
    try:
        while (piece := pipe.recv()) is not None:
            key, arguments = piece
            try:
                pipe.send(attempt(key, function, tools, lambda *step: pipe.send(step), arguments))
            except StorageError as error:
                pipe.send(error)
    except (EOFError, BrokenPipeError, ConnectionError):
        pass  # the run was killed; there is nobody to work for
    finally:
        tools.close()


def make(setup: Callable[[], Any], workers: int) -> Local:
    """The contract of a file of `pipeline/executors`."""
    return Local(setup, workers)
