"""Labelled footage: who is where in which frame, and how far the labels reach."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vidreid.errors import InputError, UsageError
from vidreid.evaluation.mot import Rows, read_mot
from vidreid.types import Boxes


@dataclass(frozen=True)
class Distractor:
    """A thing in a camera's view that detectors take for a person: ``box`` is ``x1, y1, x2, y2`` in pixels."""

    camera: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class CameraTruth:
    """Labels of one camera.

    ``distractors`` (k, 4) are boxes of things that are no persons; ``span`` is the first and the last labelled
    frame, counted from 1, None where every frame of the footage is labelled.
    """

    rows: Rows
    distractors: Boxes = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    span: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Truth:
    """Labels of several cameras, and what ``scene.json`` says of them.

    ``partial``: people in view may have no label; ``global_ids``: an id is the same person in every camera;
    ``unlabelled``: cameras that were asked for and have no labels.
    """

    cameras: Mapping[str, CameraTruth]
    partial: bool = False
    global_ids: bool = True
    unlabelled: tuple[str, ...] = ()

    def notes(self, *, partial: bool, identity: bool = False) -> list[str]:
        """What a reader of the scores should know, given how they were made."""
        lines = [f"{camera}: no labels, not scored" for camera in self.unlabelled]
        if self.partial and not partial:
            lines.append("labels are partial: unlabelled people count as false; --partial leaves them out")
        if partial and not self.partial:
            lines.append("--partial leaves out every box that matches no label, false ones too")
        if identity and not self.global_ids:
            lines.append("an id of the labels is not one person: score by person where persons.csv names them")
        return lines


