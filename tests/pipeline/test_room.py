"""Room on the disk: how much a run will need is known at its start, and too little is an error."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from planned import planned

from vidreid.errors import StorageError
from vidreid.pipeline.room import check_room, free_bytes, needed_bytes, segment_seconds, usual_rate
from vidreid.store.folder import RunFolder

TINY = "size=200k"


@pytest.fixture(scope="session")
def plans(finished):
    return planned(finished)


def every(plans):
    return [segment for plan in plans.values() for segment in plan.segments]


def parts(folder):
    return [path for stage in ("track", "crops", "embed") for path in (folder / stage).rglob("*.parquet")]


def test_a_new_run_needs_as_much_a_second_as_the_labelled_footage_did(plans, tmp_path):
    seconds = sum(segment_seconds(plans[segment.camera], segment) for segment in every(plans))
    assert needed_bytes(RunFolder(tmp_path), plans, every(plans)) == round(seconds * usual_rate())


def test_what_is_made_again_takes_the_place_of_what_is_there(plans, finished):
    assert needed_bytes(RunFolder(finished), plans, every(plans)) == pytest.approx(0, abs=2)


def test_what_is_missing_will_be_as_large_as_what_is_there(plans, finished, tmp_path):
    copy = shutil.copytree(finished, tmp_path / "run")
    whole = sum(path.stat().st_size for path in parts(copy))
    missing = [segment for segment in every(plans) if segment.number == 0]
    for segment in missing:
        for part in (RunFolder(copy).track, RunFolder(copy).crops, RunFolder(copy).embed):
            part(segment.camera, segment.name).unlink()
    left = sum(path.stat().st_size for path in parts(copy))
    of_all = sum(segment_seconds(plans[one.camera], one) for one in every(plans))
    of_missing = sum(segment_seconds(plans[one.camera], one) for one in missing)
    told = needed_bytes(RunFolder(copy), plans, missing)
    assert told == pytest.approx(left * of_missing / (of_all - of_missing), abs=1)
    assert 0.2 < told / (whole - left) < 5


def test_nothing_is_said_where_there_is_room(tmp_path):
    check_room(tmp_path, free_bytes(tmp_path) // 2)


def test_the_message_says_how_much_is_needed_and_how_much_is_free(tmp_path):
    folder = tmp_path / "not" / "there" / "yet"
    with pytest.raises(StorageError, match=r"about \d+\.\d [TPEG]B are needed, .*B are free") as caught:
        check_room(folder, free_bytes(folder) + 10**13)
    assert "--output" in caught.value.hint


@pytest.fixture
def on_a_tiny_disk(tmp_path):
    """``on_a_tiny_disk("ingest", ...)``: the program, with a file system of `TINY` at the folder ``disk``.

    In a name space of its own, where even an ordinary user may mount one, if the system lets him.
    """
    (tmp_path / "disk").mkdir()
    mount = f'mount -t tmpfs -o {TINY} none "{tmp_path / "disk"}" && exec "$@"'
    alone = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a small file system of his own")
    program = Path(sys.executable).with_name("vidreid")

    def call(*words):
        return subprocess.run([*alone, program, *words], capture_output=True, text=True, timeout=300, check=False)

    return call


def test_too_little_room_ends_a_run_before_the_first_frame(site, settings_file, on_a_tiny_disk, tmp_path):
    words = ("--output", tmp_path / "disk" / "run", "--settings", settings_file)
    answer = on_a_tiny_disk("run", site / "cameras.yaml", *words)
    assert answer.returncode == 3, answer.stderr
    message, hint = answer.stderr.splitlines()[-2:]
    assert "too little free disk: about" in message
    assert "are needed" in message
    assert "kB are free" in message
    assert hint.startswith("hint: make room")
    assert "track:" not in answer.stderr
