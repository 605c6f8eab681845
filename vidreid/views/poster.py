"""One picture of a run's result: a frame of each camera, and the people who were seen in several of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from vidreid.pipeline.links import Held, held_people
from vidreid.pipeline.results import Run
from vidreid.store.parts import write_atomic
from vidreid.types import Array, Image
from vidreid.views.certainty import LEAD, percent
from vidreid.views.drawing import Colour, colour_of, draw_text, from_jpeg, resized, text_width
from vidreid.views.frames import Annotator, frames
from vidreid.views.times import in_zone, short_moment

Row = Mapping[str, Any]
PAGE: Colour = (22, 24, 29)
PANEL: Colour = (33, 36, 43)
INK: Colour = (236, 236, 232)
SOFT: Colour = (150, 155, 166)
FAINT: Colour = (92, 97, 108)
WIDTH, MARGIN, GAP = 1600, 40, 16
CAMERAS = 660  # width of a camera's frame
HEAD = 124  # height of the title
ROWS = (138, 220)  # least and greatest height of a person's row
NAME = 136  # width of a person's colour, name and how sure it is
MOST_CAMERAS = 5
SURE = (
    "Under each name: how likely it is rightly put together; in brackets if twice or half as many strangers look alike."
)
MOST_CANDIDATES = 2000  # frames that are compared for the best one


def write_poster(run: Run, path: Path, title: str = "") -> None:
    """Write a PNG `WIDTH` pixels wide; the same run gives the same bytes.

    Shows the first `MOST_CAMERAS` cameras and as many people as there is room beside them, those in most cameras first.
    """
    cameras = [camera for camera in run.cameras if run.files(camera)][:MOST_CAMERAS]
    pictures = [picture for camera in cameras if (picture := _busiest(run, camera)) is not None]
    tall = sum(len(picture) + GAP for picture in pictures) - GAP
    page = np.full((HEAD + max(tall, 2 * ROWS[1]) + MARGIN, WIDTH, 3), PAGE, np.uint8)
    _draw_head(page, run, title)
    y = HEAD
    for picture in pictures:
        page[y : y + len(picture), MARGIN : MARGIN + CAMERAS] = picture
        y += len(picture) + GAP
    _draw_people(page[HEAD:-MARGIN, MARGIN + CAMERAS + 2 * GAP : -MARGIN], run, cameras)
    draw_text(page, SURE, (MARGIN + CAMERAS + 2 * GAP, len(page) - 14), 9, SOFT)
    _, png = cv2.imencode(".png", page[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    write_atomic(path, lambda file: file.write(png.tobytes()) and None)


def _draw_head(page: Image, run: Run, title: str) -> None:
    found = run.summary()
    draw_text(page, title or "Who is who, across cameras", (MARGIN, 66), 25, INK)
    line = (
        f"{found.cameras} cameras   {found.sightings} sightings   {found.people} people   "
        f"{found.people_in_several} of them seen in several cameras"
    ) + ("" if run.zone is UTC else f"   times of {run.zone}")
    draw_text(page, line, (MARGIN, 98), 12, SOFT)
    draw_text(page, LEAD, (WIDTH - MARGIN - text_width(LEAD, 12), 98), 12, SOFT)


def _busiest(run: Run, camera: str) -> Image | None:
    """The frame that shows most people well, annotated; None where it cannot be decoded."""
    boxes = run.boxes(camera)
    file = run.files(camera)[0]
    index = _best_frame(boxes, file.width, file.height)
    frame = next(frames(run, camera, index, index + 1), None)
    if frame is None:
        return None
    scale = CAMERAS / frame.image.shape[1]
    image = resized(frame.image, CAMERAS, round(frame.image.shape[0] * scale))
    Annotator(camera, boxes, run.timeline(camera), run.zone).draw(image, index, scale)
    return _calm(image)


def _best_frame(boxes: pa.Table, width: int, height: int) -> int:
    """Of the frames with most people whole in the picture, and those with one fewer, the one that shows them best."""
    frame, dashed = boxes["frame"].to_numpy(), boxes["interpolated"].to_numpy()
    box = np.stack([boxes[side].to_numpy() for side in ("x1", "y1", "x2", "y2")], axis=1)
    whole = ~dashed & (box[:, :2] > 2).all(1) & (box[:, 2:] < (width - 2, height - 2)).all(1)
    count = np.bincount(frame[whole], minlength=1)
    candidates = np.flatnonzero(count >= max(1, count.max() - 1))
    candidates = candidates[:: len(candidates) // MOST_CANDIDATES + 1]
    shown = [_shown(box[slice(*np.searchsorted(frame, (index, index + 1)))]) for index in candidates]
    return int(candidates[np.argmax(shown)]) if shown else 0


def _shown(box: Array) -> float:
    """How well a frame's people (n, 4) can be seen: their heights, less what the others may hide of them."""
    side = np.minimum(box[:, None, 2:], box[None, :, 2:]) - np.maximum(box[:, None, :2], box[None, :, :2])
    overlap = side.clip(0).prod(2) * (1 - np.eye(len(box)))
    free = 1 - overlap.max(1, initial=0) / (box[:, 2:] - box[:, :2]).prod(1)
    return float((free * np.sqrt(box[:, 3] - box[:, 1])).sum())


