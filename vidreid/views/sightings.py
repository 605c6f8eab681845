"""What a search found, to look at: the query at the left, ranked sightings beside it; and a frame with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

import cv2
import numpy as np

from vidreid.errors import InputError
from vidreid.footage.zones import is_utc
from vidreid.pipeline.person import Person
from vidreid.pipeline.query import Scene
from vidreid.pipeline.results import Run
from vidreid.pipeline.search import Hit
from vidreid.store.parts import write_atomic
from vidreid.types import Array, Image
from vidreid.views.certainty import LEAD, share
from vidreid.views.drawing import Colour, colour_of, draw_box, draw_plate, draw_text, from_jpeg, resized, text_width
from vidreid.views.frames import frames
from vidreid.views.poster import FAINT, INK, MARGIN, PAGE, PANEL, SOFT
from vidreid.views.times import moment, short_moment

WIDTH = 1600
HEAD = 112  # height of the title
TALL, WIDE = 220, 118  # pixels of a sighting's picture
FOOT = 104  # height of the lines below it,
LINE = 20  # and of one more, where times are not of UTC
GAP = 12
COLUMNS = 9
QUERY = 220  # width of the query's panel
QUERIES = 4  # pictures of the query that are shown
SURE: Colour = (86, 190, 126)
UNSURE: Colour = (208, 164, 72)


def verdict(hits: Sequence[Hit]) -> str:
    """A search's result in one line."""
    likely = sum(hit.likely for hit in hits)
    return "no likely match" if not likely else f"{likely} likely {'sighting' if likely == 1 else 'sightings'}"


def when(hit: Hit) -> str:
    """The time at which a sighting began."""
    return moment(hit.start, hit.start_s)


def write_sheet(path: Path, person: Person, hits: Sequence[Hit]) -> None:
    """Write a PNG `WIDTH` pixels wide: the query's best pictures, then the sightings in their order, likely ones first.

    The same search gives the same bytes.
    """
    rows = max(1, -(-len(hits) // COLUMNS))
    card = TALL + FOOT + (LINE if any(hit.start and not is_utc(hit.start) for hit in hits) else 0)
    tall = rows * (card + GAP) - GAP
    page = np.full((HEAD + tall + MARGIN, WIDTH, 3), PAGE, np.uint8)
    draw_text(page, verdict(hits), (MARGIN, 58), 23, INK)
    draw_text(page, f"{len(hits)} sightings most like the person at the left", (MARGIN, 88), 12, SOFT)
    draw_text(page, LEAD, (WIDTH - MARGIN - text_width(LEAD, 12), 88), 12, SOFT)
    _draw_query(page[HEAD : HEAD + tall, MARGIN : MARGIN + QUERY], person)
    pictures = _pictures(hits)
    left = MARGIN + QUERY + 2 * GAP
    step = (WIDTH - MARGIN - left + GAP) // COLUMNS
    for number, (hit, picture) in enumerate(zip(hits, pictures, strict=True)):
        x, y = left + number % COLUMNS * step, HEAD + number // COLUMNS * (card + GAP)
        _draw_hit(page[y : y + card, x : x + step - GAP], number + 1, hit, picture)
    _write(path, page)


def _draw_query(panel: Image, person: Person) -> None:
    """The best pictures of the query, one below the other as far as there is room."""
    panel[:] = PANEL
    draw_text(panel, "looked for", (14, 26), 11, SOFT)
    best = sorted((picture for clip in person.clips for picture in clip.pictures), key=lambda picture: -picture.quality)
    room = max(1, min(QUERIES, (len(panel) - 40) // (TALL + GAP)))
    for number, picture in enumerate(best[:room]):
        top = 40 + number * (TALL + GAP)
        _place(panel[top : top + TALL, 14:-14], from_jpeg(picture.jpeg))


def _draw_hit(card: Image, number: int, hit: Hit, picture: Image | None) -> None:
    """A sighting's picture with its person's colour, rank, camera, time and how sure it is."""
    card[:] = PANEL
    card[:4] = colour_of(hit.identity) if hit.likely else FAINT
    if picture is not None:
        _place(card[10 : TALL - 2, 6:-6], picture)
    if not hit.likely:
        card[4:TALL] = card[4:TALL] // 2 + np.array(PANEL, np.uint8) // 2
    draw_plate(card, str(number), (6, 10), 10, SURE if hit.likely else FAINT)
    draw_text(card, share(hit.probability), (8, TALL + 20), 12, SURE if hit.likely else UNSURE)
    who = hit.identity or ""
    draw_text(card, who, (card.shape[1] - 8 - text_width(who, 9), TALL + 20), 9, SOFT)
    draw_text(card, hit.camera, (8, TALL + 46), 10, INK)
    draw_text(card, short_moment(hit.start, hit.start_s), (8, TALL + 68), 10, INK)
    draw_text(card, f"{hit.start:%Y-%m-%d}" if hit.start else "since its start", (8, TALL + 90), 9, SOFT)
    if hit.start and not is_utc(hit.start):
        draw_text(card, f"{hit.start.astimezone(UTC):%H:%M:%S} UTC", (8, TALL + 90 + LINE), 9, SOFT)


def _place(cell: Image, image: Image) -> None:
    """The image in the middle of a cell, as large as it fits."""
    scale = min(cell.shape[0] / image.shape[0], cell.shape[1] / image.shape[1])
    small = resized(image, max(1, int(image.shape[1] * scale)), max(1, int(image.shape[0] * scale)))
    y, x = (cell.shape[0] - small.shape[0]) // 2, (cell.shape[1] - small.shape[1]) // 2
    cell[y : y + small.shape[0], x : x + small.shape[1]] = small


def _pictures(hits: Sequence[Hit]) -> list[Image | None]:
    """The best picture of each sighting."""
    found: dict[tuple[Path, str], Image] = {}
    for path in dict.fromkeys(hit.run for hit in hits):
        crops = Run(path).crops({hit.tracklet for hit in hits if hit.run == path}, best=1)
        for row in crops.select(["tracklet", "jpeg"]).to_pylist():
            found[path, row["tracklet"]] = from_jpeg(row["jpeg"])
    return [found.get((hit.run, hit.tracklet)) for hit in hits]


def write_scene(path: Path, run: Run, scene: Scene) -> None:
    """Write a PNG of a frame of the footage with everybody in it numbered; `InputError` where it cannot be decoded."""
    frame = next(frames(run, scene.camera, scene.frame, scene.frame + 1), None)
    if frame is None:
        raise InputError(f"{scene.camera}: this frame cannot be decoded", "choose another time")
    image = np.ascontiguousarray(frame.image)
    size = max(9.0, len(image) / 48)
    boxes: list[Array] = [one.box for one in scene.people]
    for one, box in zip(scene.people, boxes, strict=True):
        draw_box(image, box, colour_of(one.identity), weight=max(1, round(len(image) / 300)), dashed=False)
    for number, (one, box) in enumerate(zip(scene.people, boxes, strict=True), start=1):
        corner = round(float(box[0])), round(float(box[1]) - 2 * size)
        draw_plate(image, str(number), corner, size, colour_of(one.identity))
    _write(path, image)


def _write(path: Path, image: Image) -> None:
    _, png = cv2.imencode(".png", image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    write_atomic(path, lambda file: file.write(png.tobytes()))
