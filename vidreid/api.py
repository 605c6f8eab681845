"""What the functions of `vidreid` do; apart, so that ``import vidreid`` loads nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from vidreid.errors import UsageError
from vidreid.footage.cameras import read_site
from vidreid.pipeline import query
from vidreid.pipeline.person import pooled, read_person
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.results import Run
from vidreid.pipeline.run import Options
from vidreid.pipeline.run import run as run_pipeline
from vidreid.pipeline.search import Hit
from vidreid.pipeline.search import search as search_runs
from vidreid.store.folder import RunFolder
from vidreid.types import Reporter
from vidreid.views.people import renew_people

Source = str | PathLike[str]


def run(
    footage: Mapping[str, Source | Sequence[Source]] | Source,
    output: Source,
    *,
    settings: Mapping[str, Mapping[str, Any]],
    workers: int,
    offline: bool,
    reporter: Reporter | None,
) -> Run:
    """See `vidreid.run`."""
    folder = RunFolder(Path(output))
    options = Options(workers=workers, offline=offline)
    report = run_pipeline(folder, read_site(_words(footage)), settings, options, reporter or Silent())
    opened = Run(folder.path, failed=report.failed)
    if folder.match("tracklets").is_file():
        renew_people(opened)
    return opened


def open_run(path: Source) -> Run:
    """See `vidreid.open_run`."""
    return Run(Path(path))


def search(
    runs: Sequence[Run],
    *,
    images: Sequence[Source],
    tracklets: Sequence[str],
    person: Source | None,
    top: int,
    offline: bool,
) -> list[Hit]:
    """See `vidreid.search`."""
    if not runs or not (images or tracklets or person):
        raise UsageError("nothing to search, or nobody to look for", "give runs, and images, tracklets or a person")
    notes: list[str] = []
    people = [query.of_tracklet(runs[0], name) for name in tracklets]
    if images:
        paths = [Path(image) for image in images]
        people.append(query.of_pictures(runs[0], paths, None, offline=offline, note=notes.append))
    if person is not None:
        people.append(read_person(Path(person)))
    return search_runs(runs, pooled(people), top=top, offline=offline, note=notes.append)


def _words(footage: Mapping[str, Source | Sequence[Source]] | Source) -> list[str]:
    """Footage as the command line writes it."""
    if not isinstance(footage, Mapping):
        return [fspath(footage)]
    words = []
    for camera, files in footage.items():
        several = [files] if isinstance(files, str | PathLike) else files
        words += [f"{camera}={fspath(file)}" for file in several]
    return words
