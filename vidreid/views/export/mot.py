"""MOTChallenge text, a file a camera: ``frame,id,x,y,w,h,conf,-1,-1,-1``, frames from 1.

``id`` is the person's number (P0042: 42), so one id is one person in all files; a tracklet without a person has an
own number above all of them. With ``ids="track"`` it is the tracklet's number within its camera. The format has no
mark for an interpolated box: its ``conf`` is 1, because readers take 0 for "ignore this row".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from vidreid.pipeline.results import Run
from vidreid.store.parts import write_atomic
from vidreid.views.names import file_name, identity_number, tracklet_number
from vidreid.views.selection import ROWS, Selection, selected_boxes, selected_cameras

COLUMNS = ["frame", "tracklet", "x1", "y1", "x2", "y2", "score"]


def write(run: Run, folder: Path, selection: Selection) -> list[Path]:
    """Write ``<camera>.txt`` for each selected camera."""
    cameras = selected_cameras(run, selection)
    tracklets = run.tracklets()
    numbers = _person_numbers(tracklets) if selection.ids == "identity" else _track_numbers(tracklets)
    paths = [folder / f"{file_name(camera)}.txt" for camera in cameras]
    for camera, path in zip(cameras, paths, strict=True):
        boxes = selected_boxes(run, camera, selection)
        write_atomic(path, partial(_fill, boxes=boxes, numbers=numbers))
    return paths


def _fill(file: BinaryIO, boxes: pa.Table, numbers: Mapping[str, int]) -> None:
    for batch in boxes.select(COLUMNS).to_batches(max_chunksize=ROWS):
        for frame, tracklet, x1, y1, x2, y2, score in zip(*(column.to_pylist() for column in batch), strict=True):
            box = f"{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f}"
            conf = "1" if score is None else f"{score:.4g}"
            file.write(f"{frame + 1},{numbers[tracklet]},{box},{conf},-1,-1,-1\n".encode())


def _track_numbers(tracklets: pa.Table) -> dict[str, int]:
    return {name: tracklet_number(name) for name in tracklets["tracklet"].to_pylist()}


def _person_numbers(tracklets: pa.Table) -> dict[str, int]:
    """Each tracklet's person; those without one are counted on from the highest person, in order of their names."""
    people = dict(zip(tracklets["tracklet"].to_pylist(), tracklets["identity"].to_pylist(), strict=True))
    numbers = {name: identity_number(person) for name, person in people.items() if person is not None}
    strangers = sorted(people.keys() - numbers.keys())
    first = max(numbers.values(), default=0) + 1
    return numbers | {name: number for number, name in enumerate(strangers, first)}
