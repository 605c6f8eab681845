"""How far an engine is from torch: its golden inputs are run again, without torch and without the weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from vidreid.engines.card import GOLDEN, Measured
from vidreid.engines.load import EngineModel
from vidreid.engines.recipe import Bound
from vidreid.engines.source import BOXES, EMBEDDING, INPUT, ROWS, Golden, read_golden
from vidreid.errors import InputError
from vidreid.types import Array, Engine, Model, ModelSpec, Runtime

Outputs = Mapping[str, Array]

SURE = 0.3  # score from which a box must be found again
FAINT = 0.15  # ... and with which it is: a score that rounding moved over the line loses nobody
OVERLAP = 0.7
PERSON = 0


def verify(model: Model, golden: Sequence[Golden], runtime: Runtime, batch: int = 1) -> Measured:
    """Load an engine for each size of its golden inputs, run them ``batch`` at a time, and compare with torch."""
    found = [_answers(model, one, runtime, batch) for one in golden]
    return compare([one.outputs for one in golden], found, model.spec)


def verify_engine(model: EngineModel, runtime: Runtime) -> Measured:
    """As `verify`, of an opened engine's own golden inputs, in the usual batch of its profile."""
    golden = read_golden(model.path.parent / GOLDEN)
    least, usual, _ = model.card.batch
    return verify(model, golden, runtime, max(least, min(usual, len(golden[0].images))))


def vectors(model: Model, runtime: Runtime, clips: Array, batch: int = 1) -> Array:
    """An embedder's vectors (n, dim) of inputs (n, ...), ``batch`` at a time."""
    engine = runtime.load(model, streams=1, batch=batch)
    try:
        return run_all(engine, clips)[EMBEDDING]
    finally:
        engine.close()


def run_all(engine: Engine, images: Array) -> dict[str, Array]:
    """Outputs (n, ...) of ``images`` (n, ...) in batches of the engine's own; a short last one repeats its last."""
    batch = engine.inputs[INPUT][0]
    parts: list[dict[str, Array]] = []
    for start in range(0, len(images), batch):
        rows = np.minimum(np.arange(start, start + batch), len(images) - 1)
        parts.append(engine.run({INPUT: images[rows]}))
    return {name: np.concatenate([part[name] for part in parts])[: len(images)] for name in engine.outputs}


def compare(expected: Sequence[Outputs], found: Sequence[Outputs], spec: ModelSpec) -> Measured:
    """What an engine says of inputs (``found``) beside what torch says (``expected``); one entry a size of pictures.

    `InputError` where an output is missing, of another shape, or not finite.
    """
    for wanted, given in zip(expected, found, strict=True):
        _check(wanted, given, spec.name)
    return _vectors(expected, found, spec) if spec.kind == "embedder" else _boxes(expected, found)


def refusal(measured: Measured, bound: Bound, kind: str) -> str | None:
    """Why an engine is too far from torch, with the figures; None where it is not. ``kind``: as `ModelSpec` has it."""
    reasons = _vector_reasons(measured, bound) if kind == "embedder" else _box_reasons(measured, bound)
    return "; ".join(reasons) or None


@dataclass(frozen=True, slots=True)
class RankAgreement:
    """Whether two engines rank the same clips alike, each clip looked for among all others.

    ``first``: share of clips whose nearest is the same; ``ten``: mean share of the ten nearest that both have;
    ``spearman``: mean rank correlation of the whole order.
    """

    clips: int
    first: float
    ten: float
    spearman: float


def rank_agreement(expected: Array, found: Array, branches: int = 1) -> RankAgreement:
    """Compare the orders by cosine of vectors (n, dim), n >= 3, their ``branches`` normalised one by one."""
    count = len(expected)
    if count < 3:
        raise InputError(f"{count} clips: too few to rank", "give pictures for three or more")
    orders = [_order(vectors, branches) for vectors in (expected, found)]
    depth = min(10, count - 1)
    shared = [np.intersect1d(one[:depth], other[:depth]).size for one, other in zip(*orders, strict=True)]
    ranks = [np.argsort(order, axis=1) for order in orders]
    apart = ((ranks[0] - ranks[1]) ** 2.0).sum(1)
    n = count - 1
    spearman = 1 - 6 * apart / (n * (n**2 - 1))  # exact without ties, of which ranks have none
    same = orders[0][:, 0] == orders[1][:, 0]
    return RankAgreement(count, float(same.mean()), float(np.mean(shared) / depth), float(spearman.mean()))


