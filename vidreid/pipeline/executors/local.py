"""Worker processes on this machine, each with a few streams around one set of tools.

Streams are threads that each work on a piece, so that a batch may mix cameras and the end of one piece does not leave
the engine idle. A worker that dies is replaced, and its pieces are tried again, twice, each in a worker of its own.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from vidreid.errors import StorageError
from vidreid.pipeline.executors.inline import attempt
from vidreid.posix import interrupts_blocked
from vidreid.types import Outcome

TRIES = 3
STREAMS = 2  # pieces at a time in one worker


@dataclass
class _Worker:
    process: Any
    pipe: Any  # a Connection, of another class on Windows
    keys: set[str] = field(default_factory=set)


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
        workers: list[_Worker] = []
        try:
            while len(workers) < min(self._workers, len(work)):
                workers.append(self._start(function))
            while waiting or any(worker.keys for worker in workers):
                while waiting and (worker := _next_free(workers, tries, waiting[0])) is not None:
                    key = waiting.popleft()
                    worker.keys.add(key)
                    tries[key] += 1
                    with contextlib.suppress(ConnectionError):  # it is dead: its pipe says so below
                        worker.pipe.send((key, work[key]))
                busy = {worker.pipe: worker for worker in workers if worker.keys}
                for pipe in wait(list(busy)):
                    worker = busy[pipe]
                    outcome = self._receive(worker, advance)
                    if outcome is _DEAD:
                        _stop(worker)
                        workers[workers.index(worker)] = self._start(function)
                        yield from _again(worker.keys, tries, waiting)
                    elif outcome is not None:
                        worker.keys.discard(outcome.key)
                        yield outcome
        finally:
            for worker in workers:
                _stop(worker)

    def _start(self, function: Callable[..., Any]) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, self._setup, function), daemon=True)
        with _without_interrupts():
            process.start()
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


_DEAD = Outcome("", error="dead")


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Keep Ctrl-C away while a worker is started, and raise it afterwards.

    It goes to the whole group and only the run may speak of it, so a worker is born with SIGINT blocked. Another
    thread may still receive it, and Python would raise it here before the worker has been told all that it must know.
    """
    came: list[int] = []
    in_main = threading.current_thread() is threading.main_thread()
    with interrupts_blocked():
        handler = signal.signal(signal.SIGINT, lambda number, _: came.append(number)) if in_main else None
        try:
            yield
        finally:
            if in_main:
                signal.signal(signal.SIGINT, handler)
    if came:
        raise KeyboardInterrupt


def _next_free(workers: list[_Worker], tries: Mapping[str, int], key: str) -> _Worker | None:
    """The worker with most room for a piece; a piece that was tried before wants, and has, a worker to itself."""
    worker = min(workers, key=lambda worker: len(worker.keys))
    alone = tries[key] > 0 or any(tries[other] > 1 for other in worker.keys)
    return worker if len(worker.keys) < (1 if alone else STREAMS) else None


def _again(keys: set[str], tries: Mapping[str, int], waiting: deque[str]) -> Iterator[Outcome]:
    """Put the pieces of a dead worker back; outcomes of those that were tried often enough."""
    for key in sorted(keys, reverse=True):
        if tries[key] < TRIES:
            waiting.appendleft(key)
        else:
            hint = "look for memory shortage in the system log"
            yield Outcome(key, error=f"its worker died {TRIES} times", hint=hint)


def _stop(worker: _Worker) -> None:
    """End a worker; parts are whole or absent, so nothing is lost by force."""
    with contextlib.suppress(OSError):
        worker.pipe.send(None)
    worker.process.join(0.2 if worker.keys else 5)
    if worker.process.is_alive():
        worker.process.terminate()
        worker.process.join()
    worker.pipe.close()


def _work(pipe: Connection, setup: Callable[[], Any], function: Callable[..., Any]) -> None:
    """A worker's life: pieces come in, progress and outcomes go out."""
    tools = setup()
    speaking = threading.Lock()

    def say(message: Any) -> None:
        with speaking:
            pipe.send(message)

    def do(key: str, arguments: tuple[Any, ...]) -> None:
        # Where the run was killed its pieces end at their next word of progress: there is nobody to tell.
        with contextlib.suppress(ConnectionError):
            try:
                say(attempt(key, function, tools, lambda *step: say(step), arguments))
            except StorageError as error:
                say(error)

    with ThreadPoolExecutor(STREAMS) as streams, contextlib.suppress(EOFError, ConnectionError):
        while (piece := pipe.recv()) is not None:
            streams.submit(do, *piece)
    tools.close()


def make(setup: Callable[[], Any], workers: int) -> Local:
    """The contract of a file of `pipeline/executors`."""
    return Local(setup, workers)
