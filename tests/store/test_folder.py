"""The run folder: its record, its one writer, and what it refuses to be."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from vidreid.errors import InputError, StorageError
from vidreid.store.folder import CameraRecord, FileRecord, RunFolder, RunRecord
from vidreid.store.parts import TEMPORARY
from vidreid.store.schema import FORMAT

CAMERAS = (
    CameraRecord("gate", (FileRecord("footage/gate 1.mp4", 12, 34, "ab" * 32), FileRecord("gate2.mp4")), (7, None)),
    CameraRecord("höf", (FileRecord("c.mp4"),), (None,), offset_us=-3, drift_ppm=1.5),
)
RECORD = RunRecord(
    CAMERAS,
    {"detection": {"score": 0.2}},
    {"detector": {"name": "oracle-1"}, "threshold": None},
    travel=(("gate", "höf", 12.5),),
    overlaps=(("gate", "höf"),),
)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run folder with a record."""
    made = RunFolder(tmp_path / "run")
    made.write(RECORD)
    return made


@contextmanager
def other_process(folder: RunFolder) -> Iterator[subprocess.Popen[str]]:
    """A process that works on the run meanwhile."""
    command = [sys.executable, str(Path(__file__).with_name("holder.py")), str(folder.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()


def test_a_record_is_read_as_it_was_written(folder: RunFolder) -> None:
    assert folder.read() == RECORD


def test_a_record_of_an_older_program_is_read_without_what_nobody_knows_any_more(folder: RunFolder) -> None:
    stored = json.loads(folder.record.read_text(encoding="utf-8"))
    settings = {"matching": {"threshold": 0.6, "split": False}, **stored["settings"]}
    older = {key: value for key, value in stored.items() if key not in ("travel", "overlaps")}
    folder.record.write_text(json.dumps({**older, "settings": settings}), encoding="utf-8")
    expected = replace(RECORD, settings={"matching": {"split": False}, **RECORD.settings}, travel=(), overlaps=())
    assert folder.read() == expected


def test_a_camera_of_a_record_is_found_and_replaced() -> None:
    moved = CameraRecord("gate", (FileRecord("else.mp4"),), (None,))
    assert RECORD.with_camera(moved).camera("gate") == moved
    assert RECORD.with_camera(moved).camera("höf") == CAMERAS[1]


def test_a_newer_format_is_refused_with_the_remedy(folder: RunFolder) -> None:
    stored = json.loads(folder.record.read_text(encoding="utf-8"))
    folder.record.write_text(json.dumps({**stored, "format": FORMAT + 1}), encoding="utf-8")
    with pytest.raises(InputError, match=f"a run of format {FORMAT + 1}, this program reads up to {FORMAT}") as error:
        folder.read()
    assert "upgrade" in error.value.hint


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '{"format": 1}', '{"format": "x"}', "\x00"])
def test_a_damaged_record_is_one_clear_error(folder: RunFolder, text: str) -> None:
    folder.record.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"run\.json: damaged"):
        folder.read()


def test_a_folder_without_a_record_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "none", tmp_path / "file"):
        assert not RunFolder(path).exists()
        with pytest.raises(InputError, match="not a run folder"):
            RunFolder(path).read()


def test_a_foreign_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(InputError, match="not empty and not a run folder"), RunFolder(tmp_path).locked():
        pass
    assert [file.name for file in tmp_path.iterdir()] == ["holiday.jpg"]


def test_an_empty_folder_and_a_new_one_become_runs(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "a" / "b"):
        with RunFolder(path).locked():
            RunFolder(path).write(RECORD)
        assert RunFolder(path).exists()
        RunFolder(path).record.unlink()


def test_a_run_that_was_killed_before_its_first_record_can_begin_again(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / f"{TEMPORARY}run.json.1a2b3c4d").write_text("{")
    with RunFolder(tmp_path).locked():
        assert [file.name for file in tmp_path.iterdir()] == ["lock"]


