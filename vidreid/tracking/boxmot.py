"""Trackers of the boxmot library, chosen by name; the only file that knows the library.

Every tracker of boxmot that follows boxes can be had: `bytetrack`, `botsort`, `ocsort`, `deepocsort`, `strongsort`,
`hybridsort`, `boosttrack`, `occluboost`, `sfsort`. Options are the tracker's own settings, plus `lost_seconds`.
"""

from __future__ import annotations

import difflib
import functools
import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from boxmot.structures import Boxes as BoxmotBoxes
from boxmot.structures import Detections as BoxmotDetections
from boxmot.trackers import TrackerSpec, create_tracker
from boxmot.trackers.config import load_tracker_schema
from boxmot.trackers.registry import TRACKER_DEFINITIONS, get_tracker_class
from boxmot.trackers.specs import TrackerFamily
from boxmot.utils import logger as boxmot_logger

from vidreid.errors import InputError
from vidreid.types import Detections, Frame, Tracked, Tracker

# Importing boxmot gives its logger a handler that writes to the terminal.
boxmot_logger.handlers = [logging.NullHandler()]

# Motion models divide by the time step, and footage may repeat a time stamp.
SHORTEST_STEP = 1e-3

# The setting that holds, in frames, how long a tracker keeps a person who is out of sight.
LOST_FRAMES = {"bytetrack": "track_buffer", "botsort": "track_buffer", "sfsort": "central_timeout"}


def make(name: str, options: Mapping[str, Any], *, rate: float, dim: int | None) -> Tracker:
    """A new tracker for one segment.

    ``rate`` is the footage's usual number of frames per second, which turns ``lost_seconds`` into frames; ``dim``
    the width of the detections' vectors, None where there are none. Raises `InputError` as `check` does, and where
    the tracker compares appearance and ``dim`` is None.
    """
    check(name, options)
    tracker = _create(name, options, rate)
    if tracker.requirements.embeddings and dim is None:
        raise InputError(
            f"tracker {name}: compares appearance, and no vectors are given",
            "give an embedder, or set use_embeddings: false in its options (all but strongsort have it)",
        )
    return BoxmotTracker(tracker, dim or 0)


def needs_vectors(name: str, options: Mapping[str, Any]) -> bool:
    """Whether the tracker with these options compares `Detections.vectors`."""
    return bool(_create(name, options, rate=1.0).requirements.embeddings)


def check(name: str, options: Mapping[str, Any]) -> None:
    """Raise `InputError` for an unknown tracker, an unknown option, or a value that the tracker does not take."""
    known = sorted(n for n, tracker in TRACKER_DEFINITIONS.items() if tracker.capabilities.family is TrackerFamily.BOX)
    if name not in known:
        raise InputError(f"tracker {name}: boxmot has none of that name", _nearest(name, known))
    settings = _settings(name)
    for key, value in options.items():
        if key not in settings:
            raise InputError(f"tracker {name}: no option {key!r}", _nearest(key, sorted(settings)))
        _check_value(f"tracker {name}: {key}", value, settings[key])
    twin = LOST_FRAMES.get(name, "max_age")
    if "lost_seconds" in options and twin in options:
        raise InputError(f"tracker {name}: lost_seconds and {twin} say the same", f"remove {twin}")
    try:
        tracker = _create(name, options, rate=1.0)
    except (TypeError, ValueError) as error:
        raise InputError(f"tracker {name}: {error}", "correct its options") from error
    for key, value in options.items():  # boxmot clips some values and says nothing
        held = getattr(tracker, key, value)
        if isinstance(value, int | float) and held != value:
            raise InputError(f"tracker {name}: {key} {value} is out of its range", f"the nearest it takes is {held}")


class BoxmotTracker:
    """A `Tracker` around one of boxmot's; all state, ids included, lives in that object."""

    def __init__(self, tracker: Any, dim: int) -> None:
        self._tracker = tracker
        self._dim = dim
        self._time = -np.inf

    def update(self, detections: Detections, frame: Frame) -> Tracked:
        """Tracks that matched a detection of this frame; the box of a track is that detection's own.

        Frames come in order of time. Empty boxes are no persons to any tracker and are passed over.
        """
        boxes = detections.boxes
        sound = np.flatnonzero((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]))
        self._time = max(frame.time, self._time + SHORTEST_STEP)
        tracks = self._tracker.update(self._batch(detections.take(sound)), self._picture(frame), timestamp_s=self._time)
        matched = tracks.detection_indices.numpy()
        held = matched >= 0
        rows = sound[matched[held]]
        return Tracked(boxes[rows], tracks.track_ids.numpy()[held], rows)

    def _batch(self, detections: Detections) -> BoxmotDetections:
        import torch

        embeddings = None
        if self._tracker.requirements.embeddings:
            vectors = np.zeros((0, self._dim)) if not len(detections) else detections.vectors
            if vectors is None:  # boxmot would download a network to make them
                raise ValueError(f"{self._tracker.name} needs vectors")
            embeddings = torch.from_numpy(np.ascontiguousarray(vectors, dtype=np.float32))
        return BoxmotDetections(
            geometry=BoxmotBoxes(torch.from_numpy(np.ascontiguousarray(detections.boxes, dtype=np.float32))),
            scores=torch.from_numpy(np.ascontiguousarray(detections.scores, dtype=np.float32)),
            class_ids=torch.zeros(len(detections), dtype=torch.int64),
            sample_id="frame",
            embeddings=embeddings,
        )

    def _picture(self, frame: Frame) -> Any:
        """The picture as boxmot wants it (BGR), None where the tracker looks at boxes only."""
        if not self._tracker.requirements.frame:
            return None
        return np.ascontiguousarray(frame.image[:, :, ::-1])


def _create(name: str, options: Mapping[str, Any], rate: float) -> Any:
    given = dict(options)
    if "lost_seconds" in given:
        frames = max(1, round(given.pop("lost_seconds") * rate))
        given[LOST_FRAMES.get(name, "max_age")] = frames
    if get_tracker_class(name).supports_variable_dt:
        given.setdefault("variable_dt", True)
    return create_tracker(TrackerSpec(name=name, options=tuple(sorted(given.items()))))


@functools.cache
def _settings(name: str) -> dict[str, Mapping[str, Any]]:
    """A tracker's options and what boxmot states of each (``default``, ``options`` where it is a choice)."""
    flat: dict[str, Mapping[str, Any]] = {"lost_seconds": {"default": 1.0}}
    waiting = [load_tracker_schema(name)]
    while waiting:
        entries = waiting.pop()
        flat |= entries
        waiting += [entry["activates"] for entry in entries.values() if "activates" in entry]
    # Oriented boxes never occur here, and the frame rate is the footage's.
    return {key: entry for key, entry in flat.items() if not key.startswith("obb_") and key != "frame_rate"}


def _check_value(where: str, value: Any, entry: Mapping[str, Any]) -> None:
    default = entry["default"]
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise InputError(f"{where} is {value!r}, not true or false", f"default: {str(default).lower()}")
    elif isinstance(default, int | float):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{where} is {value!r}, not a number", f"default: {default}")
    elif isinstance(default, str) and value not in entry.get("options", [value]):
        raise InputError(f"{where} is {value!r}", f"known: {', '.join(entry['options'])}")


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
