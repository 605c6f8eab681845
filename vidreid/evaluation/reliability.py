"""Whether a run's probabilities hold: what they promised beside what labels say.

Intervals are of 95 %, by bootstrap over people, as pairs that share a person are alike (see `calibration`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidreid.evaluation.grouping import score_grouping
from vidreid.evaluation.run import rows
from vidreid.evaluation.sightings import true_people
from vidreid.evaluation.truth import Truth, parse_distractor, read_truth
from vidreid.identity.calibration import Kind
from vidreid.pipeline.calibrated import KINDS, Calibrated, Chance, Meaning
from vidreid.pipeline.likeness import Likenesses
from vidreid.pipeline.results import Run
from vidreid.types import Array

EDGES = (0.0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 1.0)
RESAMPLES = 2000
SEED = 20170  # any number: the same labels give the same intervals
BLOCK = 512  # rows of likenesses at a time


@dataclass(frozen=True)
class Bin:
    """Pairs with a predicted probability from ``low`` to ``high``: their mean prediction and ``likeness``, and the
    share that ``observed`` says is one person."""

    low: float
    high: float
    pairs: int
    predicted: float
    likeness: float
    observed: Chance


@dataclass(frozen=True)
class Check:
    """Promise and truth. ``achieved`` is the share of wrong ones among ``pairs`` put together, None without pairs.

    ``bins`` are of pairs of one camera (``same``) and of two (``cross``).
    """

    sightings: int
    people: int
    promised: float
    achieved: Chance | None
    pairs: int
    wrong: int
    bins: Mapping[str, Sequence[Bin]]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Labelled:
    """Labelled sightings of a run: ``likeness`` of some rows (k,) with all (k, n), nan where unknown; ``cameras`` (n,),
    frames ``spans`` (n, 2), the run's ``identities`` (n,) and the true ``people`` (n,), 0 for those without a label,
    all different."""

    likeness: Callable[[Array], Array]
    cameras: Array
    spans: Array
    identities: Array
    people: Array


def check_calibration(
    run: Run,
    found: Calibrated,
    truth: Path,
    *,
    partial: bool = False,
    distractors: Sequence[str] = (),
    by_person: bool = False,
) -> tuple[list[str], Check]:
    """Notes, and the check of a run's calibration against labels as `vidreid evaluate identity` reads them."""
    given = [parse_distractor(text) for text in distractors]
    labels = read_truth(truth, run.cameras, distractors=given, by_person=by_person)
    return labels.notes(partial=partial, identity=True), check(_labelled(run, found, labels, partial), found)


def _labelled(run: Run, calibrated: Calibrated, labels: Truth, partial: bool) -> Labelled:
    """The tracklets of labelled people that have an identity and looks."""
    people: dict[str, int] = {}
    for camera, truth in labels.cameras.items():
        numbered = true_people(truth, rows(run, camera, "tracklet"), partial=partial)
        people |= {f"{camera}/{number:06d}": person for number, person in numbered.items()}
    table = [row for row in run.tracklets().to_pylist() if row["identity"] and people.get(row["tracklet"], -1) >= 0]
    names = [row["tracklet"] for row in table]
    likenesses = Likenesses(run, calibrated)
    return Labelled(
        lambda block: likenesses.between([names[row] for row in block], names),
        np.array([run.cameras.index(row["camera"]) for row in table], np.int64),
        np.array([(row["first"], row["last"]) for row in table], np.int64).reshape(-1, 2),
        np.array([int(row["identity"][1:]) for row in table], np.int64),
        np.array([people[row["tracklet"]] for row in table], np.int64),
    )


def check(labelled: Labelled, found: Calibrated) -> Check:
    """Promise against truth, over labelled sightings."""
    grouping = score_grouping(labelled.identities, labelled.people, labelled.cameras)
    wrong = grouping.wrong_share
    return Check(
        sightings=grouping.items,
        people=grouping.people,
        promised=found.promise,
        achieved=None if wrong is None else Chance(wrong.value, wrong.low, wrong.high),
        pairs=grouping.pairs,
        wrong=grouping.wrong_pairs,
        bins={kind: reliability(labelled, found.curves[kind], kind) for kind in KINDS},
    )


def reliability(labelled: Labelled, curve: Meaning, kind: Kind) -> list[Bin]:
    """Predicted against true shares of one person among pairs of a ``kind``, in the bins of `EDGES` that hold one.

    Who is in a camera at once takes no part: looks decide nothing there.
    """
    alone = labelled.people == 0
    names = np.where(alone, -1 - np.arange(len(alone)), labelled.people)
    _, person = np.unique(names, return_inverse=True)
    count, same, predicted, likeness = (np.zeros((len(EDGES) - 1, len(np.unique(person)))) for _ in range(4))
    for start in range(0, len(person), BLOCK):
        block = np.arange(start, min(start + BLOCK, len(person)))
        alike = labelled.likeness(block)
        i, j = np.nonzero(_comparable(labelled, block, kind) & np.isfinite(alike))
        chance = np.interp(alike[i, j], curve.likeness, curve.probability)
        cells = np.clip(np.searchsorted(EDGES, chance, "right") - 1, 0, len(EDGES) - 2), person[block[i]]
        values = (1.0, person[block[i]] == person[j], chance, alike[i, j])
        for table, value in zip((count, same, predicted, likeness), values, strict=True):
            np.add.at(table, cells, value)
    total = count.sum(1)
    return [
        Bin(
            low=EDGES[place],
            high=EDGES[place + 1],
            pairs=int(total[place]) // 2,
            predicted=float(predicted[place].sum() / total[place]),
            likeness=float(likeness[place].sum() / total[place]),
            observed=_share(same[place], count[place]),
        )
        for place in np.flatnonzero(total)
    ]


def _comparable(labelled: Labelled, block: Array, kind: Kind) -> Array:
    """Which rows of ``block`` (b,) make pairs of a kind with which rows (b, n)."""
    cameras, (first, last) = labelled.cameras, labelled.spans.T
    same = cameras[block, None] == cameras
    if kind == "cross":
        return np.asarray(~same)
    return np.asarray(same & ((first[block, None] > last) | (last[block, None] < first)))


def _share(hits: Array, pairs: Array) -> Chance:
    """The share of hits (people,) among pairs (people,), people drawn with replacement."""
    hits, pairs = hits[pairs > 0], pairs[pairs > 0]
    people = len(pairs)
    value = float(hits.sum() / pairs.sum())
    drawn = np.random.default_rng(SEED).multinomial(people, np.full(people, 1 / people), RESAMPLES)
    low, high = (float(end) for end in np.percentile((drawn @ hits) / (drawn @ pairs), [2.5, 97.5]))
    # What never happened to these people may happen to the next (Clopper and Pearson, of people).
    never = 1 - 0.025 ** (1 / people)
    return Chance(value, 1 - never if value == 1 else low, never if value == 0 else high)
