"""How fast engines are, beside each other in one run: latency, throughput, and the share of what the machine can do."""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from vidreid.engines.matmul import MatmulRate
from vidreid.engines.source import INPUT
from vidreid.errors import VidreidError
from vidreid.types import Array, Engine

ROUNDS = 3  # in which contenders take turns, so that a slow minute of the machine is everybody's
WARM = 0.2  # seconds of work before any is timed, after a first run


@dataclass(frozen=True, slots=True)
class Layout:
    """``streams`` batches at a time of ``batch`` inputs each, on ``threads`` of the CPU each."""

    batch: int
    streams: int = 1
    threads: int = 1

    @property
    def cores(self) -> int:
        """CPU threads that work at a time."""
        return self.streams * self.threads


@dataclass(frozen=True)
class Contender:
    """Something to be timed: how it is opened for a layout, and whether it is timed in one at all."""

    name: str
    load: Callable[[Layout], Engine]
    takes: Callable[[Layout], bool] = lambda layout: True


@dataclass(frozen=True, slots=True)
class Timing:
    """What one contender did in one layout. ``load_s``: seconds to open it; ``first_ms``: its first run, which belongs
    to no other figure; ``p50_ms``, ...: a batch from submission to answer; ``throughput``: inputs a second."""

    contender: str
    layout: Layout
    load_s: float
    first_ms: float
    runs: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    throughput: float


@dataclass(frozen=True, slots=True)
class Benchmark:
    """All timings, why there are none of some contenders in some layouts, and the machine's rate of matrix products
    while each layout was timed."""

    timings: tuple[Timing, ...]
    failures: tuple[str, ...]
    rates: Mapping[Layout, MatmulRate] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """A benchmark of an ``engine`` on pictures of ``size`` (height, width).

    ``contenders``: names, the engine's first, what it is compared with second. ``flops`` of one input, None where not
    known.
    """

    engine: str
    contenders: Sequence[str]
    size: tuple[int, int]
    flops: int | None
    benchmark: Benchmark

    def share(self, timing: Timing) -> float | None:
        """The part of the machine's rate of matrix products that was reached; None where it is not known."""
        rate = self.benchmark.rates.get(timing.layout)
        return timing.throughput * self.flops / rate.flops if self.flops and rate else None

    def times(self, timing: Timing) -> float | None:
        """How many times the throughput of the second contender at this batch on as many cores; None without it."""
        same = [
            one.throughput
            for one in self.benchmark.timings
            if one.contender in self.contenders[1:2]
            and (one.layout.batch, one.layout.cores) == (timing.layout.batch, timing.layout.cores)
        ]
        return timing.throughput / max(same) if same else None

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        return {
            "engine": self.engine,
            "contenders": list(self.contenders),
            "size": list(self.size),
            "flops": self.flops,
            "matmul": [{**asdict(layout), **asdict(rate)} for layout, rate in self.benchmark.rates.items()],
            "timings": [self._row(one) for one in self.benchmark.timings],
            "failures": list(self.benchmark.failures),
        }

    def _row(self, timing: Timing) -> dict[str, object]:
        found = asdict(timing)
        return {**found.pop("layout"), **found, "share": self.share(timing), "times": self.times(timing)}


def layouts(batches: Sequence[int], threads: Sequence[int]) -> list[Layout]:
    """For each number of threads: one stream of all of them (latency), and as many streams of one (throughput).

    >>> [(one.batch, one.streams, one.threads) for one in layouts([8], [1, 2])]
    [(8, 1, 1), (8, 1, 2), (8, 2, 1)]
    """
    shares = dict.fromkeys(share for count in threads for share in ((1, count), (count, 1)))
    return [Layout(batch, streams, each) for batch in batches for streams, each in shares]


def measure(
    contenders: Sequence[Contender],
    wanted: Sequence[Layout],
    images: Array,
    seconds: float,
    *,
    rate: Callable[[Layout], MatmulRate] | None = None,
    progress: Callable[[str, float], None] = lambda words, share: None,
) -> Benchmark:
    """Time every contender in every layout for ``seconds`` on ``images`` (n, ...), of which batches are made.

    ``rate`` measures what the machine can do, in turn with them. A contender that cannot be opened in a layout, or
    fails in it, is named among the failures.
    """
    timings: list[Timing] = []
    failures: list[str] = []
    rates: dict[Layout, MatmulRate] = {}
    for number, layout in enumerate(wanted):
        batch = images[np.arange(layout.batch) % len(images)]
        trials = []
        with contextlib.ExitStack() as opened:
            for place, contender in enumerate(contenders):
                if not contender.takes(layout):
                    continue
                words = f"{contender.name}, batch {layout.batch}, {layout.streams} x {layout.threads}"
                progress(words, (number + place / len(contenders)) / len(wanted))
                try:
                    trials.append(_Trial(contender, layout, batch, opened))
                except VidreidError as error:
                    failures.append(f"{words}: {error.message}")
            possible = []
            for _ in range(ROUNDS):
                for trial in trials:
                    trial.run(seconds / ROUNDS)
                possible += [rate(layout)] if rate else []
        timings += [trial.timing() for trial in trials]
        if possible:
            rates[layout] = sorted(possible, key=lambda one: one.flops)[ROUNDS // 2]
    progress("done", 1.0)
    return Benchmark(tuple(timings), tuple(failures), rates)


class _Trial:
    """A contender that is open and warm."""

    def __init__(self, contender: Contender, layout: Layout, images: Array, opened: contextlib.ExitStack) -> None:
        self._name = contender.name
        self._layout = layout
        self._images = images
        begun = time.perf_counter()
        self._engine = contender.load(layout)
        opened.callback(self._engine.close)
        self._load_s = time.perf_counter() - begun
        begun = time.perf_counter()
        self._engine.run({INPUT: images})
        self._first_ms = 1000 * (time.perf_counter() - begun)
        _drive(self._engine, images, layout.streams, WARM)
        self._milliseconds: list[float] = []
        self._rates: list[float] = []

    def run(self, seconds: float) -> None:
        latencies, elapsed = _drive(self._engine, self._images, self._layout.streams, seconds)
        self._milliseconds += [1000 * latency for latency in latencies]
        self._rates.append(len(latencies) * self._layout.batch / elapsed)

    def timing(self) -> Timing:
        half, most, nearly = np.percentile(self._milliseconds, [50, 90, 99]).tolist()
        runs, rate = len(self._milliseconds), statistics.median(self._rates)
        return Timing(self._name, self._layout, self._load_s, self._first_ms, runs, half, most, nearly, rate)


def _drive(engine: Engine, images: Array, streams: int, seconds: float) -> tuple[list[float], float]:
    """Keep ``streams`` batches under way for ``seconds``, each stream at least once: latencies, and seconds in all."""
    free = threading.Semaphore(streams)
    latencies: list[float] = []
    failures: list[BaseException] = []

    def finished(job: Future[Any], begun: float) -> None:
        latencies.append(time.perf_counter() - begun)
        if failure := job.exception():
            failures.append(failure)
        free.release()

    started, runs = time.perf_counter(), 0
    while runs < streams or time.perf_counter() - started < seconds:
        free.acquire()
        if failures:
            break
        begun = time.perf_counter()
        engine.submit({INPUT: images}).add_done_callback(lambda job, begun=begun: finished(job, begun))  # type: ignore[misc]
        runs += 1
    for _ in range(streams):
        free.acquire()
    if failures:
        raise failures[0]
    return latencies, time.perf_counter() - started