def _answers(model: Model, golden: Golden, runtime: Runtime, batch: int) -> dict[str, Array]:
    spec = replace(model.spec, input=replace(model.spec.input, size=golden.size))
    engine = runtime.load(replace(cast(Any, model), spec=spec), streams=1, batch=batch)
    try:
        return run_all(engine, golden.images)
    finally:
        engine.close()


def _check(expected: Outputs, found: Outputs, name: str) -> None:
    for output, wanted in expected.items():
        given = found.get(output)
        if given is None or given.shape != wanted.shape:
            what = "missing" if given is None else f"of shape {given.shape}, torch's is {wanted.shape}"
            raise InputError(f"{name}: the engine's output {output} is {what}", "build the engine again")
        if not np.isfinite(given).all():
            bad = int((~np.isfinite(given)).reshape(len(given), -1).any(1).sum())
            raise InputError(
                f"{name}: the engine's {output} holds no numbers for {bad} of {len(given)} golden inputs",
                "keep more operators in float32 (islands of the recipe), or build with --precision bf16 or fp32",
            )


# Embedders


def _vectors(expected: Sequence[Outputs], found: Sequence[Outputs], spec: ModelSpec) -> Measured:
    wanted, given = (_parts(_joined(side, EMBEDDING), spec.branches) for side in (expected, found))
    erases = ROWS in expected[0]
    everywhere = np.ones((len(wanted), 1, spec.branches - 1), bool)
    equal = _joined(expected, ROWS) == _joined(found, ROWS) if erases else everywhere
    agree = _agreeing(equal, spec.branches)
    counted = agree | ~agree.any(0)
    cosines = _cosines(wanted, given)
    apart = cosines[~agree]
    errors = np.abs(wanted - given)[counted]
    return Measured(
        inputs=len(wanted),
        cosine=[_least_and_mean(column[rows]) for column, rows in zip(cosines.T, counted.T, strict=True)],
        rows=float(equal.mean()) if erases else None,
        agreeing=agree.sum(0).tolist() if erases else None,
        differing=_least_and_mean(apart) if len(apart) else None,
        error=(float(errors.max()), float(errors.mean())),
    )


def _agreeing(equal: NDArray[np.bool_], branches: int) -> NDArray[np.bool_]:
    """Clips and branches (n, branches) that saw the same, from equal erased rows (n, segments, branches - 1).

    What a learner sees depends on its own block and, through what they found, on those of the learners before it.
    """
    erased = np.logical_and.accumulate(equal.all(1), axis=1)
    if erased.shape[1] != branches - 1:  # the parts of the vector are not the learners'
        return np.repeat(erased[:, -1:], branches, axis=1)
    return np.concatenate([np.ones((len(equal), 1), bool), erased], axis=1)


def _joined(side: Sequence[Outputs], name: str) -> Array:
    return np.concatenate([outputs[name] for outputs in side])


def _parts(vectors: Array, branches: int) -> Array:
    return vectors.astype(np.float64).reshape(len(vectors), branches, -1)


def _cosines(a: Array, b: Array) -> Array:
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    found: Array = (a * b).sum(-1) / np.maximum(lengths, 1e-30)
    return found


def _least_and_mean(values: Array) -> tuple[float, float]:
    return float(values.min()), float(values.mean())


def _order(vectors: Array, branches: int) -> Array:
    """For each clip the others (n, n - 1), nearest first."""
    parts = _parts(vectors, branches)
    unit = (parts / np.maximum(np.linalg.norm(parts, axis=-1, keepdims=True), 1e-30)).reshape(len(vectors), -1)
    distances = -(unit @ unit.T)
    np.fill_diagonal(distances, np.inf)
    order: Array = np.argsort(distances, axis=1, kind="stable")[:, :-1]
    return order


