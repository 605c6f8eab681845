"""What every executor promises: a file of vidreid/pipeline/executors is here by being there."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pieces
import pytest
from program import gone

from vidreid import plugins
from vidreid.errors import StorageError
from vidreid.types import Outcome


@pytest.fixture(params=plugins.names("pipeline.executors"))
def executor(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Every executor, with two workers where it has workers."""
    return plugins.load("pipeline.executors", request.param).make(partial(pieces.Bench, tmp_path), 2)


@pytest.fixture
def local(tmp_path: Path) -> Any:
    return plugins.load("pipeline.executors", "local").make(partial(pieces.Bench, tmp_path), 2)


def outcomes(executor: Any, function: Any, work: Mapping[str, tuple[Any, ...]]) -> dict[str, Outcome]:
    found = list(executor.map(function, work, lambda camera, count: None))
    assert len({outcome.key for outcome in found}) == len(found)
    return {outcome.key: outcome for outcome in found}


def test_every_piece_has_one_outcome(executor: Any) -> None:
    found = outcomes(executor, pieces.double, {f"c/{number}": (number,) for number in range(9)})
    assert found == {f"c/{number}": Outcome(f"c/{number}", 2 * number) for number in range(9)}


def test_no_work_is_no_outcome(executor: Any) -> None:
    assert outcomes(executor, pieces.double, {}) == {}


def test_an_error_is_the_outcome_of_its_piece_and_the_others_go_on(executor: Any) -> None:
    found = outcomes(executor, pieces.fail, {"a": ("input",), "b": ("fault",), "c": ("nothing",)})
    assert found["a"] == Outcome("a", error="c0: no picture", hint="look at it")
    assert found["b"].error == "ZeroDivisionError: by nothing"
    assert "Traceback" in found["b"].hint
    assert found["c"] == Outcome("c")


def test_a_full_disk_ends_everything(executor: Any, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no space left") as error:
        outcomes(executor, pieces.fill_disk, {"a": (False,), "b": (True,), "c": (False,)})
    assert error.value.hint == "make room"


def test_progress_is_passed_on_before_the_outcome(executor: Any) -> None:
    told: list[object] = []
    work = {"first": ("c0",), "second": ("c1",)}
    for outcome in executor.map(pieces.step_twice, work, lambda camera, count: told.append((camera, count))):
        told.append(outcome.value)
    for camera in ("c0", "c1"):
        assert [step for step in told if camera in step] == [(camera, 25), (camera, 5), camera]  # type: ignore[operator]


def test_tools_are_closed_at_the_end(executor: Any, tmp_path: Path) -> None:
    outcomes(executor, pieces.double, {"a": (1,), "b": (2,)})
    assert list(tmp_path.glob("closed-*"))


def test_leaving_early_leaves_no_process(executor: Any) -> None:
    found = executor.map(pieces.double, {str(number): (number,) for number in range(4)}, lambda camera, count: None)
    next(iter(found))
    found.close()
    assert multiprocessing.active_children() == []


def test_workers_are_processes_of_their_own(local: Any) -> None:
    found = outcomes(local, pieces.who, {str(number): (number,) for number in range(6)})
    workers = {outcome.value for outcome in found.values()}
    assert os.getpid() not in workers
    assert 1 <= len(workers) <= 2


def test_pieces_end_when_their_run_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, str(Path(pieces.__file__)), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        workers: set[int] = set()
        while len(workers) < 2:
            workers.add(int(run.stdout.readline()))
        run.kill()
        # Both hold the pipe that they inherited: it ends when they do, long before their pieces would.
        run.stdout.read()
    assert all(gone(worker) for worker in workers)


@pytest.mark.parametrize("how", ["exit", "kill"])
def test_a_worker_that_dies_is_replaced_and_its_piece_tried_again_twice(local: Any, how: str, tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(4)]
    for folder in folders:
        folder.mkdir()
    deaths = [0, 1, 9, 0]
    found = outcomes(local, pieces.die, {f"c/{i}": (how, folders[i], deaths[i]) for i in range(4)})
    assert [found[f"c/{i}"].error for i in range(4)] == ["", "", "its worker died 3 times", ""]
    assert found["c/1"].value == 2  # tries that it saw
    assert "memory" in found["c/2"].hint
    assert multiprocessing.active_children() == []
