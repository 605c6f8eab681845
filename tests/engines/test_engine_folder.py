"""Where engines lie: names, prefixes, one builder at a time, and nothing half-made."""

import errno
import subprocess
import sys

import pytest
from handmade_engines import engine

from vidreid.engines.card import read_card
from vidreid.engines.folder import (
    LOCK,
    building,
    cache,
    compiled,
    engine_folders,
    find_engine,
    put,
    remove,
    reserve,
    storage,
    timings,
    unused,
)
from vidreid.errors import InputError, MissingError, StorageError

HOLDER = """
import sys
from pathlib import Path
from vidreid.engines.folder import building
with building(Path(sys.argv[1]), lambda: None) as scratch:
    (scratch / "half").write_text("half")
    print("inside", flush=True)
    sys.stdin.readline()
"""


def silent():
    raise AssertionError("nobody else builds here")


@pytest.fixture
def three(tmp_path):
    """A folder of three engines."""
    for name in ("tclnet-bf16-openvino-1a2b", "tclnet-int8-openvino-3c4d", "tclnet-int8-openvino-3c4d9999"):
        engine(tmp_path, name)
    return tmp_path


def test_the_users_engines_lie_in_the_cache(own_home):
    assert cache() == own_home / "engines"
    assert engine_folders(cache()) == []


def test_the_start_of_a_name_suffices_where_no_other_has_it(three):
    assert find_engine("tclnet-b", three).name == "tclnet-bf16-openvino-1a2b"


def test_a_whole_name_is_found_though_another_begins_with_it(three):
    assert find_engine("tclnet-int8-openvino-3c4d", three).name == "tclnet-int8-openvino-3c4d"


def test_a_start_that_several_have_is_refused_with_all_of_them(three):
    with pytest.raises(InputError, match="'tclnet-int8' may be 2 engines") as error:
        find_engine("tclnet-int8", three)
    assert "tclnet-int8-openvino-3c4d, tclnet-int8-openvino-3c4d9999" in error.value.hint


def test_kernels_and_timings_are_of_use_as_long_as_an_engine_of_theirs_is_kept(own_home, tmp_path):
    card = read_card(engine(tmp_path, plan=b"plan", runtime="tensorrt", runtime_version="10.13.3.9"))
    kernels = [compiled(digest, "10.13.3.9") for digest in (card.files["engine.plan"], 64 * "0")]
    measured = [timings("tensorrt", version, "sm86") for version in ("10.13.3.9", "10.9.0.34")]
    for file in (*kernels, *measured):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    assert unused([card]) == [kernels[1], measured[1]]
    assert unused([]) == sorted([*kernels, *measured])


def test_where_nothing_was_ever_compiled_nothing_is_unused(own_home):
    assert unused([]) == []


def test_a_name_that_none_has_says_how_to_list_and_build(three):
    with pytest.raises(MissingError, match="no engine 'afa'") as error:
        find_engine("afa", three)
    assert "vidreid engine list" in error.value.hint


def test_a_path_is_taken_as_it_is(three, tmp_path_factory):
    found = three / "tclnet-bf16-openvino-1a2b"
    assert find_engine(str(found), tmp_path_factory.mktemp("empty")) == found


def test_what_is_not_moved_out_is_gone_however_it_ends(tmp_path):
    with building(tmp_path, silent) as scratch:
        (scratch / "file").write_text("x")
    with pytest.raises(ZeroDivisionError), building(tmp_path, silent) as scratch:
        (scratch / f"file{1 // 0}").write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_an_engine_gets_its_name_in_place_of_an_older_one(tmp_path):
    for text in ("old", "new"):
        with building(tmp_path, silent) as scratch:
            (scratch / "engine").mkdir()
            (scratch / "engine/file").write_text(text)
            put(scratch / "engine", tmp_path / "name")
    assert (tmp_path / "name/file").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == [LOCK, "name"]


def test_a_second_builder_waits_for_the_first(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout.readline() == "inside\n"
        waited = []

        def waiting():
            waited.append(list(tmp_path.glob("*/half")))
            first.stdin.write("\n")
            first.stdin.flush()

        with building(tmp_path, waiting):
            assert len(waited[0]) == 1
            assert not list(tmp_path.glob("*/half"))


def test_what_a_killed_builder_left_is_swept_by_the_next(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout.readline() == "inside\n"
        first.kill()
    assert list(tmp_path.glob("*/half"))
    remove([], tmp_path, silent)
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_a_full_disk_is_told_before_a_builder_starts(tmp_path, full_disk):
    with full_disk(50_000), pytest.raises(StorageError, match="cannot be written") as error, storage(tmp_path):
        reserve(tmp_path, 100_000)
    assert "make room" in error.value.hint
    assert list(tmp_path.iterdir()) == []
    reserve(tmp_path, 100_000)
    assert list(tmp_path.iterdir()) == []


def test_only_what_concerns_the_disk_is_called_so(tmp_path):
    with pytest.raises(PermissionError), storage(tmp_path / "engines"):
        raise PermissionError(errno.EACCES, "denied", str(tmp_path / "weights.pt"))
    with pytest.raises(FileNotFoundError), storage(tmp_path):
        (tmp_path / "nothing").read_text()
    with pytest.raises(StorageError, match="permission"), storage(tmp_path / "engines/deep"):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "engines"))
