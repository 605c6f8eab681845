"""Detectors scored on labelled pictures, set by set."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vidreid.errors import InputError
from vidreid.evaluation.detection import DetectionScore, Labels, score_detections
from vidreid.posix import cores
from vidreid.training.detector import open_data
from vidreid.training.detector.sources import Source
from vidreid.types import Boxes, Detections, Detector, Frame, Image, Reporter

LOWEST = 0.001  # of the scores that average precision takes: what ultralytics validates with


@dataclass(frozen=True, eq=False)
class LabelledSet:
    """Pictures that are scored together: their keys, and boxes (n, 4) in shares of width and height.

    ``partial``: people in view may have no label.
    """

    name: str
    pictures: Sequence[tuple[str, Boxes]]
    read: Callable[[str], Image]
    partial: bool


@dataclass(frozen=True, eq=False)
class OpenDetector:
    """A detector and its name; ``score`` is the one from which a run uses its boxes, of which it gives fainter ones."""

    name: str
    detector: Detector
    score: float


def open_sets(words: Sequence[str], partial: Collection[str] = ()) -> tuple[list[LabelledSet], list[str]]:
    """The sets to score of data given as ``[LAYOUT=]ROOT``, and notes on them.

    Sets are partially labelled where their scene.json says so or ``partial`` names them. `InputError` where a set is
    unknown or there are two of its name.
    """
    sets: dict[str, LabelledSet] = {}
    notes: list[str] = []
    for word in words:
        source = open_data(word, "val")
        notes += source.notes
        for name in dict.fromkeys(picture.source for picture in source.pictures):
            if name in sets:
                raise InputError(f"{word}: a second set {name}", "score them one after another")
            sets[name] = _labelled_set(source, name, partial=source.partial or name in partial)
            if sets[name].partial:
                notes.append(f"{name}: labels are partial, which gives recall alone")
    if unknown := [name for name in partial if name not in sets]:
        raise InputError(f"no set {unknown[0]}", f"sets: {', '.join(sets)}")
    return list(sets.values()), notes


def _labelled_set(source: Source, name: str, *, partial: bool) -> LabelledSet:
    """The labelled pictures of a set; of partial labels those with any."""
    mine = [(picture.key, picture.boxes) for picture in source.pictures if picture.source == name]
    pictures = [(key, boxes) for key, boxes in mine if boxes is not None and (len(boxes) or not partial)]
    return LabelledSet(name, pictures, source.read, partial)


@contextlib.contextmanager
def open_detector(wanted: str) -> Iterator[OpenDetector]:
    """A detector by its registered name or its path, as a run opens it; nothing is downloaded."""
    from vidreid.pipeline.networks import Tools, find_networks, least_score
    from vidreid.settings import Settings, check_model

    chosen = {"detection": {"detector": wanted, "score": LOWEST}, "embedding": {"embedder": "colours"}}
    settings = check_model(Settings, chosen, "detector")
    model = (networks := find_networks(settings, {}, offline=True)).detector
    if model is None:
        raise InputError(f"{wanted}: looks at no picture", "give the name or the path of a network")
    with contextlib.closing(Tools(networks, settings, cores())) as tools:
        yield OpenDetector(model.spec.name, tools.detector(), least_score(Settings(), model.spec.score))


def score_set(detector: OpenDetector, labelled: LabelledSet, reporter: Reporter) -> DetectionScore:
    """The score of a detector on a set. A picture that cannot be read is left out and said."""
    found = _found(detector.detector, labelled, reporter)
    return score_detections(found, score=detector.score, partial=labelled.partial)


def _found(detector: Detector, labelled: LabelledSet, reporter: Reporter) -> Iterator[tuple[Labels, Detections]]:
    """Labels and detections of each picture, in pixels."""
    for frame, found in detector.detect(_frames(labelled, reporter)):
        height, width = frame.image.shape[:2]
        shares = labelled.pictures[frame.index][1]
        yield Labels(shares * np.array([width, height, width, height], np.float32)), found


def _frames(labelled: LabelledSet, reporter: Reporter) -> Iterator[Frame]:
    """Pictures as frames, whose index is their place in the set."""
    for number, (key, _) in enumerate(labelled.pictures):
        try:
            yield Frame(labelled.name, number, 0, 0, 0.0, labelled.read(key))
        except OSError as error:
            reporter.note(f"{key}: cannot be read, left out ({error})")
        reporter.advance(labelled.name, 1)
