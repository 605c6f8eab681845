"""Retrieval results to look at: the CMC curve, and a contact sheet of the queries that went worst."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from vidreid.errors import UsageError
from vidreid.store.parts import write_atomic
from vidreid.training.retrieval import Ranked, Scores
from vidreid.types import Image
from vidreid.views.drawing import Colour, draw_text, resized

PAGE: Colour = (255, 255, 255)
INK: Colour = (40, 40, 44)
EMPTY: Colour = (226, 226, 228)
RIGHT: Colour = (0, 158, 60)
WRONG: Colour = (214, 39, 40)
TALL, WIDE = 160, 80  # pixels of a picture
FRAME, GAP, MARGIN, HEAD = 5, 8, 20, 26
APART = 16  # between the query and what it found
FORMATS = (".svg", ".png", ".pdf")


def write_sheet(path: Path, queries: Sequence[Ranked], picture: Callable[[str], Image | None]) -> None:
    """Write a PNG: a row a query, the query at the left, then the entries that it found, in order of rank.

    Entries of the query's person have a thick green frame, others a thin red one. ``picture`` gives the image of a
    name, None where it cannot be read.
    """
    columns = 1 + max((len(query.entries) for query in queries), default=0)
    row = HEAD + TALL + 2 * FRAME + GAP
    page = np.full(
        (2 * MARGIN + row * len(queries), 2 * MARGIN + APART - GAP + columns * (WIDE + 2 * FRAME + GAP), 3),
        PAGE,
        np.uint8,
    )
    for number, query in enumerate(queries):
        top = MARGIN + number * row
        line = f"{Path(query.query).name}   AP {100 * query.ap:.1f} %   first right one at rank {query.first}"
        draw_text(page, line, (MARGIN, top + HEAD - 10), 10, INK)
        _place(page, top + HEAD, 0, picture(query.query), INK)
        for column, (name, right) in enumerate(query.entries, 1):
            _place(page, top + HEAD, column, picture(name), RIGHT if right else WRONG, FRAME if right else 2)
    _, png = cv2.imencode(".png", page[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    write_atomic(path, lambda file: file.write(png.tobytes()))


def _place(page: Image, top: int, column: int, image: Image | None, colour: Colour, frame: int = 2) -> None:
    """Draw a framed picture; the query, in column 0, stands a little apart."""
    left = MARGIN + column * (WIDE + 2 * FRAME + GAP) + (APART if column else 0) + FRAME
    top += FRAME
    page[top - frame : top + TALL + frame, left - frame : left + WIDE + frame] = colour
    inner = page[top : top + TALL, left : left + WIDE]
    inner[:] = EMPTY
    if image is not None:
        scale = min(TALL / image.shape[0], WIDE / image.shape[1])
        small = resized(image, max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        y, x = (TALL - small.shape[0]) // 2, (WIDE - small.shape[1]) // 2
        inner[y : y + small.shape[0], x : x + small.shape[1]] = small


def write_rows(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(path, text.getvalue())


def write_text(path: Path, text: str) -> None:
    """Write a text file that appears whole or not at all."""
    write_atomic(path, lambda file: file.write(text.encode()))


def check_format(path: Path) -> None:
    """A `UsageError` where a plot cannot be written as a file of this name."""
    if path.suffix not in FORMATS:
        raise UsageError(f"{path.name}: not a kind of picture", f"end the name in {', '.join(FORMATS)}")


def write_curve(path: Path, scores: Scores, depth: int = 50) -> None:
    """Plot the CMC curve to ``depth`` ranks as SVG, PNG or PDF, by the name's ending; equal scores, equal bytes."""
    check_format(path)
    # Matplotlib takes half a second; without pyplot it opens no window and keeps no state.
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(
        xlabel="rank",
        ylabel="queries with a right one so far (%)",
        xlim=(1, depth),
        xticks=[1, *range(5, depth + 1, 5)],
    )
    axes.plot(range(1, depth + 1), [100 * share for share in scores.cmc(depth)], color="#1f5fa8")
    axes.set_title(f"{scores.dataset}: rank-1 {100 * scores.cmc(1)[0]:.1f} %, mAP {100 * scores.mean_ap:.1f} %")
    axes.grid(alpha=0.3)
    drawn = io.BytesIO()
    kind = path.suffix.removeprefix(".")
    with matplotlib.rc_context({"svg.hashsalt": "vidreid"}):
        figure.savefig(drawn, format=kind, dpi=150, metadata={} if kind == "png" else {_DATE[kind]: None})
    write_atomic(path, lambda file: file.write(drawn.getvalue()))


_DATE = {"svg": "Date", "pdf": "CreationDate"}