def test_where_no_folder_can_be_made_the_disk_is_to_blame(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"), RunFolder(tmp_path / "file" / "run").locked():
        pass


def test_a_second_process_is_refused_while_the_first_works(folder: RunFolder) -> None:
    with other_process(folder):
        assert folder.busy()
        with pytest.raises(InputError, match="another vidreid works on this run") as error, folder.locked():
            pass
        assert "vidreid status" in error.value.hint
        assert folder.read() == RECORD
    assert not folder.busy()
    with folder.locked():
        assert folder.busy()


def test_a_lock_dies_with_its_process(folder: RunFolder) -> None:
    with other_process(folder) as process:
        process.kill()
        process.wait()
        assert not folder.busy()
        with folder.locked():
            pass


def test_the_lock_is_given_back_after_an_error(folder: RunFolder) -> None:
    with pytest.raises(ZeroDivisionError), folder.locked():
        raise ZeroDivisionError
    assert not folder.busy()


def test_a_writer_sweeps_what_killed_ones_left(folder: RunFolder) -> None:
    stray = folder.track("gate", "00000").with_name(f"{TEMPORARY}00000.parquet.1a2b3c4d")
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"half")
    with folder.locked():
        assert not stray.exists()


def test_who_matches_and_who_works_keep_out_of_each_others_way(folder: RunFolder) -> None:
    half = {name: folder.path / f"{TEMPORARY}{name}.1a2b3c4d" for name in ("run.json", "journal.sqlite", "people.html")}
    for file in half.values():
        file.write_bytes(b"half")
    with folder.locked():
        assert [name for name, file in half.items() if file.exists()] == ["journal.sqlite", "people.html"]
        half["run.json"].write_bytes(b"half")
        with folder.matching(print):
            assert folder.is_matched_now()
            assert [name for name, file in half.items() if file.exists()] == ["run.json"]
    assert not folder.is_matched_now()


def test_a_second_one_who_matches_waits_for_the_first_and_says_so(folder: RunFolder) -> None:
    said: list[str] = []
    order: list[str] = []

    def second() -> None:
        with folder.matching(said.append):
            order.append("second")

    with folder.matching(print):
        other = threading.Thread(target=second)
        other.start()
        while not said:
            time.sleep(0.001)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
    assert said == [f"{folder.path}: another vidreid matches this run; waiting for it"]


def write_tables(made: RunFolder, text: str) -> None:
    for table in ("tracklets", "identities"):
        made.match(table).parent.mkdir(parents=True, exist_ok=True)
        made.match(table).write_text(text)


def test_the_tables_of_a_match_take_their_places_together(folder: RunFolder) -> None:
    for text in ("one", "two"):
        with folder.new_match() as made:
            write_tables(made, text)
            assert folder.match("tracklets").exists() == (text == "two")
        assert {folder.match(table).read_text() for table in ("tracklets", "identities")} == {text}
    with pytest.raises(ZeroDivisionError), folder.new_match() as made:
        write_tables(made, f"{1 / 0}")
    assert folder.match("tracklets").read_text() == "two"
    assert not list(folder.path.glob(f"{TEMPORARY}*"))


def test_what_a_killed_match_left_is_not_taken_for_another(folder: RunFolder) -> None:
    left = RunFolder(folder.path / f"{TEMPORARY}match")
    write_tables(left, "left")
    left.match("evidence").write_text("left")
    with folder.new_match() as made:
        write_tables(made, "new")
    assert not folder.match("evidence").exists()
    assert folder.match("tracklets").read_text() == "new"


def test_those_who_ask_whether_it_is_busy_keep_no_writer_out(folder: RunFolder) -> None:
    """`vidreid status` in a loop must not make `vidreid resume` fail."""
    with folder.locked():
        pass
    command = [sys.executable, str(Path(__file__).with_name("asker.py")), str(folder.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as asker:
        assert asker.stdout is not None
        asker.stdout.readline()
        for _ in range(5000):
            with folder.locked():
                pass
        asker.kill()


def test_paths_stay_inside_the_run(folder: RunFolder) -> None:
    paths = [folder.ingest("gate"), folder.match("tracklets"), folder.record, folder.people, folder.progress]
    paths += [part("gate", "00012") for part in (folder.track, folder.crops, folder.embed)]
    assert all(path.resolve().is_relative_to(folder.path.resolve()) for path in paths)
    assert len(set(paths)) == len(paths)
