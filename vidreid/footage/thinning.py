"""Fewer frames a second: which frames of a file are looked at."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from vidreid.types import Array, VideoFile


def kept(file: VideoFile, rate: float | None) -> NDArray[np.bool_]:
    """Mask (n,) of the frames of a file that are looked at: at most ``rate`` a second by true time; None keeps all.

    The first frame of each cell of ``1 / rate`` seconds is kept. Cells count from the start of a stretch, so that the
    frames do not depend on how it is cut into segments, and neighbours keep the same ones where they overlap.
    """
    mask = np.ones(len(file.pts), bool)
    if rate is None:
        return mask
    for start, stop in itertools.pairwise([*file.stretches.tolist(), len(file.pts)]):
        times = (file.pts[start:stop] - file.pts[start]) * float(file.time_base)
        # Half a step from the borders of the cells, times that are rounded to ticks stay in theirs.
        cells = np.floor((times + _usual_step(times) / 2) * rate + 1e-6)
        mask[start + 1 : stop] = np.diff(cells) > 0
    return mask


def thinned(rate: float | None, footage: Iterable[float]) -> str:
    """How many frames a second are looked at in words, of how many; ``footage`` are rates of files.

    >>> thinned(10.0, [25.0, 12.5, 25.0, 5.0]), thinned(10.0, [5.0]), thinned(None, [25.0])
    ('10 frames a second of 12.5, 25', '', '')
    """
    more = {f"{of:.3g}" for of in footage if rate is not None and of > rate * 1.01}
    return f"{rate:g} frames a second of {', '.join(sorted(more, key=float))}" if more else ""


def frame_rate(file: VideoFile) -> float:
    """Frames a second by the usual step between frames; 25 where there is one frame."""
    step = _usual_step(file.pts)
    return 1 / (step * float(file.time_base)) if step else 25.0


def _usual_step(times: Array) -> float:
    """The median of the steps forward; 0 where there is none."""
    steps = np.diff(times)
    steps = steps[steps > 0]
    return float(np.median(steps)) if len(steps) else 0.0