def read_truth(
    folder: Path, cameras: Iterable[str], *, distractors: Iterable[Distractor] = (), by_person: bool = False
) -> Truth:
    """Read the labels of ``cameras``: ``<camera>.txt`` in ``folder`` or in ``folder/gt``, MOT format.

    Beside them may stand ``scene.json`` ("range": {camera: [first, last]}, "exhaustive", "global_ids"),
    ``distractors.csv`` (camera,x,y,w,h), and ``persons.csv`` (mot_id,person_id), which ``by_person`` applies to ids.
    A camera without labels is named in `Truth.unlabelled`; none with labels is an `InputError`.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder", "expected a folder with one <camera>.txt in MOT format each")
    scene, things = _scene(folder / "scene.json"), list(distractors)
    if (folder / "distractors.csv").is_file():
        things += read_distractors(folder / "distractors.csv")
    persons = _persons(folder / "persons.csv") if by_person else None
    files = {camera: _labels(folder, camera) for camera in cameras}
    labelled: dict[str, CameraTruth] = {}
    for camera, path in files.items():
        if path is not None:
            rows = read_mot(path, considered=True)
            boxes = np.array([thing.box for thing in things if thing.camera == camera], np.float32).reshape(-1, 4)
            named = rows if persons is None else _named(path, rows, persons)
            labelled[camera] = CameraTruth(named, boxes, _span(folder, scene, camera))
    unlabelled = tuple(camera for camera in files if camera not in labelled)
    _check_cameras(folder, labelled, unlabelled, things)
    global_ids = by_person or bool(scene.get("global_ids", True))
    return Truth(labelled, scene.get("exhaustive") == "partial", global_ids, unlabelled)


def _check_cameras(
    folder: Path, labelled: Collection[str], unlabelled: Collection[str], things: Iterable[Distractor]
) -> None:
    """Refuse labels of no camera, and distractors where there are no labels."""
    if not labelled:
        found = ", ".join(sorted({path.stem for path in [*folder.glob("*.txt"), *folder.glob("gt/*.txt")]})) or "none"
        raise InputError(f"{folder}: no labels for {', '.join(unlabelled)}", f"name them <camera>.txt; found: {found}")
    for thing in things:
        if thing.camera not in labelled:
            hint = f"cameras with labels: {', '.join(labelled)}"
            raise InputError(f"{thing.camera}: a distractor in a camera without labels", hint)


def parse_distractor(text: str) -> Distractor:
    """Read ``camera:x,y,w,h`` (pixels), as a command line gives it.

    >>> parse_distractor("c1:319,73,14,50")
    Distractor(camera='c1', box=(319.0, 73.0, 333.0, 123.0))
    """
    camera, _, numbers = text.rpartition(":")
    distractor = _distractor(camera, numbers.split(","))
    if distractor is None:
        raise UsageError(f"distractor {text!r}: not camera:x,y,w,h", "write it like c1:319,73,14,50")
    return distractor


def read_distractors(path: Path) -> list[Distractor]:
    """Read a table with the header ``camera,x,y,w,h`` (pixels)."""
    hint = "write a table with the columns camera,x,y,w,h"
    found = []
    for number, row in enumerate(_table(path, hint), start=1):
        distractor = _distractor(row.get("camera", ""), [row.get(name, "") for name in "xywh"])
        if distractor is None:
            raise InputError(f"{path}: row {number} is not a camera with a box", hint)
        found.append(distractor)
    return found


def _distractor(camera: str, fields: list[str]) -> Distractor | None:
    """None where this is not a camera with a box."""
    try:
        x, y, width, height = map(float, fields)
    except ValueError:
        return None
    if not camera or not all(map(math.isfinite, (x, y, width, height))) or width <= 0 or height <= 0:
        return None
    return Distractor(camera, (x, y, x + width, y + height))


def _labels(folder: Path, camera: str) -> Path | None:
    """The label file of a camera."""
    return next((path for path in (folder / f"{camera}.txt", folder / "gt" / f"{camera}.txt") if path.is_file()), None)


def _scene(path: Path) -> dict[str, Any]:
    """What ``scene.json`` says; nothing where it is absent."""
    if not path.is_file():
        return {}
    try:
        scene = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        raise InputError(f"{path}: not readable as JSON", "mend or remove the file") from None
    if not isinstance(scene, dict):
        raise InputError(f"{path}: not a JSON object", "mend or remove the file")
    return scene


def _span(folder: Path, scene: dict[str, Any], camera: str) -> tuple[int, int] | None:
    """The first and the last labelled frame of a camera."""
    match scene.get("range"):
        case None:
            return None
        case {**ranges}:
            match ranges.get(camera):
                case None:
                    return None
                case [int(first), int(last)] if 1 <= first <= last:
                    return first, last
    hint = 'write "range": {"' + camera + '": [first, last]}, frames from 1'
    raise InputError(f"{folder / 'scene.json'}: no frame range of {camera}", hint)


def _persons(path: Path) -> dict[int, int]:
    """Person of each id of the labels."""
    hint = "score without it, or write a table with the columns mot_id,person_id"
    try:
        return {int(row["mot_id"]): int(row["person_id"]) for row in _table(path, hint)}
    except (KeyError, ValueError):
        raise InputError(f"{path}: no table of mot_id,person_id in whole numbers", hint) from None


def _table(path: Path, hint: str) -> list[dict[str, str]]:
    """The rows of a CSV file by column name; a column that a row lacks is empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file, restval=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a table"
        raise InputError(f"{path}: {reason}", hint) from None


def _named(path: Path, rows: Rows, persons: dict[int, int]) -> Rows:
    """Rows with the person instead of the label's id."""
    known, position = np.unique(rows.ids, return_inverse=True)
    if unknown := [str(each) for each in known.tolist() if each not in persons]:
        raise InputError(f"{path}: persons.csv does not name id {', '.join(unknown)}", "add the missing rows")
    named = Rows(rows.frame, np.array([persons[each] for each in known.tolist()], np.int64)[position], rows.boxes)
    if (row := named.duplicate()) is not None:
        problem = f"person {named.ids[row]} of persons.csv is twice in frame {named.frame[row]}"
        raise InputError(f"{path}: {problem}", "two ids in one frame are two persons")
    return named
