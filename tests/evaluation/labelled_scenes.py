"""Tiny scenes: people stand at numbered places, far apart, and a frame says which id is seen at which place."""

import numpy as np
from hypothesis import strategies as st

from vidreid.evaluation.mot import Rows
from vidreid.evaluation.truth import CameraTruth, Truth

WIDTH, HEIGHT, STEP = 40.0, 100.0, 200.0


def seen(*frames, shift=0.0):
    """Rows of frames 1, 2, ... given as {place: id}; ``shift`` moves every box right by that share of its width."""
    found = [(number, ident, place) for number, row in enumerate(frames, start=1) for place, ident in row.items()]
    table = np.array(found, np.float64).reshape(-1, 3)
    left = table[:, 2] * STEP + shift * WIDTH
    boxes = np.stack([left, 0 * left, left + WIDTH, 0 * left + HEIGHT], axis=1)
    return Rows(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), boxes.astype(np.float32))


def truth(**cameras):
    """Labels of cameras without distractors."""
    return Truth({camera: CameraTruth(rows) for camera, rows in cameras.items()})


def joined(first, second):
    return Rows(*(np.concatenate([getattr(first, name), getattr(second, name)]) for name in ("frame", "ids", "boxes")))


def relabelled(rows, new_id):
    return Rows(rows.frame, np.array([new_id(each) for each in rows.ids.tolist()], np.int64), rows.boxes)


def perturbed(rows, *, seed, drop=0.2, jitter=0.05, pieces=1):
    """Real labels as a mediocre tracker would see them: boxes lost and shaken, every track cut into ``pieces``."""
    random = np.random.default_rng(seed)
    kept = rows.take(random.random(len(rows)) >= drop)
    size = np.tile(kept.boxes[:, 2:] - kept.boxes[:, :2], 2)
    boxes = kept.boxes + random.normal(0, jitter, kept.boxes.shape) * size
    ids = kept.ids * pieces + kept.frame * pieces // (rows.frame.max() + 1)
    return Rows(kept.frame, ids, boxes.astype(np.float32))


def _frames(ids):
    """Up to 6 frames of up to 3 places, each with another of ``ids``."""
    places = st.lists(st.integers(0, 3), max_size=3, unique=True)
    names = st.permutations(range(ids))
    return st.lists(st.builds(lambda p, n: dict(zip(p, n, strict=False)), places, names), min_size=1, max_size=6)


def scenes(ids=4):
    """Rows of a tiny camera, never empty; boxes are as labelled or shifted to IoU 0.6 or 0.25."""
    shifts = st.sampled_from([0.0, 0.25, 0.6])
    return st.builds(lambda frames, shift: seen(*frames, shift=shift), _frames(ids), shifts).filter(len)
