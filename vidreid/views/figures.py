"""Matplotlib figures without a window and without state, written so that equal figures are equal bytes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from vidreid.store.parts import write_atomic
from vidreid.views.ranking import check_format

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_UNDATED: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches."""
    # Matplotlib takes half a second; without pyplot it opens no window and keeps no state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def write_figure(path: Path, figure: Figure) -> None:
    """Write SVG, PNG or PDF, by the name's ending; any other is a `UsageError`."""
    import matplotlib

    check_format(path)
    drawn = io.BytesIO()
    kind = path.suffix.removeprefix(".")
    with matplotlib.rc_context({"svg.hashsalt": "vidreid"}):
        figure.savefig(drawn, format=kind, dpi=150, metadata=_UNDATED[kind])
    write_atomic(path, lambda file: file.write(drawn.getvalue()))
