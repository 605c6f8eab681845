"""Identity scores over cameras: one id is one person everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from reid_hota import HOTAConfig, HOTAReIDEvaluator
from trackeval.metrics import HOTA, Identity

from vidreid.evaluation.grouping import Grouping, score_grouping
from vidreid.evaluation.mot import Rows
from vidreid.evaluation.sequence import sequence
from vidreid.evaluation.sightings import THING, UNKNOWN, true_people
from vidreid.evaluation.tracking import TrackingScore, evaluate_tracking, scored_rows
from vidreid.evaluation.truth import Truth
from vidreid.types import Array

GROUPED = ("purity", "completeness", "cross_pair_precision", "cross_pair_recall", "pairs")
BEYOND = 2**53  # above every id of a MOT file


@dataclass(frozen=True)
class IdentityScore:
    """How well identities hold over all cameras together. Scores are fractions, 1 is perfect.

    ``idf1``, ``idp``, ``idr`` (Ristani et al. 2016, equations 5 to 7) at IoU 0.5, of all cameras as one sequence:
    identities and people are paired one to one, so that the most boxes agree. ``hota``, ``deta``, ``assa`` are NIST's
    HOTA with global alignment, means over IoU 0.05, 0.1, ..., 0.95: there too a person has one identity or none, so
    a box of a wrong identity is a miss and a false positive of ``deta``. ``hota_unaligned`` is the HOTA of Luiten et
    al. 2021, of all cameras as one sequence: the measure of `TrackingScore` and of most published tables. The two
    agree where every person has at most one identity. ``grouping`` scores the tracklets that identities put together,
    each with the person that it follows. ``cameras`` scores each camera by itself.
    """

    idf1: float
    idp: float
    idr: float
    hota: float
    deta: float
    assa: float
    hota_unaligned: float
    truth_ids: int
    output_ids: int
    grouping: Grouping
    cameras: dict[str, TrackingScore]

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, plain numbers; ``cameras`` is a dictionary of such dictionaries.

        Of the grouping `GROUPED`; a score is None where there is nothing to judge.
        """
        scores = asdict(self)
        cameras, grouping = scores.pop("cameras"), scores.pop("grouping")
        return {**scores, **{name: grouping[name] for name in GROUPED}, "cameras": cameras}


def evaluate_identity(
    truth: Truth, outputs: Mapping[str, Rows], tracklets: Mapping[str, Array] | None = None, *, partial: bool = False
) -> IdentityScore:
    """Score identities over the cameras of ``truth``; the ids of truth and outputs must be global.

    ``tracklets`` are the tracklet's number of each row of ``outputs``; without them an identity's boxes in a camera are
    one tracklet. ``partial`` scores by the rules of `vidreid.evaluation.partial`. A labelled camera that ``outputs``
    lacks is an `InputError`.
    """
    pairs = scored_rows(truth, outputs, partial=partial)
    data = sequence(list(pairs.values()))
    identity = Identity({"PRINT_CONFIG": False}).eval_sequence(data)
    aligned = aligned_hota(pairs)
    return IdentityScore(
        idf1=float(identity["IDF1"]),
        idp=float(identity["IDP"]),
        idr=float(identity["IDR"]),
        hota=float(np.mean(aligned["HOTA"])),
        deta=float(np.mean(aligned["DetA"])),
        assa=float(np.mean(aligned["AssA"])),
        hota_unaligned=float(np.mean(HOTA().eval_sequence(data)["HOTA"])),
        truth_ids=data["num_gt_ids"],
        output_ids=data["num_tracker_ids"],
        grouping=_grouping(truth, outputs, tracklets, partial),
        cameras=evaluate_tracking(truth, outputs, partial=partial),
    )


def _grouping(
    truth: Truth, outputs: Mapping[str, Rows], tracklets: Mapping[str, Array] | None, partial: bool
) -> Grouping:
    """The tracklets of all cameras by identity, against the people whom they follow."""
    found: list[tuple[int, int, int]] = []
    things: dict[tuple[int, int], int] = {}
    for camera, (name, labels) in enumerate(truth.cameras.items()):
        rows = outputs[name]
        numbers = rows.ids if tracklets is None else tracklets[name]
        people = true_people(labels, Rows(rows.frame, numbers, rows.boxes), partial=partial)
        known, first = np.unique(numbers, return_index=True)
        for number, identity in zip(known.tolist(), rows.ids[first].tolist(), strict=True):
            person = people.get(number, UNKNOWN)
            if person <= THING:  # someone whom no label names
                person = things.setdefault((camera, person), BEYOND + len(things))
            found.append((identity, person, camera))
    return score_grouping(*np.array(found, np.int64).reshape(-1, 3).T)


def aligned_hota(pairs: Mapping[str, tuple[Rows, Rows]]) -> dict[str, Any]:
    """NIST's HOTA of (labels, output) by camera: arrays over the IoU thresholds by name."""
    config = HOTAConfig(
        id_alignment_method="global",
        reference_contains_dense_annotations=True,  # what does not count is already left out
        iou_thresholds=HOTA().array_labels,  # NIST's default is coarser
        suppress_print_statements=True,
    )
    evaluator = HOTAReIDEvaluator(config=config)
    evaluator.evaluate(
        {camera: _frame(labels) for camera, (labels, _) in pairs.items()},
        {camera: _frame(output) for camera, (_, output) in pairs.items()},
    )
    results: dict[str, Any] = evaluator.get_global_hota_data()
    return results


def _frame(rows: Rows) -> pd.DataFrame:
    """A table as reid_hota reads it."""
    corners = {name: rows.boxes[:, column].astype(np.float64) for column, name in enumerate(("x1", "y1", "x2", "y2"))}
    return pd.DataFrame({"frame": rows.frame, "id": rows.ids, **corners})
