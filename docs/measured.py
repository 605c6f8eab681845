"""Tables of what tests/benchmarks measured, from the JSON files in its results/."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

METRICS = ("mota", "idf1", "hota")
HEADINGS = {
    "identity": "Identity across cameras",
    "speed": "Speed",
    "memory": "Memory",
}


def measured(results: Path) -> str:
    """All tables that have a result, the trackers' first; a line where nothing was measured yet."""
    parts = []
    if (results / "trackers.json").is_file():
        parts.append(trackers(_read(results / "trackers.json")))
    for name, heading in HEADINGS.items():
        if (results / f"{name}.json").is_file():
            parts.append(f"### {heading}\n\n{plain(_read(results / f'{name}.json'))}")
    return "\n".join(parts) or "Nothing was measured yet: see `tests/benchmarks`.\n"


def trackers(found: Mapping[str, Any]) -> str:
    """One row a tracker and scene: scores of single-camera tracks, gaps of up to two seconds joined."""
    rows = []
    for name, cameras in found.items():
        for camera, result in cameras.items():
            raw, joined = result["raw"], result["joined"]
            scores = [f"{joined[metric]:.3f}" for metric in METRICS]
            rows.append(
                [name, f"{result['scene']} {camera}", *scores, f"{raw['idf1']:.3f}", str(joined["id_switches"])]
            )
    rows.sort(key=lambda row: (row[1], -float(row[3])))
    head = ("tracker", "footage", "MOTA", "IDF1", "HOTA", "IDF1 before joins", "switches")
    return f"### Tracking within one camera\n\n{_table(head, rows)}"


def plain(found: Mapping[str, Any]) -> str:
    """Any other result: an entry a row, its numbers as columns, deeper names joined by a space."""
    rows = {name: dict(_leaves(value)) for name, value in found.items() if isinstance(value, Mapping)}
    alone = {name: value for name, value in found.items() if not isinstance(value, Mapping | list)}
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    parts = []
    if rows:
        body = [[name, *(_number(row.get(column)) for column in columns)] for name, row in rows.items()]
        parts.append(_table(("", *(column.replace("_", " ") for column in columns)), body))
    if alone:
        parts.append(_table(("", "value"), [[name.replace("_", " "), _number(value)] for name, value in alone.items()]))
    return "\n".join(parts)


def _leaves(value: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    leaves: list[tuple[str, Any]] = []
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            leaves += _leaves(inner, f"{prefix}{name} ")
        elif not isinstance(inner, list):
            leaves.append((f"{prefix}{name}", inner))
    return leaves


def _number(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
    return str(value)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "".join("| " + " | ".join(line) + " |\n" for line in [head, ["---"] * len(head), *rows])


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
