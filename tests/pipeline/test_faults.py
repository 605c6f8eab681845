"""Runs on which something goes wrong or changes: workers, cameras, footage, networks, versions."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from parts import contents, marks, parts_of
from pieces import Deadly
from program import start, wait_for
from tiny_networks import conv

import vidreid
from vidreid.digests import file_sha256
from vidreid.errors import InputError, MissingError, StorageError
from vidreid.pipeline import run as running
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.run import Report
from vidreid.pipeline.status import run_status
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.parts import Header, read_header, read_part, write_part
from vidreid.types import InputSpec

Go = Callable[..., Report]


@pytest.fixture
def own_site(site: Path, tmp_path: Path) -> Path:
    """The small world, to be spoiled."""
    return Path(shutil.copytree(site, tmp_path / "site"))


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """The finished run, to be spoiled."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.fixture
def own_run(copy: Path, site: Path, own_site: Path) -> Path:
    """The finished run as one on the own site."""
    record = copy / "run.json"
    record.write_text(record.read_text(encoding="utf-8").replace(str(site), str(own_site)), encoding="utf-8")
    return copy


def word(site: Path, camera: str) -> str:
    return f"{camera}={site / camera}.mp4"


# Workers


def test_two_workers_make_the_same_bytes_as_one(finished: Path, site: Path, go: Go, tmp_path: Path) -> None:
    report = go(tmp_path / "run", site / "cameras.yaml", workers=2)
    assert report.failed == {}
    assert contents(tmp_path / "run") == contents(finished)


