"""Twice as many files cost twice as much at most, and say no more: counted, never timed."""

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from films import Film

from vidreid.footage.cameras import Site, read_site
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.results import Run
from vidreid.pipeline.run import Options, run
from vidreid.pipeline.status import run_status
from vidreid.pipeline.summary import MOST
from vidreid.store.folder import RunFolder

CAMERAS, FEW, MANY = 2, 3, 6  # cameras, and files of each
SETTINGS = {"detection": {"detector": "oracle"}, "embedding": {"embedder": "colours"}}
BEGIN = 1_775_980_800  # 2026-04-12T08:00:00Z


@dataclass
class Big:
    """A finished run of small files that are ten minutes apart, and what each step of it cost."""

    folder: RunFolder
    site: Path
    costs: dict[str, Counter[str]]


def write_site(folder: Path, files: int) -> Path:
    """A cameras YAML; in the first file of each camera somebody stands."""
    (folder / "gt").mkdir(parents=True)
    cameras = {}
    for name in (f"c{k}" for k in range(CAMERAS)):
        (folder / "gt" / f"{name}.txt").write_text("".join(f"{i},1,10,4,16,40,1,1,1\n" for i in range(1, 7)))
        names = [Film(f"{name}_{k:03d}.mp4", frames=6 + k % 3).write(folder).name for k in range(files)]
        starts = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(BEGIN + 600 * k)) for k in range(files))
        entries = [{"file": file, "start": start} for file, start in zip(names, starts, strict=True)]
        cameras[name] = {"files": entries}
    (folder / "cameras.yaml").write_text(yaml.safe_dump({"cameras": cameras}))
    return folder / "cameras.yaml"


def counted(step: Callable[[], object]) -> Counter[str]:
    """How often a step opens a part, reads one, and puts a file on the disk."""
    count: Counter[str] = Counter()

    def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            count[name] += 1
            return function(*arguments, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for place, name in ((pq, "read_metadata"), (pq, "read_table"), (os, "fsync")):
            patch.setattr(place, name, counting(name, getattr(place, name)))
        step()
    return count


def make(folder: Path, files: int) -> Big:
    site, runs = write_site(folder / "site", files), RunFolder(folder / "run")
    steps: dict[str, Callable[[], object]] = {
        "ingest": lambda: run(runs, read_site([str(site)]), SETTINGS, Options(until="ingest"), Silent()),
        "run": lambda: run(runs, Site(), {}, Options(), Silent()),
        "resume": lambda: run(runs, Site(), {}, Options(), Silent()),
        "status": lambda: run_status(runs),
        "summary": lambda: Run(runs.path).summary(),
    }
    return Big(runs, site, {name: counted(step) for name, step in steps.items()})


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Big:
    return make(tmp_path_factory.mktemp("few"), FEW)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Big:
    return make(tmp_path_factory.mktemp("many"), MANY)


@pytest.mark.parametrize("step", ["ingest", "run", "resume", "status", "summary"])
def test_no_step_grows_faster_than_the_files(few: Big, many: Big, step: str) -> None:
    for what, count in many.costs[step].items():
        assert count <= few.costs[step][what] * MANY / FEW, what


# step: how often each segment more has a part opened, read, and put on the disk (file and folder)
EACH = {"ingest": (0, 0, 0), "run": (6, 3, 6), "resume": (6, 0, 0), "status": (3, 0, 0), "summary": (1, 0, 0)}


@pytest.mark.parametrize("step", EACH)
def test_a_segment_more_costs_no_more_than_it_must(few: Big, many: Big, step: str) -> None:
    """Of `run` and `resume`: its three parts are looked at for what is due, and for what can be matched."""
    more = many.costs[step] - few.costs[step]
    segments = CAMERAS * (MANY - FEW)
    found = tuple(more[what] / segments for what in ("read_metadata", "read_table", "fsync"))
    assert all(count <= most for count, most in zip(found, EACH[step], strict=True)), found


def test_the_record_grows_with_the_files(few: Big, many: Big) -> None:
    sizes = [big.folder.record.stat().st_size for big in (few, many)]
    assert sizes[1] <= sizes[0] * MANY / FEW


def test_what_many_files_have_in_common_is_told_once(many: Big) -> None:
    """Of the last, all footage is gone."""
    for film in many.site.parent.glob("*.mp4"):
        film.rename(film.with_suffix(".gone"))
    reporter = Silent()
    run(many.folder, Site(), {}, Options(), reporter)
    told = [note for note in reporter.notes if "missing" in note]
    assert told == [
        f"c{k}: c{k}_000.mp4 (and {MANY - 1} more) is missing; what was made from it stays" for k in range(2)
    ]
    assert len(reporter.notes) < MOST * CAMERAS
