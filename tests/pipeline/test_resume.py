"""The program is killed at any moment, and goes on: nothing half made, nothing made twice, the same result."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from parts import check_whole, contents, marks, parts_of
from program import gone, start, wait_for

from vidreid import plugins
from vidreid.pipeline.results import Run
from vidreid.pipeline.status import run_status
from vidreid.store.folder import RunFolder
from vidreid.views.selection import Selection

KILLS = 10  # of each of the two runs
STOPPED = ["error: stopped; what is finished is kept", "hint: the same command goes on"]


def exports(run: Path, into: Path) -> dict[str, bytes]:
    """What `export` makes of a run, as CSV and as MOT."""
    for kind in ("csv", "mot"):
        plugins.load("views.export", kind).write(Run(run), into / kind, Selection())
    return {str(file.relative_to(into)): file.read_bytes() for file in into.rglob("*") if file.is_file()}


def stage_of(run: Path) -> str:
    """The stage that a run without a process is in."""
    status = run_status(RunFolder(run))
    if any("track" not in camera.stages for camera in status.cameras):
        return "ingest"
    done = all(found["done"] == sum(found.values()) for camera in status.cameras for found in camera.stages.values())
    return "match" if done else "track or embed"


@pytest.mark.parametrize(("seconds", "overlap"), [(6.0, 2.0), (4.0, 1.0)])
def test_a_run_killed_at_any_moment_ends_as_if_it_had_not_been(
    site: Path,
    settings: dict[str, dict[str, Any]],
    go: Callable[..., Any],
    tmp_path: Path,
    seconds: float,
    overlap: float,
) -> None:
    wanted = {**settings, "segments": {"seconds": seconds, "overlap": overlap}}
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(wanted), encoding="utf-8")
    go(tmp_path / "whole", site / "cameras.yaml", settings=wanted)
    total = len(parts_of(tmp_path / "whole"))
    command = ("run", site / "cameras.yaml", "--output", tmp_path / "run", "--settings", tmp_path / "settings.yaml")
    run, says, rng = tmp_path / "run", tmp_path / "says", random.Random(seconds)
    before: dict[str, tuple[int, int]] = {}
    stages = []
    # Kill it when so many parts are there, from the first to the last but the table that ends `match`.
    for target in [round(1 + kill * (total - 2) / (KILLS - 1)) for kill in range(KILLS)]:
        process = start(*command, says=says)
        assert wait_for(lambda target=target: len(parts_of(run)) >= target, process), says.read_text()
        time.sleep(rng.uniform(0, 0.03))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        check_whole(run)
        after = marks(run)
        assert before.items() <= after.items()
        before = after
        stages.append(stage_of(run))
    assert {"ingest", "track or embed", "match"} == set(stages)
    resumed = start("resume", run, says=says)
    resumed.join()
    assert resumed.exitcode == 0, says.read_text()
    finished = {name: mark for name, mark in before.items() if not name.startswith("match/")}
    assert finished.items() <= marks(run).items()
    assert contents(run) == contents(tmp_path / "whole")
    assert exports(run, tmp_path / "a") == exports(tmp_path / "whole", tmp_path / "b")
    assert not list(run.rglob(".part-*"))


def beside_progress(told: str) -> list[str]:
    """What the program said beside its networks and its progress; a terminal's ^C gets an empty line to itself."""
    usual = ("detector: ", "embedder: ", "ingest: ", "track: ")
    return [line for line in told.splitlines() if line and not line.startswith(usual)]


def test_ctrl_c_says_one_line_and_the_same_command_goes_on(
    site: Path, settings_file: Path, finished: Path, tmp_path: Path
) -> None:
    run, says = tmp_path / "run", tmp_path / "says"
    command = ("run", site / "cameras.yaml", "--output", run, "--settings", settings_file)
    process = start(*command, says=says)
    assert wait_for(lambda: list(run.glob("embed/*/*.parquet")), process)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    process.join()
    assert process.exitcode == 130
    assert beside_progress(says.read_text()) == STOPPED
    done = marks(run)
    again = start(*command, says=says)
    again.join()
    assert again.exitcode == 0, says.read_text()
    assert done.items() <= marks(run).items()
    assert contents(run) == contents(finished)


def children(process: int) -> list[int]:
    """Processes that a process started and that live."""
    listed = Path(f"/proc/{process}/task/{process}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


@pytest.fixture
def two_workers(site: Path, settings_file: Path, tmp_path: Path) -> Any:
    """The program with two workers, in a process group of its own, at the moment when both have been started."""
    if not Path("/proc/self/task").exists():
        pytest.skip("needs /proc to see processes")
    program = Path(sys.executable).with_name("vidreid")
    words = ["run", site / "cameras.yaml", "--output", tmp_path / "run", "--settings", settings_file, "--workers", "2"]
    with subprocess.Popen(
        [program, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        while len(children(process.pid)) < 3:  # two workers, and Python's own resource tracker
            assert process.poll() is None
            time.sleep(0.002)
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def test_ctrl_c_while_workers_start_says_one_line_and_leaves_no_process(two_workers: Any) -> None:
    workers = children(two_workers.pid)
    os.killpg(two_workers.pid, signal.SIGINT)
    told, _ = two_workers.communicate()
    assert two_workers.returncode == 130
    assert beside_progress(told) == STOPPED
    assert all(gone(worker) for worker in workers[1:])


def test_workers_do_not_outlive_a_killed_run(two_workers: Any) -> None:
    workers = children(two_workers.pid)
    two_workers.kill()
    two_workers.wait()
    for _ in range(3000):
        if all(gone(worker) for worker in workers):
            break
        time.sleep(0.02)
    assert all(gone(worker) for worker in workers)
