"""Results of systems side by side: paired differences with 95 % intervals, and the spread over seeds."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, NonNegativeInt, ValidationError, model_validator

from vidreid.errors import InputError
from vidreid.evaluation.significance import Interval, bootstrap_mean

METRICS = ("rank1", "rank5", "rank10", "mAP")
TITLES = {"rank1": "rank-1", "rank5": "rank-5", "rank10": "rank-10", "mAP": "mAP"}
POINT = 0.01  # differences below it are within what a second run of one recipe shows


class PerQuery(BaseModel):
    """One entry a query; ``first`` is 0 where the gallery holds no match."""

    split: list[int]
    query: list[str]
    identity: list[int]
    first: list[NonNegativeInt]
    ap: list[float]

    @model_validator(mode="after")
    def _one_entry_a_query(self) -> PerQuery:
        if len({len(column) for column in (self.split, self.query, self.identity, self.first, self.ap)}) > 1:
            raise ValueError("columns of different lengths")
        if not any(self.first):
            raise ValueError("no query with a match")
        return self


class Result(BaseModel):
    """What `vidreid evaluate retrieval --json` prints, as far as it is compared."""

    dataset: str
    protocol: dict[str, Any]
    gallery: int
    per_query: PerQuery


@dataclass(frozen=True)
class Cell:
    """One score of one system: its ``mean`` and ``spread`` (standard deviation) over seeds, None with one seed, and
    how much better it is than the first system, None for that one."""

    mean: float
    spread: float | None
    difference: Interval | None

    @property
    def certain(self) -> bool:
        """Whether a difference is more than noise: a point or more, and 0 outside of its interval."""
        found = self.difference
        return found is not None and abs(found.value) >= POINT and not found.low <= 0 <= found.high


@dataclass(frozen=True)
class Line:
    """A system's scores by metric."""

    system: str
    seeds: int
    cells: Mapping[str, Cell]


def compare(systems: Mapping[str, Sequence[Path]]) -> list[Line]:
    """Compare systems, each given by the results of one seed or more, with the first of them.

    Differences are paired query by query, seeds averaged first; intervals come from drawing people. Results of
    different data sets, protocols or queries are an `InputError`.
    """
    results = {name: [read_result(path) for path in paths] for name, paths in systems.items()}
    paths = [path for group in systems.values() for path in group]
    every = [result for group in results.values() for result in group]
    for path, result in zip(paths[1:], every[1:], strict=True):
        _same_task(paths[0], every[0], path, result)
    reference = next(iter(results))
    weights, people = _weights(every[0].per_query)
    values = {name: [_values(result.per_query) for result in group] for name, group in results.items()}
    lines = []
    for name, seeds in values.items():
        cells = {}
        for metric in METRICS:
            difference = None
            if name != reference:
                change = _mean(seeds, metric) - _mean(values[reference], metric)
                difference = bootstrap_mean(change, weights, people)
            scores = [float(np.average(seed[metric], weights=weights)) for seed in seeds]
            spread = float(np.std(scores, ddof=1)) if len(scores) > 1 else None
            cells[metric] = Cell(float(np.mean(scores)), spread, difference)
        lines.append(Line(name, len(seeds), cells))
    return lines


def read_result(path: Path) -> Result:
    """A file of results; `InputError` where it is none."""
    try:
        return Result.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}", "vidreid evaluate retrieval --json > FILE") from None
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        reason = f"{place + ': ' if place else ''}{fault['msg']}"
        raise InputError(f"{path}: no retrieval result: {reason}", "vidreid evaluate retrieval --json > FILE") from None


def _same_task(first: Path, one: Result, second: Path, other: Result) -> None:
    def refuse(what: str, mine: object, theirs: object) -> InputError:
        return InputError(f"{first} and {second}: {what} {mine} and {theirs}", "compare results of one task")

    if one.dataset != other.dataset:
        raise refuse("data sets", one.dataset, other.dataset)
    for key in sorted({*one.protocol, *other.protocol} - {"distance"}):
        if one.protocol.get(key) != other.protocol.get(key):
            raise refuse(key, one.protocol.get(key), other.protocol.get(key))
    if one.gallery != other.gallery:
        raise refuse("gallery sizes", one.gallery, other.gallery)
    mine, theirs = one.per_query, other.per_query
    if _task(mine) != _task(theirs):
        raise refuse("different queries,", len(mine.query), len(theirs.query))