def test_workers_that_die_change_nothing_or_one_segment(
    finished: Path, site: Path, settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One segment takes its first worker with it, another one every worker that it is given to."""
    deadly = Deadly({"hall/00001": 1, "yard/00002": 9}, tmp_path)
    monkeypatch.setattr(running, "process_segment", deadly)
    run = vidreid.run(site / "cameras.yaml", tmp_path / "run", settings=settings, workers=2)
    assert run.failed == {"yard/00002": "its worker died 3 times"}
    lost = {f"{stage}/yard/00002.parquet" for stage in ("track", "crops", "embed")}
    made = contents(tmp_path / "run")
    assert {name for name in contents(finished) if name not in made} == lost
    assert all(made[name] == data for name, data in contents(finished).items() if name in made and "match" not in name)
    assert run.summary().covered != "all footage"
    status = run_status(RunFolder(tmp_path / "run"))
    assert status.failed == {"yard/00002": "its worker died 3 times"}


def test_a_segment_that_fails_is_named_and_the_exit_status_is_4(
    own_site: Path, settings_file: Path, tmp_path: Path, vidreid: Callable[..., Any]
) -> None:
    """The truth of one camera is unreadable, which the oracle finds when it opens it."""
    (own_site / "gt" / "hall.txt").write_text("1,2,3\n")
    said = vidreid(
        "run", own_site / "cameras.yaml", "--output", tmp_path / "run", "--settings", settings_file, "--json"
    )
    assert said.status == 4
    told = json.loads(said.out)
    assert told["exit_status"] == 4
    assert told["failed"]
    assert "Traceback" not in said.err
    assert all("hall.txt" in error for error in told["failed"].values())


def test_a_full_disk_ends_the_run_and_keeps_what_is_done(site: Path, go: Go, tmp_path: Path) -> None:
    run = tmp_path / "run"
    go(run, site / "cameras.yaml", until="ingest")
    shutil.rmtree(run / "crops", ignore_errors=True)
    (run / "crops").touch()  # no folder can be made there
    before = marks(run)
    with pytest.raises(StorageError, match="cannot be written"):
        go(run)
    assert marks(run) == before
    (run / "crops").unlink()
    assert go(run).failed == {}


# Cameras and footage


def test_a_camera_that_fails_is_named_and_the_others_are_matched(own_site: Path, go: Go, tmp_path: Path) -> None:
    run = tmp_path / "run"
    whole = (own_site / "hall.mp4").read_bytes()
    (own_site / "hall.mp4").write_bytes(b"this is no film")
    report = go(run, own_site / "cameras.yaml")
    assert set(report.failed) == {"hall"}
    assert "hall.mp4" in report.failed["hall"]
    assert set(vidreid.open_run(run).tracklets()["camera"].to_pylist()) == {"north", "yard"}
    assert run_status(RunFolder(run)).failed == report.failed
    before = marks(run)
    (own_site / "hall.mp4").write_bytes(whole)
    assert go(run).failed == {}
    assert set(vidreid.open_run(run).tracklets()["camera"].to_pylist()) == {"hall", "north", "yard"}
    kept = {name: mark for name, mark in before.items() if not name.startswith("match/")}
    assert kept.items() <= marks(run).items()
    assert run_status(RunFolder(run)).failed == {}


def test_a_camera_can_be_added(site: Path, finished: Path, go: Go, tmp_path: Path) -> None:
    run = tmp_path / "run"
    go(run, word(site, "north"), word(site, "hall"))
    before = marks(run)
    go(run, word(site, "yard"))
    kept = {name: mark for name, mark in before.items() if not name.startswith("match/")}
    assert kept.items() <= marks(run).items()
    assert vidreid.open_run(run).cameras == ("north", "hall", "yard")
    assert set(parts_of(run)) == set(parts_of(finished))


def test_footage_that_changed_is_analysed_again_and_no_other(own_run: Path, own_site: Path, go: Go) -> None:
    before = marks(own_run)
    shutil.copy(own_site / "north.mp4", own_site / "hall.mp4")
    reporter = Silent()
    go(own_run, reporter=reporter)
    changed = {name for name, mark in marks(own_run).items() if before.get(name) != mark}
    assert {name.split("/")[0] for name in changed} == {"ingest", "track", "crops", "embed", "match"}
    assert all("hall" in name or name.startswith("match/") for name in changed)
    assert any("hall.mp4 has changed" in note for note in reporter.notes)


def test_footage_that_was_only_touched_is_not_analysed_again(own_run: Path, own_site: Path, go: Go) -> None:
    before = marks(own_run)
    os.utime(own_site / "hall.mp4", ns=(1, 1))
    go(own_run)
    assert marks(own_run) == before


def test_segments_cut_otherwise_leave_no_parts_of_the_old_ones(copy: Path, go: Go) -> None:
    go(copy, settings={"segments": {"seconds": 10.0, "overlap": 2.0}})
    for stage in ("track", "crops", "embed"):
        assert sorted(path.name for path in (copy / stage / "hall").iterdir()) == ["00000.parquet", "00001.parquet"]
    assert vidreid.open_run(copy).boxes("hall").num_rows > 0


def test_results_of_footage_that_was_replaced_are_not_shown_as_the_new_ones(copy: Path, site: Path, go: Go) -> None:
    """The camera's new files cannot be read: what its old ones held is not theirs."""
    bad = copy.parent / "bad.mp4"
    bad.write_bytes(b"this is no film")
    report = go(copy, f"hall={bad}", f"hall={shutil.copy(bad, copy.parent / 'worse.mp4')}")
    assert any(key.startswith("hall") for key in report.failed)
    run = vidreid.open_run(copy)
    assert run.boxes("hall").num_rows == 0
    assert any("no footage could be read of hall" in note for note in run.summary().notes)


# Networks


def remove_world(site: Path) -> None:
    """Footage, and the truth that stands for the detector's network."""
    for file in [*site.glob("*.mp4"), *(site / "gt").iterdir()]:
        file.unlink()


def test_a_finished_run_is_matched_anew_without_footage_and_networks(
    own_run: Path, own_site: Path, go: Go, tmp_path: Path
) -> None:
    run, embedder = own_run, tmp_path / "tiny.onnx"
    conv(embedder, InputSpec((32, 16)))
    stated = {"kind": "embedder", "family": "reid", "input": {"size": [32, 16]}, "dim": 6, "threshold": 0.9}
    embedder.with_suffix(".yaml").write_text(json.dumps(stated))
    asked = {"embedding": {"embedder": str(embedder)}}
    go(run, settings=asked)
    before = marks(run)
    remove_world(own_site)
    embedder.unlink()
    go(run, settings={**asked, "matching": {"wrong_pairs": 0.5}})
    changed = {name for name, mark in marks(run).items() if before[name] != mark}
    assert changed == {f"match/{table}.parquet" for table in ("tracklets", "identities", "evidence", "vectors")}
    assert run_status(RunFolder(run)).match.status == "done"


def test_networks_are_missed_as_soon_as_there_is_work_for_them(own_run: Path, own_site: Path, go: Go) -> None:
    shutil.rmtree(own_site / "gt")
    RunFolder(own_run).embed("hall", "00001").unlink()
    with pytest.raises(InputError, match="the oracle knows only the demo world"):
        go(own_run)


def test_another_network_that_is_missing_is_missed_at_once(copy: Path, go: Go) -> None:
    before = (copy / "run.json").read_bytes()
    with pytest.raises(MissingError):
        go(copy, settings={"embedding": {"embedder": "osnet-x0-25-msmt17"}}, offline=True)
    assert (copy / "run.json").read_bytes() == before


def test_a_run_keeps_its_networks_when_better_ones_come(copy: Path, go: Go, own_home: Path) -> None:
    entries = {}
    for seed, name in enumerate(("better", "first")):
        (own_home / "models" / name).mkdir(parents=True)
        conv(own_home / "models" / name / "net.onnx", InputSpec((32, 16)), seed=seed)
        files = {"net.onnx": file_sha256(own_home / "models" / name / "net.onnx")}
        entries[name] = {
            "kind": "embedder",
            "family": "reid",
            "input": {"size": [32, 16]},
            "folder": name,
            "files": files,
            "dim": 6,
            "threshold": 0.9,
        }
    registry = {"order": {"embedder": ["better", "first"]}, "models": entries}
    (own_home / "models.yaml").write_text(json.dumps(registry))
    (own_home / "models" / "better").rename(own_home / "elsewhere")
    asked = {"embedding": {"embedder": "auto"}}
    go(copy, settings=asked)
    before = marks(copy)
    (own_home / "elsewhere").rename(own_home / "models" / "better")
    go(copy, settings=asked)
    assert marks(copy) == before
    assert RunFolder(copy).read().networks["embedder"]["name"] == "first"


# Versions


def age(path: Path, kind: Any) -> None:
    """The same part as an older program would have left it."""
    header = read_header(path)
    assert header is not None
    made_by = {**header.made_by, "numpy": "1.0"}
    write_part(path, read_part(path, kind), kind, Header(header.inputs, made_by, header.facts))


def test_what_an_older_program_made_is_kept_and_named_until_it_is_to_be_redone(
    finished: Path, copy: Path, go: Go
) -> None:
    folder = RunFolder(copy)
    for part in (copy / "track").rglob("*.parquet"):
        age(part, schema.TRACKS)
    age(folder.match("tracklets"), schema.TRACKLETS)
    before, reporter = marks(copy), Silent()
    go(copy, reporter=reporter)
    assert marks(copy) == before
    assert any("made by another numpy" in note and "--redo-outdated" in note for note in reporter.notes)
    go(copy, redo_outdated=True)
    assert contents(copy) == contents(finished)


# Progress


class Steps(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.totals: dict[str, dict[str, int]] = {}
        self.counts: dict[str, int] = {}

    def start(self, stage: str, totals: Any) -> None:
        self.totals[stage] = dict(totals)
        self.counts = {}

    def advance(self, camera: str, count: int) -> None:
        self.counts[camera] = self.counts.get(camera, 0) + count
        if "track" in self.totals and "match" not in self.totals:
            assert self.counts[camera] <= self.totals["track"][camera]


@pytest.mark.parametrize("stages", [("track", "crops", "embed"), ("embed",)])
def test_progress_ends_at_its_total(copy: Path, go: Go, stages: tuple[str, ...]) -> None:
    """Where nothing but vectors is due, too."""
    for stage in stages:
        shutil.rmtree(copy / stage)
    steps = Steps()
    report = go(copy, reporter=steps, until="embed")
    assert set(steps.counts) == {"north", "hall", "yard"}
    assert steps.counts == steps.totals["track"]
    assert report.frames == sum(steps.totals["track"].values())


def test_status_tells_of_a_run_that_goes_on_in_another_process(
    site: Path, settings_file: Path, tmp_path: Path, vidreid: Callable[..., Any]
) -> None:
    run, says = tmp_path / "run", tmp_path / "says"
    process = start("run", site / "cameras.yaml", "--output", run, "--settings", settings_file, says=says)
    assert wait_for(lambda: list(run.glob("embed/*/*.parquet")) and (run / "progress.json").exists(), process)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    try:
        said = vidreid("status", run, "--json")
        refused = vidreid("resume", run)
    finally:
        os.kill(process.pid, signal.SIGCONT)
    assert said.status == 0, said.err
    found = json.loads(said.out)
    assert 0 < found["progress"]["frames"] <= found["progress"]["frames_total"]
    assert found["progress"]["seconds_left"] >= 0
    done = sum(camera["stages"]["embed"]["done"] for camera in found["cameras"])
    due = sum(camera["stages"]["embed"]["due"] for camera in found["cameras"])
    assert done >= 1
    assert due >= 1
    assert found["match"]["status"] == "due"
    assert (refused.status, refused.out) == (3, "")
    assert refused.err.startswith(f"error: {run}: another vidreid works on this run\nhint: ")
    process.join()
    assert process.exitcode == 0, says.read_text()
    after = json.loads(vidreid("status", run, "--json").out)
    assert after["progress"] == {}
    assert after["failed"] == {}
    assert after["match"]["status"] == "done"
