"""One picture of a run's result: a frame of each camera, and the people who were seen in several of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from vidreid.run.results import Run
from vidreid.store.parts import write_atomic
from vidreid.types import Image
from vidreid.views.drawing import Colour, colour_of, draw_people, draw_plate, draw_text, text_width
from vidreid.views.names import tracklet_number
from vidreid.views.times import moment

Row = Mapping[str, Any]
PAGE: Colour = (24, 26, 31)
PANEL: Colour = (35, 38, 45)
INK: Colour = (236, 236, 232)
SOFT: Colour = (150, 155, 166)
WIDTH, MARGIN, GAP = 1600, 36, 14
FRAMES = 760  # width of the cameras' column
HEAD = 112  # height of the title
ROW = 150  # height of a person's row
LABELS = 118  # width of its colour and name


def write_poster(run: Run, path: Path, title: str = "") -> None:
    """Write a PNG `WIDTH` pixels wide; the same run gives the same bytes."""
    people = [row for row in run.identities().to_pylist() if len(row["cameras"]) > 1]
    frames = [_frame(run, camera, FRAMES) for camera in run.cameras]
    height = HEAD + sum(len(frame) + GAP for frame in frames) - GAP + MARGIN
    page = np.full((max(height, HEAD + 2 * (ROW + GAP)), WIDTH, 3), PAGE, np.uint8)
    _draw_head(page, run, title)
    y = HEAD
    for frame in frames:
        page[y : y + len(frame), MARGIN : MARGIN + FRAMES] = frame
        y += len(frame) + GAP
    left = MARGIN + FRAMES + 2 * GAP
    sheet = page[HEAD : len(page) - MARGIN, left : WIDTH - MARGIN]
    _draw_sheet(sheet, run, people)
    _, png = cv2.imencode(".png", page[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    write_atomic(path, lambda file: file.write(png.tobytes()) and None)


def _draw_head(page: Image, run: Run, title: str) -> None:
    found = run.summary()
    draw_text(page, title or "Who is who", (MARGIN, 58), 26, INK)
    line = (
        f"{found.cameras} cameras, {found.sightings} sightings, {found.people} people, "
        f"{found.people_in_several} of them in several cameras.  A match is a lead, not proof."
    )
    draw_text(page, line, (MARGIN, 90), 12, SOFT)


def _frame(run: Run, camera: str, width: int) -> Image:
    """The camera's frame with the most people in it, annotated, at this width."""
    boxes = run.boxes(camera)
    index = _busiest(boxes)
    frame = next(run.frames(camera, index, index + 1))
    rows = boxes.filter(pa.compute.equal(boxes["frame"], index))
    height = round(frame.image.shape[0] * width / frame.image.shape[1])
    image = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA)
    box = np.stack([rows[side].to_numpy() for side in ("x1", "y1", "x2", "y2")], axis=1)
    people = rows["identity"].to_pylist()
    labels = [
        who or f"#{tracklet_number(name)}" for who, name in zip(people, rows["tracklet"].to_pylist(), strict=True)
    ]
    draw_people(image, box * (width / frame.image.shape[1]), people, labels, rows["interpolated"].to_numpy())
    times, elapsed = rows["time"].to_pylist(), rows["elapsed_s"].to_pylist()
    when = f"  {moment(times[0], elapsed[0], '%H:%M:%S')}" if times else ""
    draw_plate(image, f"{camera}{when}", (10, 10), 11, PAGE)
    return image