def _vector_reasons(measured: Measured, bound: Bound) -> list[str]:
    reasons = []
    if measured.rows is not None and measured.rows < bound.rows:
        reasons.append(f"{measured.rows:.1%} of the erased rows are torch's, the bound is {bound.rows:.0%}")
    for number, (least, _) in enumerate(measured.cosine or [], 1):
        branch = f" of branch {number}" if len(measured.cosine or []) > 1 else ""
        if measured.agreeing is not None and not measured.agreeing[number - 1]:
            reasons.append(f"no clip{branch} was seen as torch saw it")
        if least < bound.cosine:
            reasons.append(f"least cosine{branch} is {least:.5f}, the bound is {bound.cosine:g}")
    return reasons


# Detectors


def _boxes(expected: Sequence[Outputs], found: Sequence[Outputs]) -> Measured:
    pictures = [
        _matched(wanted, given)
        for of_one, of_other in zip(expected, found, strict=True)
        for wanted, given in zip(of_one[BOXES], of_other[BOXES], strict=True)
    ]
    sure = sum(count for count, _ in pictures)
    pairs = np.concatenate([rows for _, rows in pictures])
    if not sure or not len(pairs):
        return Measured(inputs=len(pictures), found=0.0 if sure else None)
    errors, ious, scores = pairs[:, :4], pairs[:, 4], pairs[:, 5]
    return Measured(
        inputs=len(pictures),
        error=(float(errors.max()), float(errors.mean())),
        found=len(pairs) / sure,
        iou=float(ious.mean()),
        score=float(scores.mean()),
    )


def _matched(expected: Array, found: Array) -> tuple[int, Array]:
    """Sure boxes of a picture, of torch or of the engine, and of those that both have: differences of coordinates,
    IoU, difference of scores (n, 6). One that only the engine has is as wrong as one that it lacks."""
    from scipy.optimize import linear_sum_assignment

    (boxes, scores), (others, other_scores) = _persons(expected), _persons(found)
    overlap = _iou(boxes, others)
    overlap[overlap < OVERLAP] = 0
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    together = overlap[rows, columns] > 0
    rows, columns = rows[together], columns[together]
    sure = np.maximum(scores[rows], other_scores[columns]) >= SURE
    alone = (np.delete(scores, rows) >= SURE).sum() + (np.delete(other_scores, columns) >= SURE).sum()
    rows, columns = rows[sure], columns[sure]
    apart = np.abs(boxes[rows] - others[columns])
    score = np.abs(scores[rows] - other_scores[columns])
    return len(rows) + int(alone), np.column_stack([apart, overlap[rows, columns], score])


def _persons(output: Array) -> tuple[Array, Array]:
    """Boxes (n, 4) of persons and their scores, faint ones too, of one picture's output.

    It is (n, 6): x1, y1, x2, y2, score, class; or (4 + classes, n): centre, size, a score a class, where boxes that
    hide each other are all compared.
    """
    if output.shape[1] == 6:
        kept = output[(output[:, 5] == PERSON) & (output[:, 4] >= FAINT)].astype(np.float64)
        return kept[:, :4], kept[:, 4]
    kept = output[:, output[4 + PERSON] >= FAINT].T.astype(np.float64)
    center, half = kept[:, :2], kept[:, 2:4] / 2
    return np.concatenate([center - half, center + half], 1), kept[:, 4 + PERSON]


def _iou(a: Array, b: Array) -> Array:
    """Intersection over union (n, m) of boxes (n, 4) and (m, 4)."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(1) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    found: Array = shared / np.maximum(union, 1e-9)
    return found


def _box_reasons(measured: Measured, bound: Bound) -> list[str]:
    reasons = []
    if measured.found is not None and measured.found < bound.found:
        reasons.append(f"{measured.found:.1%} of the sure boxes are torch's, the bound is {bound.found:.0%}")
    if measured.score is not None and measured.score > bound.score:
        reasons.append(f"their scores differ by {measured.score:.3f}, the bound is {bound.score:g}")
    return reasons