def _task(queries: PerQuery) -> tuple[object, ...]:
    return queries.split, queries.query, queries.identity, [rank > 0 for rank in queries.first]


def _weights(queries: PerQuery) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Weight and identity of each scored query: splits count alike, however many queries they have."""
    scored = np.array(queries.first) > 0
    split, people = np.array(queries.split)[scored], np.array(queries.identity)[scored]
    _, place, count = np.unique(split, return_inverse=True, return_counts=True)
    return 1 / count[place], people


def _values(queries: PerQuery) -> dict[str, NDArray[np.float64]]:
    """Each metric's value of each scored query."""
    first, ap = np.array(queries.first), np.array(queries.ap)
    scored = first > 0
    hits = {metric: (first[scored] <= int(metric.removeprefix("rank"))).astype(np.float64) for metric in METRICS[:-1]}
    return {**hits, "mAP": ap[scored]}


def _mean(seeds: Sequence[Mapping[str, NDArray[np.float64]]], metric: str) -> NDArray[np.float64]:
    return np.asarray(np.mean([seed[metric] for seed in seeds], axis=0))


def percent(cell: Cell) -> str:
    """A score in percent, with its spread over seeds."""
    return f"{100 * cell.mean:.1f}" + ("" if cell.spread is None else f" ± {100 * cell.spread:.1f}")


def points(cell: Cell) -> str:
    """A difference in points with its interval; empty for the first system."""
    found = cell.difference
    return f"{100 * found.value:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]" if found else ""


def as_text(lines: Sequence[Line]) -> list[str]:
    """A table for a terminal; an asterisk marks differences that are more than noise."""
    width = max(len("system"), *(len(line.system) for line in lines)) + 2
    rows = [f"{'system':<{width}}seeds" + "".join(f"{title:>24}" for title in TITLES.values())]
    for line in lines:
        rows.append(
            f"{line.system:<{width}}{line.seeds:>5}" + "".join(f"{percent(c):>24}" for c in line.cells.values())
        )
        if any(cell.difference for cell in line.cells.values()):
            changes = [points(cell) + ("*" if cell.certain else " ") for cell in line.cells.values()]
            rows.append(" " * (width + 5) + "".join(f"{change:>24}" for change in changes))
    return [
        *rows,
        f"in percent; below, points more than {lines[0].system} with 95 % intervals over people",
        "* more than noise: a point or more, and 0 is not in the interval",
    ]


def as_csv(lines: Sequence[Line]) -> str:
    """One row a system and metric; scores and differences are fractions."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["system", "seeds", "metric", "mean", "spread", "difference", "low", "high"])
    for line in lines:
        for metric, cell in line.cells.items():
            found = cell.difference
            numbers = [cell.mean, cell.spread, *((found.value, found.low, found.high) if found else (None,) * 3)]
            rounded = ["" if number is None else f"{number:.6f}" for number in numbers]
            table.writerow([line.system, line.seeds, metric, *rounded])
    return text.getvalue()


def as_latex(lines: Sequence[Line]) -> str:
    """A table for LaTeX with booktabs: percent, differences in points below, bold where they are more than noise."""
    rows = [
        r"% differences from the first system, in points, with 95\,\% bootstrap intervals over identities;",
        r"% bold: at least one point, and the interval leaves out 0",
        rf"\begin{{tabular}}{{l{'r' * len(METRICS)}}}",
        r"\toprule",
        " & ".join(["system", *TITLES.values()]) + r" \\",
        r"\midrule",
    ]
    for line in lines:
        scores = [f"${percent(cell).replace('±', chr(92) + 'pm')}$" for cell in line.cells.values()]
        rows.append(" & ".join([_escaped(line.system), *scores]) + r" \\")
        if any(cell.difference for cell in line.cells.values()):
            changes = [rf"\textbf{{{points(cell)}}}" if cell.certain else points(cell) for cell in line.cells.values()]
            rows.append(" & ".join(["", *changes]) + r" \\")
    return "\n".join([*rows, r"\bottomrule", r"\end{tabular}", ""])


def _escaped(text: str) -> str:
    marks = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(marks.get(mark, f"\\{mark}" if mark in "&%$#_{}" else mark) for mark in text)
