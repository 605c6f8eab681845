"""Tracking scores of each camera: MOTA, IDF1 and HOTA, as trackeval computes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from trackeval.metrics import CLEAR, HOTA, Identity

from vidreid.errors import InputError
from vidreid.evaluation.mot import Rows
from vidreid.evaluation.partial import counted
from vidreid.evaluation.sequence import sequence
from vidreid.evaluation.truth import CameraTruth, Truth


@dataclass(frozen=True)
class TrackingScore:
    """How well the tracks of one camera follow its labels. Scores are fractions, 1 is perfect; the rest are counts.

    ``mota`` (at most 1, may be negative), ``precision``, ``recall``, ``id_switches`` and ``fragments`` are CLEAR MOT
    (Bernardin and Stiefelhagen 2008); ``idf1``, ``idp``, ``idr`` of Ristani et al. 2016; ``hota``, ``deta``, ``assa``
    of Luiten et al. 2021, means over IoU 0.05, 0.1, ..., 0.95. ``tp``, ``fp``, ``fn`` count boxes at the threshold;
    ``left_out`` output boxes outside the labelled frames or, with partial labels, without a label.
    """

    mota: float
    idf1: float
    idp: float
    idr: float
    hota: float
    deta: float
    assa: float
    precision: float
    recall: float
    id_switches: int
    fragments: int
    tp: int
    fp: int
    fn: int
    truth_boxes: int
    output_boxes: int
    truth_ids: int
    output_ids: int
    left_out: int

    def as_dict(self) -> dict[str, float | int]:
        """The fields by name, plain numbers."""
        return asdict(self)


def evaluate_tracking(
    truth: Truth, outputs: Mapping[str, Rows], *, partial: bool = False, threshold: float = 0.5
) -> dict[str, TrackingScore]:
    """Score ``outputs`` of each camera against ``truth``; ids need to mean something within a camera only.

    A box is right from IoU ``threshold`` on (not in HOTA, which averages). ``partial`` scores by the rules of
    `vidreid.evaluation.partial`. A labelled camera that ``outputs`` lacks is an `InputError`.
    """
    pairs = scored_rows(truth, outputs, partial=partial)
    return {camera: _score(*pair, len(outputs[camera]), threshold) for camera, pair in pairs.items()}


def scored_rows(truth: Truth, outputs: Mapping[str, Rows], *, partial: bool) -> dict[str, tuple[Rows, Rows]]:
    """The labels and the output boxes that count, by camera."""
    if missing := [camera for camera in truth.cameras if camera not in outputs]:
        hint = f"outputs are of: {', '.join(outputs) or 'no camera'}"
        raise InputError(f"{', '.join(missing)}: labels, but no output", hint)
    return {camera: _counting(camera, labels, outputs[camera], partial) for camera, labels in truth.cameras.items()}


def _counting(camera: str, truth: CameraTruth, output: Rows, partial: bool) -> tuple[Rows, Rows]:
    """Labels and output boxes within the labelled frames; of partial labels, the boxes that can be judged."""
    for rows, name in ((truth.rows, "labels"), (output, "output")):
        if (row := rows.duplicate()) is not None:
            problem = f"{name}: id {rows.ids[row]} has two boxes in frame {rows.frame[row]}"
            raise InputError(f"{camera}: {problem}", "a person has one box a frame: keep one")
    first, last = truth.span or (0, np.inf)
    labels, output = (rows.take((rows.frame >= first) & (rows.frame <= last)) for rows in (truth.rows, output))
    return labels, output.take(counted(labels, output, truth.distractors)) if partial else output


def _score(labels: Rows, output: Rows, offered: int, threshold: float) -> TrackingScore:
    """The scores of one camera."""
    data = sequence([(labels, output)])
    options = {"THRESHOLD": threshold, "PRINT_CONFIG": False}
    clear, hota = CLEAR(options).eval_sequence(data), HOTA().eval_sequence(data)
    identity = Identity(options).eval_sequence(data)
    return TrackingScore(
        mota=float(clear["MOTA"]),
        idf1=float(identity["IDF1"]),
        idp=float(identity["IDP"]),
        idr=float(identity["IDR"]),
        hota=float(np.mean(hota["HOTA"])),
        deta=float(np.mean(hota["DetA"])),
        assa=float(np.mean(hota["AssA"])),
        precision=float(clear["CLR_Pr"]),
        recall=float(clear["CLR_Re"]),
        id_switches=int(clear["IDSW"]),
        fragments=int(clear["Frag"]),
        tp=int(clear["CLR_TP"]),
        fp=int(clear["CLR_FP"]),
        fn=int(clear["CLR_FN"]),
        truth_boxes=len(labels),
        output_boxes=len(output),
        truth_ids=data["num_gt_ids"],
        output_ids=data["num_tracker_ids"],
        left_out=offered - len(output),
    )
