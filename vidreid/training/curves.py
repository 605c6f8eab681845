"""A picture of a training's log."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from vidreid.training.checkpoint import replaced
from vidreid.training.progress import Log


def write_curves(log: Log, path: Path, say: Callable[[str], None]) -> None:
    """Losses, and the learning rate below them, over steps, as SVG or PNG; a line says so where nothing can draw."""
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        say(f"no {path.name}: Matplotlib is not installed")
        return
    columns = log.columns()
    steps, rates = columns.pop("step"), columns.pop("rate")
    columns.pop("pictures_per_second")
    figure = Figure(figsize=(7, 5), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    for name, values in columns.items():
        above.plot(steps, values, label=name)
    above.set(ylabel="weighted loss")
    above.legend()
    below.plot(steps, rates, color="black")
    below.set(xlabel="step", ylabel="learning rate")
    for axes in (above, below):
        axes.grid(alpha=0.3)
    kind = path.suffix.removeprefix(".")
    drawn = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "vidreid"}):
        figure.savefig(drawn, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else {})
    with replaced(path) as temporary:
        temporary.write_bytes(drawn.getvalue())
