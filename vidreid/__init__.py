"""vidreid: who is who, across the cameras of a site, from raw footage, offline.

>>> import vidreid
>>> run = vidreid.run({"c0": "campus/c0.mp4", "c1": "campus/c1.mp4"}, "runs/campus")  # doctest: +SKIP
>>> run.identities().to_pandas()  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidreid.pipeline.results import Run
    from vidreid.pipeline.search import Hit
    from vidreid.types import Reporter

__version__ = "0.1.0"
__all__ = ["__version__", "open_run", "run", "search"]

Path = str | PathLike[str]


def run(
    footage: Mapping[str, Path | Sequence[Path]] | Path,
    output: Path,
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    workers: int = 1,
    offline: bool = False,
    reporter: Reporter | None = None,
) -> Run:
    """Find, follow and match the people in footage; the same as ``vidreid run``.

    ``footage`` maps cameras to their files in order of time, or is the path of a cameras YAML; ``settings`` are by
    section, as in `vidreid.settings`: ``{"detection": {"detector": "yolo26n.onnx"}}``. What is done in ``output`` is
    kept. With ``workers`` above 1 call it below ``if __name__ == "__main__":``. Cameras and segments that fail do not
    stop the others: they are in ``Run.failed``. Raises `vidreid.errors.VidreidError`.
    """
    from vidreid.api import run as run_

    return run_(footage, output, settings=settings or {}, workers=workers, offline=offline, reporter=reporter)


def open_run(path: Path) -> Run:
    """Open a run folder for reading: its tables are pyarrow tables, ``.to_pandas()`` makes them data frames."""
    from vidreid.api import open_run as open_run_

    return open_run_(path)


def search(
    runs: Sequence[Run],
    *,
    images: Sequence[Path] = (),
    tracklets: Sequence[str] = (),
    person: Path | None = None,
    top: int = 20,
    offline: bool = False,
) -> list[Hit]:
    """Find one person in matched runs: the ``top`` sightings that are most likely this person, best first.

    Who it is say pictures, ``tracklets`` of the first run (``"c0/000117"``), which are not found again, and the file of
    a ``person`` that ``vidreid search --save`` wrote, all together. Each hit has its tracklet, camera, times,
    ``probability`` 0..1, and ``likely`` from 0.5 on; nobody need be. Raises `vidreid.errors.VidreidError`.
    """
    from vidreid.api import search as search_

    return search_(runs, images=images, tracklets=tracklets, person=person, top=top, offline=offline)
