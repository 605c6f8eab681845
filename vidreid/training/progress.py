"""How far a training is: what it tells every few steps, as a line and as a row of its log."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vidreid.errors import InputError, StorageError
from vidreid.training.checkpoint import replaced


@dataclass(frozen=True)
class Progress:
    """The step that ended of so many ``steps``, mean losses since the last word, the learning rate, the speed."""

    step: int
    steps: int
    losses: Mapping[str, float]
    rate: float
    pictures_per_second: float
    seconds_left: float

    def __str__(self) -> str:
        return f"step {self.step} of {self.steps}: {self.loss_line}; {self.speed_line}"

    @property
    def loss_line(self) -> str:
        return ", ".join(f"{name} {value:.3f}" for name, value in self.losses.items())

    @property
    def speed_line(self) -> str:
        return f"{self.pictures_per_second:.0f} pictures/s, {duration(self.seconds_left)} left"


def duration(seconds: float) -> str:
    """Hours, minutes and seconds.

    >>> duration(42), duration(425), duration(7320)
    ('0:00:42', '0:07:05', '2:02:00')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


class Log:
    """A CSV with a row every few steps: step, rate, pictures_per_second, and each loss."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, progress: Progress) -> None:
        """Append a row; `StorageError` where the disk is full."""
        row = {"step": progress.step, "rate": progress.rate, "pictures_per_second": progress.pictures_per_second}
        row |= progress.losses
        try:
            new = not self._path.is_file()
            with self._path.open("a", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                if new:
                    writer.writerow(row)
                writer.writerow([f"{value:.6g}" for value in row.values()])
        except OSError as error:
            hint = "free some space: the same command goes on"
            raise StorageError(f"{self._path}: {error.strerror}", hint) from None

    def cut(self, step: int) -> None:
        """Take out the rows after ``step``, which a training that goes on from there will write again; the file where
        nothing is left of it."""
        if not self._path.is_file():
            return
        *lines, _ = self._path.read_text(encoding="utf-8").split("\n")  # behind the last end of a line nothing is whole
        if step == 0 or not lines:
            self._path.unlink()
            return
        header, *rows = lines
        kept = [row for row in rows if _whole(row, header) and int(row.partition(",")[0]) <= step]
        with replaced(self._path) as temporary:
            temporary.write_text("\n".join([header, *kept, ""]), encoding="utf-8")

    def columns(self) -> dict[str, list[float]]:
        """The log by column; `InputError` where the file is no log."""
        try:
            with self._path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file, strict=True))
            return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ())}
        except (OSError, UnicodeDecodeError, csv.Error, TypeError, ValueError):
            raise InputError(f"{self._path}: not the log of a training", "give the log.csv of a training") from None


def _whole(row: str, header: str) -> bool:
    """Whether a row is one of this log, as after a power cut not all need be."""
    return row.count(",") == header.count(",") and row.partition(",")[0].isdigit()