def _calm(image: Image) -> Image:
    """The image without the noise that a PNG would spend most of its bytes on."""
    return np.asarray(cv2.bilateralFilter(image, 5, 18, 3) & 0xFC, np.uint8)


def _draw_people(sheet: Image, run: Run, cameras: Sequence[str]) -> None:
    """A row a person, a column a camera, the person's best picture of that camera in it."""
    people = [row for row in run.identities().to_pylist() if len(row["cameras"]) > 1]
    people.sort(key=lambda row: (-len(row["cameras"]), row["identity"]))
    people = people[: (len(sheet) + GAP) // (ROWS[0] + GAP)]
    if not people:
        draw_text(sheet, "Nobody was seen in more than one camera.", (0, 24), 14, SOFT)
        return
    tall = min(ROWS[1], (len(sheet) + GAP) // len(people) - GAP)
    column = (sheet.shape[1] - NAME) // len(cameras)
    best = _best_pictures(run, [row["identity"] for row in people])
    held = held_people(run)
    for number, who in enumerate(people):
        row = sheet[number * (tall + GAP) :][:tall]
        row[:] = PANEL
        row[:, :8] = colour_of(who["identity"])
        draw_text(row, who["identity"], (26, tall // 2 + 6), 13, INK)
        for line, text in enumerate(_sure(held[who["identity"]])):
            draw_text(row, text, (26, tall // 2 + 28 + 18 * line), 9, SOFT)
        for place, camera in enumerate(cameras):
            cell = row[:, NAME + place * column : NAME + (place + 1) * column]
            _draw_crop(cell, camera, best.get((who["identity"], camera)), run.zone)


def _sure(held: Held) -> list[str]:
    """How sure it is that this is one person, and the interval of that."""
    return percent(held.sure).replace(" (", "\n(").split("\n")


def _draw_crop(cell: Image, camera: str, crop: Row | None, zone: tzinfo) -> None:
    tall, wide = cell.shape[:2]
    if crop is None:
        draw_text(cell, f"not in {camera}", (8, tall - 12), 9, FAINT)
        return
    image = from_jpeg(crop["jpeg"])
    scale = min((tall - 44) / image.shape[0], (wide - 16) / image.shape[1])
    image = _calm(resized(image, round(image.shape[1] * scale), round(image.shape[0] * scale)))
    cell[12 : 12 + image.shape[0], 8 : 8 + image.shape[1]] = image
    when = short_moment(in_zone(crop["time"], zone), crop["elapsed_s"])
    draw_text(cell, f"{camera}  {when}", (8, tall - 12), 9, SOFT)


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
