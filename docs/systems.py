"""Tables of both papers' systems: what was published, what was found here, and what each network costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from measured import percent, read, table

from vidreid.networks.modules.complexity import Complexity, complexity
from vidreid.training.recipe import build_network, names, read_recipe

METRICS = {
    "tclnet": {"mAP": "mAP", "rank1": "rank-1"},
    "afa": {"rank1": "rank-1", "rank5": "5", "rank10": "10", "rank20": "20", "mAP": "mAP"},
}
SIZE = (256, 128)
FRAMES = 4  # that the TCLNet paper counts

# "GFLOPs" and millions of parameters as tables 2, 3a and 4b of the TCLNet paper print them; "" where none does.
COSTS = {
    "tclnet/base": ("16.246", "23.5"),
    "tclnet/tse-wo-seo": ("16.246", "27.9"),
    "tclnet/tse": ("16.251", "29.9"),
    "tclnet/tse-n3": ("16.252", "34.5"),
    "tclnet/tse-n4": ("16.253", "38.9"),
    "tclnet/tsb": ("16.254", "23.5"),
    "tclnet/tclnet": ("16.259", "29.9"),
    "tclnet/tclnet-stage1": ("16.267", "29.9"),
    "tclnet/tclnet-stage3": ("16.255", "29.9"),
    "tclnet/tclnet-stage23": ("16.263", "29.9"),
    "tclnet/3d": ("22.756", "33.7"),
    "tclnet/non-local": ("21.615", "25.6"),
    "tclnet/tse-non-local": ("21.619", "32.1"),
    "tclnet/authors": ("", ""),
    "afa/afa": ("", ""),
    "afa/qan-afa": ("", ""),
}


def systems(results: Path, paper: str) -> str:
    """Every row of a paper's tables that is its own: a recipe, the published figures, and ours where it was run."""
    found = read(results / "reproduction.json")
    shown = " / ".join(METRICS[paper].values())
    head = ("system", "row", "table", "config", "scored on", f"paper, {shown}", "ours", "seeds", "hours")
    return table(head, list(_rows(found, paper)))


def _rows(found: Mapping[str, Any], paper: str) -> Iterator[list[str]]:
    recipes = {name: read_recipe(name) for name in names("embedder")}
    mine = {name: recipe.source for name, recipe in recipes.items() if recipe.source.paper == paper}
    # By the number of system F12, and what is scored on the paper's first set before the rest.
    for name in sorted(mine, key=lambda name: (int(mine[name].system[1:]), name.count("/"), name)):
        source = mine[name]
        for layout, figures in (source.figures or {source.train: {}}).items():
            # Only Table 5 of AFA trains on one set to score another; all others train on the set that is scored.
            cross = source.train not in source.figures and layout != source.train
            where = f"{source.train} → {layout}" if cross else layout
            printed = _scores({key: f"{value:.1f}" for key, value in figures.items()}, paper) if figures else "a curve"
            ours = _ours(found.get(name, {}).get(layout), paper)
            yield [source.system, source.row, source.table, f"`{name}`", where, printed, *ours]


def _ours(found: Mapping[str, Any] | None, paper: str) -> list[str]:
    """Scores over seeds, how many those were, and the hours that they took together."""
    if found is None:
        return ["*not run*", "", ""]
    scores = {key: percent(found[key]) for key in METRICS[paper] if key in found}
    return [_scores(scores, paper), str(len(found["rank1"])), f"{found['hours']:.1f}"]


def _scores(texts: Mapping[str, str], paper: str) -> str:
    """Scores in the order of the paper's metrics."""
    return " / ".join(texts.get(key, "-") for key in METRICS[paper])


def costs() -> str:
    """Multiply-adds of four frames and parameters as counted, beside the paper's figures."""
    head = ("config", "multiply-adds, 10⁹", "paper", "met", "parameters, 10⁶", "paper", "met")
    rows = []
    for name, printed in COSTS.items():
        counted, frames = _counted(name)
        giga = counted.multiply_adds * FRAMES / frames / 1e9
        million = counted.parameters / 1e6
        cells = [
            f"{giga:.6f}",
            printed[0],
            met(giga, printed[0]),
            f"{million:.3f}",
            printed[1],
            met(million, printed[1]),
        ]
        rows.append([f"`{name}`", *cells])
    return table(head, rows)


def _counted(name: str) -> tuple[Complexity, int]:
    """What a recipe's network costs for one clip, and the clip's frames."""
    recipe = read_recipe(name)
    with torch.device("meta"):
        network = build_network(recipe)
    return complexity(network, (1, recipe.data.frames, 3, *SIZE)), recipe.data.frames


def met(counted: float, printed: str) -> str:
    """Whether a count is the printed figure: ``yes`` when rounded, ``cut off`` when its further digits are dropped.

    >>> met(16.2507, "16.251"), met(27.97, "27.9"), met(30.07, "29.9")
    ('yes', 'cut off', 'no')
    """
    if not printed:
        return ""
    digits = len(printed.partition(".")[2])
    if f"{counted:.{digits}f}" == printed:
        return "yes"
    return "cut off" if int(counted * 10**digits) == round(float(printed) * 10**digits) else "no"
