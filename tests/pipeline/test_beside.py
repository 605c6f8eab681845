"""A run is used while it works: matched, searched, exported, decided on; whoever is killed, the other goes on."""

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from parts import check_whole, contents, marks
from program import start, wait_for

import vidreid
from vidreid.errors import InputError
from vidreid.pipeline.match import match_finished
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.status import run_status
from vidreid.store.folder import RunFolder

ENOUGH = 4  # segments that are finished before somebody asks
WAITING = "another vidreid matches this run; waiting for it"

Program = Callable[..., BaseProcess]
Told = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """What ``vidreid WORDS`` says in a process of its own, which ends well."""

    def call(*words: object, status: int = 0) -> str:
        process = start(*words, says=tmp_path / "told")
        process.join()
        said = (tmp_path / "told").read_text()
        assert process.exitcode == status, said
        return said

    return call


@pytest.fixture
def working(site: Path, settings_file: Path, run: Path, tmp_path: Path) -> Iterator[BaseProcess]:
    """A process that works on the run and has finished a few segments."""
    command = ("run", site / "cameras.yaml", "--output", run, "--settings", settings_file)
    process = start(*command, says=tmp_path / "says")
    assert wait_for(lambda: len(list(run.glob("embed/*/*.parquet"))) >= ENOUGH, process)
    yield process
    if process.is_alive():
        process.kill()
    process.join()


def halted(process: BaseProcess) -> BaseProcess:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    return process


def ended(process: BaseProcess, says: Path) -> None:
    """Let a halted process go on to its end."""
    assert process.pid is not None
    os.kill(process.pid, signal.SIGCONT)
    process.join()
    assert process.exitcode == 0, says.read_text()


def as_if_alone(run: Path, finished: Path) -> bool:
    """Whether the run holds what one does that nobody used while it worked, and nothing else."""
    assert not list(run.rglob(".part-*"))
    return contents(run) == contents(finished)


def test_a_run_is_matched_searched_exported_and_decided_on_while_it_works(
    working: BaseProcess, run: Path, finished: Path, told: Told, tmp_path: Path
) -> None:
    halted(working)
    record, progress = (run / "run.json").read_bytes(), (run / "progress.json").read_bytes()
    covers = re.compile(r"^covers \d+ %, \d\d:\d\d:\d\d to \d\d:\d\d:\d\d on ", re.MULTILINE)
    assert covers.search(told("match", run))
    opened = vidreid.open_run(run)
    one = opened.tracklets()["tracklet"][0].as_py()
    assert covers.search(told("search", run, "--tracklet", one))
    assert covers.search(told("explain", run, one))
    assert covers.search(told("export", run, "--format", "csv", "--output", tmp_path / "export"))
    assert covers.search(told("decide", run, "--discard", one))
    assert covers.search(told("decide", run, "--undo", "last"))
    assert re.search(r"^match +done, covers \d+ %", told("status", run), re.MULTILINE)
    share = json.loads(told("status", run, "--json"))["covers"]["share"]
    assert 0 < share < 1
    assert json.loads(told("search", run, "--tracklet", one, "--json"))["covers"][str(run)]["share"] == share
    assert re.search(r"Covers \d+ %, \d\d:", (run / "people.html").read_text(encoding="utf-8"))
    assert ((run / "run.json").read_bytes(), (run / "progress.json").read_bytes()) == (record, progress)
    ended(working, tmp_path / "says")
    assert as_if_alone(run, finished)
    assert vidreid.open_run(run).partial() is None
    assert "covers" not in told("status", run)


def test_a_run_that_works_is_neither_worked_on_twice_nor_matched_by_other_settings(
    working: BaseProcess, run: Path, told: Told
) -> None:
    halted(working)
    assert "another vidreid works on this run\nhint: " in told("resume", run, status=3)
    said = told("match", run, "--wrong-pairs", "0.5", status=2)
    assert "by its own settings" in said
    assert f"hint: leave the options out: vidreid match {run}" in said


def test_where_nothing_is_finished_there_is_nothing_to_match(finished: Path, run: Path) -> None:
    shutil.copytree(finished, run)
    shutil.rmtree(run / "embed")
    folder = RunFolder(run)
    with pytest.raises(InputError, match="nothing of it is analysed yet") as error, folder.matching(print):
        match_finished(folder, Silent())
    assert error.value.hint == f"watch it: vidreid status {run}"


def test_the_match_that_ends_a_run_waits_for_another(
    working: BaseProcess, run: Path, finished: Path, tmp_path: Path
) -> None:
    with RunFolder(run).matching(print):
        assert wait_for(lambda: WAITING in (tmp_path / "says").read_text(), working)
        assert run_status(RunFolder(run)).matching
        assert working.is_alive()
    working.join()
    assert working.exitcode == 0
    assert as_if_alone(run, finished)


def stopped_match(run: Path, says: Path, moment: str) -> BaseProcess:
    """A match that is halted when it has written a table, beside those that are there."""
    process = start("match", run, says=says)
    assert wait_for(lambda: list(run.glob(f".part-match/match/{moment}")), process), says.read_text()
    return halted(process)


@pytest.mark.parametrize("moment", ["calibration.json", "evidence.parquet"])
def test_a_match_that_is_killed_leaves_the_one_before_and_the_run_goes_on(
    working: BaseProcess, run: Path, finished: Path, told: Told, tmp_path: Path, moment: str
) -> None:
    halted(working)
    told("match", run)
    before = vidreid.open_run(run)
    tracklets = before.tracklets()
    RunFolder(run).embed("north", "00000").unlink()  # so that there is another match to be made
    killed = stopped_match(run, tmp_path / "killed", moment)
    killed.kill()
    killed.join()
    assert vidreid.open_run(run).tracklets().equals(tracklets)
    assert "covers" in told("status", run)
    check_whole(run)
    ended(working, tmp_path / "says")
    ended_again = start("resume", run, says=tmp_path / "again")
    ended_again.join()
    assert ended_again.exitcode == 0
    assert as_if_alone(run, finished)


def test_a_run_that_is_killed_leaves_the_match_beside_it_to_its_end(
    working: BaseProcess, run: Path, finished: Path, told: Told, tmp_path: Path
) -> None:
    halted(working)
    matching = stopped_match(run, tmp_path / "match", "calibration.json")
    working.kill()
    working.join()
    done = marks(run)
    ended(matching, tmp_path / "match")
    assert vidreid.open_run(run).partial() is not None
    told("resume", run)
    kept = {name: mark for name, mark in done.items() if not name.startswith("match/")}
    assert kept.items() <= marks(run).items()
    assert as_if_alone(run, finished)


def test_one_who_reads_never_sees_the_tables_of_two_matches(
    finished: Path, run: Path, go: Callable[..., Any], tmp_path: Path
) -> None:
    """Two matches take turns; who reads meanwhile finds the people of the one or the other."""
    shutil.copytree(finished, run)
    process = start("match", run, "--wrong-pairs", "0.5", says=tmp_path / "first")
    process.join()
    either = {vidreid.open_run(path).match.header.fingerprint for path in (finished, run)}
    seen: set[str] = set()
    for share in ("0.02", "0.5", "0.02"):
        process = start("match", run, "--wrong-pairs", share, says=tmp_path / "again")
        while process.is_alive():
            opened = vidreid.open_run(run)
            names = set(opened.tracklets()["identity"].drop_null().to_pylist())
            assert names == set(opened.identities()["identity"].to_pylist())
            seen.add(opened.match.header.fingerprint)
            time.sleep(0.002)
        assert process.exitcode == 0
    assert seen == either
