"""Progress: bars with rate and time left on a terminal, plain lines otherwise, nothing for programs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO

from vidreid.types import Reporter

EVERY = 10.0  # seconds between plain lines


class Silent:
    """For programs: says nothing, keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def start(self, stage: str, totals: Mapping[str, int]) -> None: ...

    def advance(self, camera: str, count: int) -> None: ...

    def note(self, line: str) -> None:
        self.notes.append(line)

    def stop(self) -> None: ...


class Lines:
    """For logs: a line when a stage starts, every ten seconds, and when it ends."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._stage = ""
        self._total = self._done = 0
        self._started = self._said = 0.0

    def start(self, stage: str, totals: Mapping[str, int]) -> None:
        self.stop()
        self._stage, self._total, self._done = stage, sum(totals.values()), 0
        self._started = self._said = time.monotonic()

    def advance(self, camera: str, count: int) -> None:
        self._done += count
        if time.monotonic() - self._said >= EVERY:
            self._say()

    def note(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()

    def stop(self) -> None:
        if self._stage:
            self._say()
        self._stage = ""

    def _say(self) -> None:
        self._said = time.monotonic()
        spent = max(self._said - self._started, 1e-6)
        line = f"{self._stage}: {self._done} of {self._total}"
        if self._stage == "track":
            line += f" frames, {self._done / spent:.1f}/s"
            if 0 < self._done < self._total:
                line += f", {duration((self._total - self._done) * spent / self._done)} left"
        self.note(line)


class Bars:
    """For terminals: a bar a camera, and one for the whole where there are several."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}
        self._whole: Any = None

    def start(self, stage: str, totals: Mapping[str, int]) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.stop()
        rate = TextColumn("{task.fields[rate]}") if stage == "track" else TextColumn("")
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn()
        self._bars = Progress(*columns, console=self._console, transient=stage != "track")
        self._tasks = {
            camera: self._bars.add_task(f"{stage} {camera}", total=total, rate="") for camera, total in totals.items()
        }
        self._whole = self._bars.add_task("all", total=sum(totals.values()), rate="") if len(totals) > 1 else None
        self._bars.start()

    def advance(self, camera: str, count: int) -> None:
        for task in (self._tasks.get(camera), self._whole):
            if task is not None:
                self._bars.advance(task, count)
                speed = self._bars.tasks[task].speed
                self._bars.update(task, rate=f"{speed:.0f}/s" if speed else "")

    def note(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False)

    def stop(self) -> None:
        if self._bars is not None:
            self._bars.stop()
        self._bars = None


def reporter_for(out: TextIO, *, quiet: bool = False) -> Reporter:
    """Bars where ``out`` is a terminal, lines where it is not."""
    if quiet:
        return Silent()
    return Bars() if out.isatty() else Lines(out)


@contextlib.contextmanager
def phases(out: TextIO) -> Iterator[Callable[[str, float], None]]:
    """For one piece of work that tells itself in words and a share (0 to 1): a bar on a terminal, else lines."""
    if not out.isatty():
        yield _phase_lines(out)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(file=out), transient=True) as bars:
        task = bars.add_task("", total=1.0)
        yield lambda words, share: bars.update(task, description=words, completed=share)


def _phase_lines(out: TextIO) -> Callable[[str, float], None]:
    """A line when the words change, and every ten seconds."""
    last = ("", 0.0)

    def say(words: str, share: float) -> None:
        nonlocal last
        now = time.monotonic()
        if words != last[0] or now - last[1] >= EVERY:
            last = (words, now)
            out.write(f"{words} ({share:.0%})\n")
            out.flush()

    return say


def building(reporter: Reporter) -> Callable[[str, float], None]:
    """Progress of engines that a run builds, one after another, as a stage of its own in hundredths."""
    done = 100

    def say(words: str, share: float) -> None:
        nonlocal done
        now = int(100 * share)
        if now < done:  # a new engine
            reporter.start("engine", {"build": 100})
            done = 0
        reporter.advance("build", now - done)
        done = now

    return say


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    >>> duration(42), duration(425), duration(7320)
    ('42 s', '7 min', '2 h 02 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
