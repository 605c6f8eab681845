"""Two sightings side by side: how they looked over time, how alike each look is to each, and the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vidreid.errors import UsageError
from vidreid.identity.splitting import Look
from vidreid.pipeline.cases import Case, PairCase, Sighting
from vidreid.pipeline.looks import looks_of
from vidreid.pipeline.results import Run
from vidreid.store.parts import write_atomic
from vidreid.types import Image
from vidreid.views.certainty import EVEN, LEAD
from vidreid.views.drawing import Colour, colour_of, draw_text, from_jpeg, ink_on, resized, text_width
from vidreid.views.explanation import looks as worth
from vidreid.views.explanation import means, seen, stands_between, together_from, verdict
from vidreid.views.times import in_zone, short_moment

PAGE: Colour = (244, 244, 241)
PANEL: Colour = (255, 255, 255)
INK: Colour = (29, 31, 35)
SOFT: Colour = (102, 106, 115)
UNLIKE: Colour = (226, 228, 233)
ALIKE: Colour = (24, 128, 84)
WIDTH, MARGIN, GAP, PAD = 1200, 36, 20, 18
MOST = 4  # looks of a sighting that are shown
TOP, TALL = 96, 236  # where a look begins in its panel, and how tall it is, pixels
THUMB = (54, 84)  # of a look beside the table of scores
CELL = (92, 92)
PALEST, DARKEST = 0.2, 0.9  # cosines of looks


@dataclass(frozen=True)
class Shown:
    """A look with its best picture, and when that was taken."""

    look: Look
    image: Image
    when: str


def write_picture(run: Run, case: Case, path: Path) -> None:
    """Write a PNG `WIDTH` pixels wide; the same run gives the same bytes. `UsageError` for other than two sightings."""
    if not isinstance(case, PairCase):
        raise UsageError("--picture compares two sightings", "give two of them: vidreid explain RUN TRACKLET TRACKLET")
    if path.suffix != ".png":
        raise UsageError(f"{path.name}: not a PNG", "end the name in .png")
    shown = [_shown(run, sighting) for sighting in (case.first, case.second)]
    page = np.vstack([_head(case), _strips(case, shown), _below(case, shown)])
    _, png = cv2.imencode(".png", page[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    write_atomic(path, lambda file: file.write(png.tobytes()))


def _shown(run: Run, sighting: Sighting) -> list[Shown]:
    """At most `MOST` looks, evenly over time, each with its best picture."""
    rows = [row for row in run.tracklets().to_pylist() if row["tracklet"] == sighting.tracklet]
    crops = run.crops([sighting.tracklet]).to_pylist()
    looks = [look for look in looks_of(run, rows)[sighting.tracklet] if any(_of(look, crop) for crop in crops)]
    places = np.unique(np.linspace(0, len(looks) - 1, min(MOST, len(looks))).round().astype(int))
    return [_picture(looks[place], crops, run.zone) for place in places]


def _of(look: Look, crop: Mapping[str, Any]) -> bool:
    return bool(look.first <= crop["frame"] <= look.last)


def _picture(look: Look, crops: Sequence[Mapping[str, Any]], zone: tzinfo) -> Shown:
    best = max((crop for crop in crops if _of(look, crop)), key=lambda crop: crop["quality"])
    return Shown(look, from_jpeg(best["jpeg"]), short_moment(in_zone(best["time"], zone), best["elapsed_s"]))


def _sheet(height: int) -> Image:
    return np.full((height, WIDTH, 3), PAGE, np.uint8)


def _head(case: PairCase) -> Image:
    page = _sheet(128)
    _fitted(page, verdict(case), (MARGIN, 52), 19, INK, WIDTH - 2 * MARGIN)
    likeness = f"Likeness {worth(case.link)}." if case.link else "One of them has no picture to compare."
    _fitted(page, likeness, (MARGIN, 86), 13, INK, WIDTH - 2 * MARGIN)
    _fitted(page, f"{LEAD}  {EVEN}", (MARGIN, 112), 11, SOFT, WIDTH - 2 * MARGIN)
    return page


def _strips(case: PairCase, shown: Sequence[Sequence[Shown]]) -> Image:
    """Both sightings over time, side by side."""
    page = _sheet(TOP + TALL + 80)
    width = (WIDTH - 2 * MARGIN - GAP) // 2
    for side, (sighting, looks) in enumerate(zip((case.first, case.second), shown, strict=True)):
        left = MARGIN + side * (width + GAP)
        _strip(page[: -2 * PAD, left : left + width], sighting, "AB"[side], looks)
    return page


def _strip(panel: Image, sighting: Sighting, letter: str, shown: Sequence[Shown]) -> None:
    width = panel.shape[1] - 2 * PAD
    panel[:] = PANEL
    panel[:, :6] = colour_of(sighting.identity)
    who = sighting.identity or "nobody's"
    _fitted(panel, f"{letter}   {sighting.tracklet}   {who}", (PAD, 34), 15, INK, width)
    for place, line in enumerate(islice(_wrapped(seen(sighting), 11, width), 2)):
        draw_text(panel, line, (PAD, 58 + 22 * place), 11, SOFT)
    cell = (width - (MOST - 1) * 12) // MOST
    for place, each in enumerate(shown):
        x = PAD + place * (cell + 12)
        image = _fitting(each.image, cell, TALL)
        _put(panel[TOP:, x:], image)
        draw_text(panel, f"{letter}{place + 1}  {each.when}", (x, TOP + TALL + 22), 10, SOFT)
    if not shown:
        draw_text(panel, "no picture", (PAD, TOP + TALL // 2), 13, SOFT)


def _below(case: PairCase, shown: Sequence[Sequence[Shown]]) -> Image:
    """The table of scores on the left, the reasons on the right."""
    table = _table(*shown)
    height = max(_draw_reasons(_sheet(2000)[:, :540], case), len(table)) + MARGIN
    page = _sheet(height)
    page[: len(table), MARGIN : MARGIN + table.shape[1]] = table
    _draw_reasons(page[:, WIDTH - MARGIN - 540 : WIDTH - MARGIN], case)
    return page


def _table(ones: Sequence[Shown], others: Sequence[Shown]) -> Image:
    """The cosine of each look of the first with each of the second."""
    if not ones or not others:
        return _sheet(60)[:, :540]
    (thumb, tall), (wide, high) = THUMB, CELL
    left, top = thumb + 48, tall + 58
    table = np.full((top + high * len(ones), left + wide * MOST, 3), PAGE, np.uint8)
    draw_text(table, "Cosine of each look of A with each of B", (0, 14), 12, INK)
    for place, each in enumerate(others):
        x = left + place * wide
        draw_text(table, f"B{place + 1}", (x + 4, 44), 10, SOFT)
        _put(table[34:, x + 32 : x + wide], _fitting(each.image, thumb, tall))
    for row, each in enumerate(ones):
        y = top + row * high
        draw_text(table, f"A{row + 1}", (0, y + 16), 10, SOFT)
        _put(table[y + 4 :, 32:], _fitting(each.image, thumb, tall))
        for place, other in enumerate(others):
            x = left + place * wide
            _cell(table[y + 2 : y + high - 2, x + 2 : x + wide - 2], float(each.look.vector @ other.look.vector))
    return table


def _put(place: Image, image: Image) -> None:
    place[: image.shape[0], : image.shape[1]] = image


def _cell(cell: Image, cosine: float) -> None:
    share = float(np.clip((cosine - PALEST) / (DARKEST - PALEST), 0, 1))
    colour = tuple(round(a + (b - a) * share) for a, b in zip(UNLIKE, ALIKE, strict=True))
    cell[:] = colour
    text = f"{cosine:.2f}"
    corner = ((cell.shape[1] - text_width(text, 15)) // 2, cell.shape[0] // 2 + 8)
    draw_text(cell, text, corner, 15, ink_on((colour[0], colour[1], colour[2])))


def _draw_reasons(panel: Image, case: PairCase) -> int:
    """Draw why; the height that it takes."""
    y = 14
    for title, lines in _reasons(case):
        draw_text(panel, title, (0, y), 12, INK)
        for line in lines:
            for part in _wrapped(line, 11, panel.shape[1]):
                y += 22
                draw_text(panel, part, (0, y), 11, SOFT)
            y += 4
        y += 34
    return y


def _reasons(case: PairCase) -> Iterator[tuple[str, list[str]]]:
    if case.barriers:
        yield "They cannot be one person", [stands_between(barrier) for barrier in case.barriers[:4]]
    if case.chain:
        yield "What holds them together", [f"{each.first} and {each.second}: {worth(each)}" for each in case.chain[:5]]
    yield "Mean likeness", [*means(case), together_from(case.threshold)]


def _wrapped(text: str, height: float, width: int) -> Iterator[str]:
    """The text in lines that fit."""
    line = ""
    for word in text.replace(" %", "\N{NO-BREAK SPACE}%").split(" "):
        longer = f"{line} {word}".strip()
        if line and text_width(longer, height) > width:
            yield line
            longer = word
        line = longer
    yield line


def _fitted(page: Image, text: str, corner: tuple[int, int], height: float, colour: Colour, width: int) -> None:
    """Draw a line as tall as fits, down to two thirds of its height; what is still too long is cut."""
    least = height * 2 / 3
    height = max(least, min(height, height * width / max(1, text_width(text, height))))
    while text_width(text, height) > width and len(text) > 4:
        text = text[:-4] + "..."
    draw_text(page, text, corner, height, colour)


def _fitting(image: Image, width: int, height: int) -> Image:
    scale = min(width / image.shape[1], height / image.shape[0])
    return resized(image, round(image.shape[1] * scale), round(image.shape[0] * scale))
