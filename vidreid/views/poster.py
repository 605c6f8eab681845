"""One picture of a run's result: a frame of each camera, and the people who were seen in several of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.compute as pc

from vidreid.run.results import Run
from vidreid.store.parts import write_atomic
from vidreid.types import Image
from vidreid.views.drawing import Colour, colour_of, draw_text, from_jpeg, resized, text_width
from vidreid.views.frames import Annotator, frames
from vidreid.views.times import moment

Row = Mapping[str, Any]
PAGE: Colour = (22, 24, 29)
PANEL: Colour = (33, 36, 43)
INK: Colour = (236, 236, 232)
SOFT: Colour = (150, 155, 166)
WIDTH, MARGIN, GAP = 1600, 40, 16
CAMERAS = 700  # width of a camera's frame
HEAD = 124  # height of the title
ROW = 150  # height of a person's row
NAME = 104  # width of a person's colour and name
PICTURE = ROW - 44  # height of a crop
MOST_CAMERAS = 5


def write_poster(run: Run, path: Path, title: str = "") -> None:
    """Write a PNG `WIDTH` pixels wide; the same run gives the same bytes.

    Shows the first `MOST_CAMERAS` cameras and as many people as there is room beside them, those in most cameras first.
    """
    cameras = [camera for camera in run.cameras if run.files(camera)][:MOST_CAMERAS]
    pictures = [picture for camera in cameras if (picture := _busiest(run, camera)) is not None]
    tall = sum(len(picture) + GAP for picture in pictures) - GAP
    page = np.full((HEAD + max(tall, 2 * (ROW + GAP)) + MARGIN, WIDTH, 3), PAGE, np.uint8)
    _draw_head(page, run, title)
    y = HEAD
    for picture in pictures:
        page[y : y + len(picture), MARGIN : MARGIN + CAMERAS] = picture
        y += len(picture) + GAP
    _draw_people(page[HEAD:-MARGIN, MARGIN + CAMERAS + 2 * GAP : -MARGIN], run, cameras)
    _, png = cv2.imencode(".png", page[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    write_atomic(path, lambda file: file.write(png.tobytes()) and None)


def _draw_head(page: Image, run: Run, title: str) -> None:
    found = run.summary()
    draw_text(page, title or "Who is who, across cameras", (MARGIN, 66), 25, INK)
    line = (
        f"{found.cameras} cameras   {found.sightings} sightings   {found.people} people   "
        f"{found.people_in_several} of them seen in several cameras"
    )
    draw_text(page, line, (MARGIN, 98), 12, SOFT)
    note = "A match is a lead, not proof."
    draw_text(page, note, (WIDTH - MARGIN - text_width(note, 12), 98), 12, SOFT)


def _busiest(run: Run, camera: str) -> Image | None:
    """The frame with most people, then most of them detected, annotated; None where no such frame can be decoded."""
    boxes = run.boxes(camera)
    shown = np.bincount(boxes["frame"].to_numpy(), minlength=1)
    seen = np.bincount(boxes.filter(pc.invert(boxes["interpolated"]))["frame"].to_numpy(), minlength=len(shown))
    index = int(np.argmax(shown * 1000 + seen))
    frame = next(frames(run, camera, index, index + 1), None)
    if frame is None:
        return None
    scale = CAMERAS / frame.image.shape[1]
    image = resized(frame.image, CAMERAS, round(frame.image.shape[0] * scale))
    Annotator(camera, boxes, run.timeline(camera)).draw(image, index, scale)
    return image


def _draw_people(sheet: Image, run: Run, cameras: Sequence[str]) -> None:
    """A row a person, a column a camera, the person's best picture of that camera in it."""
    people = [row for row in run.identities().to_pylist() if len(row["cameras"]) > 1]
    people.sort(key=lambda row: (-len(row["cameras"]), row["identity"]))
    people = people[: (len(sheet) + GAP) // (ROW + GAP)]
    if not people:
        draw_text(sheet, "Nobody was seen in more than one camera.", (0, 24), 14, SOFT)
        return
    best = _best_pictures(run, [row["identity"] for row in people])
    column = (sheet.shape[1] - NAME) // len(cameras)
    for number, who in enumerate(people):
        y = number * (ROW + GAP)
        row = sheet[y : y + ROW]
        row[:] = PANEL
        row[:, :8] = colour_of(who["identity"])
        draw_text(row, who["identity"], (24, ROW // 2 + 6), 13, INK)
        for place, camera in enumerate(cameras):
            crop = best.get((who["identity"], camera))
            _draw_crop(row[:, NAME + place * column : NAME + (place + 1) * column], camera, crop)


def _draw_crop(cell: Image, camera: str, crop: Row | None) -> None:
    if crop is None:
        draw_text(cell, camera, (8, ROW // 2 + 4), 10, (80, 85, 95))
        return
    image = from_jpeg(crop["jpeg"])
    scale = min(PICTURE / image.shape[0], (cell.shape[1] - 16) / image.shape[1])
    image = resized(image, round(image.shape[1] * scale), round(image.shape[0] * scale))
    cell[10 : 10 + image.shape[0], 8 : 8 + image.shape[1]] = image
    when = moment(crop["time"], crop["elapsed_s"], "%H:%M:%S")
    draw_text(cell, f"{camera}  {when}", (8, ROW - 12), 9, SOFT)


def _best_pictures(run: Run, people: Sequence[str]) -> dict[tuple[str, str], Row]:
    """For each person and camera the crop of best quality."""
    tracklets = run.tracklets().select(["tracklet", "identity"]).to_pylist()
    owner = {row["tracklet"]: row["identity"] for row in tracklets if row["identity"] in people}
    best: dict[tuple[str, str], Row] = {}
    for crop in run.crops(sorted(owner), best=1).to_pylist():
        key = owner[crop["tracklet"]], crop["camera"]
        if key not in best or crop["quality"] > best[key]["quality"]:
            best[key] = crop
    return best
