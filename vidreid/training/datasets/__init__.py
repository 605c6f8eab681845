"""Data sets in the layouts of their authors: a file a layout, its name the name on the command line.

``open_dataset(root, tracklets=None)`` of each file gives a `Dataset`. ``tracklets`` False takes each picture of an
image set alone, True groups them into sparse tracklets by (identity, camera, sequence), None does as the set is scored.
A wrong folder is an `InputError` that shows the layout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from vidreid.evaluation.retrieval import DISTRACTOR, JUNK

__all__ = ["DISTRACTOR", "JUNK", "WHOLE", "Box", "Dataset", "Protocol", "Split", "Tracklet"]

Box = tuple[float, float, float, float]  # x1, y1, x2, y2
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)  # a picture that shows the person alone


@dataclass(frozen=True, slots=True)
class Tracklet:
    """Pictures of one person by one camera in order of time, as keys that the data set's ``read`` understands."""

    pictures: tuple[str, ...]
    identity: int
    camera: int
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class Split:
    """One division of a data set. ``gallery`` holds the queries too where the protocol wants them there."""

    train: tuple[Tracklet, ...]
    query: tuple[Tracklet, ...] = ()
    gallery: tuple[Tracklet, ...] = ()


@dataclass(frozen=True, slots=True)
class Protocol:
    """How a data set is scored by its authors: ``frames`` of a tracklet (0: all), average precision, distance."""

    ap: Literal["rectangle", "trapezoid"] = "rectangle"
    distance: Literal["cosine", "euclidean"] = "cosine"
    frames: int = 0


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set: its splits (one, or ten that are averaged), its protocol, and how a picture's bytes are read.

    ``read`` raises `OSError` for a picture that is missing or broken, and `InputError` where none can be read at all.
    ``boxes`` is where the person is in pictures cut out with a margin, in fractions of the picture; others show the
    person alone. ``terms`` are said once where the data may only be used under conditions; ``notes`` say what was
    left out.
    """

    name: str
    splits: tuple[Split, ...]
    read: Callable[[str], bytes]
    protocol: Protocol = Protocol()
    terms: str = ""
    notes: tuple[str, ...] = field(default=())
    boxes: Mapping[str, Box] = field(default_factory=dict)
