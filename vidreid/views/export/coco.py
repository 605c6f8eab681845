"""``coco.json``: COCO detection JSON with a category, person, and its pictures named ``<camera>/<frame>.jpg``.

An image is listed where a selected box is in it. Written as a stream, in two passes over the cameras, because the
format wants all images before or after all annotations.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from vidreid.pipeline.results import Run
from vidreid.store.parts import write_atomic
from vidreid.types import Array, VideoFile
from vidreid.views.names import file_name
from vidreid.views.selection import ROWS, Selection, selected_boxes, selected_cameras, shortest
from vidreid.views.times import iso_times

Row = dict[str, Any]
MOMENT = ["frame", "file", "pts", "time", "elapsed_s"]
BOX = ["x1", "y1", "x2", "y2", "score", "interpolated", "tracklet", "identity"]


def write(run: Run, folder: Path, selection: Selection) -> list[Path]:
    """Write one file for all selected cameras; ``bbox`` is x, y, width, height, ids count from 1."""
    cameras = selected_cameras(run, selection)
    path = folder / "coco.json"

    def fill(file: BinaryIO) -> None:
        head = {"description": "persons found by vidreid"}
        file.write(b'{"info": ' + _json(head))
        file.write(b',\n"licenses": [],\n"categories": [{"id": 1, "name": "person", "supercategory": "person"}]')
        file.write(b',\n"images": [')
        _write_rows(file, _images(run, cameras, selection))
        file.write(b'],\n"annotations": [')
        _write_rows(file, _annotations(run, cameras, selection))
        file.write(b"]}\n")

    write_atomic(path, fill)
    return [path]


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def _write_rows(file: BinaryIO, rows: Iterator[Row]) -> None:
    for number, row in enumerate(rows):
        file.write((b",\n" if number else b"\n") + _json(row))


def _images(run: Run, cameras: Sequence[str], selection: Selection) -> Iterator[Row]:
    number = 0
    for camera in cameras:
        boxes = selected_boxes(run, camera, selection)
        files = run.files(camera)
        for row in _rows(boxes.select(MOMENT).take(_heads(boxes))):
            number += 1
            name = f"{file_name(camera)}/{row['frame']:06d}.jpg"
            size = _size(files, row["frame"])
            yield {"id": number, "file_name": name, **size, "camera": camera, **row}


def _annotations(run: Run, cameras: Sequence[str], selection: Selection) -> Iterator[Row]:
    number = images = 0
    for camera in cameras:
        boxes = selected_boxes(run, camera, selection)
        heads = _heads(boxes)
        image = images + np.searchsorted(heads, np.arange(len(boxes)), side="right")
        for row, picture in zip(_rows(boxes), image.tolist(), strict=True):
            number += 1
            yield _annotation(number, picture, camera, row)
        images += len(heads)


def _annotation(number: int, image: int, camera: str, row: Row) -> Row:
    width, height = round(row["x2"] - row["x1"], 4), round(row["y2"] - row["y1"], 4)
    moment = {key: row[key] for key in ("file", "pts", "time", "elapsed_s")}
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "bbox": [row["x1"], row["y1"], width, height],
        "area": round(width * height, 4),
        "iscrowd": 0,
        "score": row["score"],
        "attributes": {"camera": camera, **moment} | {key: row[key] for key in BOX[5:]},
    }


def _heads(boxes: pa.Table) -> Array:
    """Rows at which a new frame begins."""
    frame = boxes["frame"].to_numpy()
    return np.flatnonzero(np.diff(frame, prepend=-1))


def _rows(boxes: pa.Table) -> Iterator[Row]:
    for first in range(0, len(boxes), ROWS):
        yield from shortest(iso_times(boxes.slice(first, ROWS))).to_pylist()


def _size(files: Sequence[VideoFile], frame: int) -> Row:
    file = next(file for file in reversed(files) if file.first <= frame)
    return {"width": file.width, "height": file.height}
