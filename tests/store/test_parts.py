"""Parts are whole or not there, the same bytes for the same content, and say so where they are damaged."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tables import HEADER, SCHEMAS, tracks

from vidreid.errors import InputError, StorageError
from vidreid.store import schema
from vidreid.store.parts import TEMPORARY, Header, read_header, read_part, sweep, write_atomic, write_json, write_part


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """A small part."""
    write_part(tmp_path / "00000.parquet", tracks(50), schema.TRACKS, HEADER)
    return tmp_path / "00000.parquet"


def test_what_is_written_is_read(part: Path) -> None:
    assert read_part(part, schema.TRACKS).equals(tracks(50))
    assert read_header(part) == HEADER
    assert read_part(part, schema.TRACKS, ["frame", "x1"]).equals(tracks(50).select(["frame", "x1"]))


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_part_may_be_empty(name: str, tmp_path: Path) -> None:
    write_part(tmp_path / "part", SCHEMAS[name].empty_table(), SCHEMAS[name], HEADER)
    found = read_part(tmp_path / "part", SCHEMAS[name])
    assert (found.num_rows, found.column_names) == (0, SCHEMAS[name].names)


def test_the_same_table_and_header_give_the_same_bytes(part: Path, tmp_path: Path) -> None:
    write_part(tmp_path / "again", tracks(50), schema.TRACKS, HEADER)
    in_pieces = pa.concat_tables([tracks(50).slice(0, 7), tracks(50).slice(7)])
    write_part(tmp_path / "pieces", in_pieces.combine_chunks(), schema.TRACKS, HEADER)
    other_order = Header(dict(reversed(HEADER.inputs.items())), HEADER.made_by, HEADER.facts)
    write_part(tmp_path / "order", tracks(50), schema.TRACKS, other_order)
    for name in ("again", "pieces", "order"):
        assert (tmp_path / name).read_bytes() == part.read_bytes()


def test_a_part_is_plain_parquet_that_explains_its_columns(part: Path) -> None:
    found = pq.read_schema(part)
    assert found.names == schema.TRACKS.names
    assert found.field("x2").metadata == {b"meaning": b"right edge, exclusive, pixels"}


def test_a_table_of_other_columns_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="field names"):
        write_part(tmp_path / "part", tracks(3).drop(["x1"]), schema.TRACKS, HEADER)
    assert list(tmp_path.iterdir()) == []


def test_no_part_has_no_header_and_no_table(tmp_path: Path) -> None:
    assert read_header(tmp_path / "none.parquet") is None
    with pytest.raises(InputError, match=r"none\.parquet: no such part"):
        read_part(tmp_path / "none.parquet", schema.TRACKS)


def read_or_error(read: Callable[[], Any]) -> Any:
    """What is read, or the error that a user would see."""
    try:
        return read()
    except InputError as error:
        return error


def test_a_flipped_byte_is_one_clear_error_and_never_another_table(part: Path) -> None:
    whole, table = part.read_bytes(), read_part(part, schema.TRACKS)
    refused = 0
    for place in range(0, len(whole), 7):
        part.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        found = read_or_error(lambda: read_part(part, schema.TRACKS))
        if isinstance(found, InputError):
            refused += 1
            assert (found.message, str(part) in found.hint) == ("00000.parquet: this part is damaged", True)
        else:
            assert found.equals(table), place
    assert refused > len(whole) / 7 / 2  # the rest are statistics and this project's own header


def test_a_flipped_byte_of_the_header_is_a_clear_error_or_another_header(part: Path) -> None:
    """Other inputs make the part stale, so it is made anew."""
    whole = part.read_bytes()
    for place in range(len(whole) - 3000, len(whole), 7):
        part.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        found = read_or_error(lambda: read_header(part))
        assert isinstance(found, Header) or found.message == "00000.parquet: this part is damaged"


def test_a_part_cut_short_is_damaged(part: Path) -> None:
    whole = part.read_bytes()
    for length in range(0, len(whole), 97):
        part.write_bytes(whole[:length])
        with pytest.raises(InputError, match="damaged"):
            read_header(part)
        with pytest.raises(InputError, match="damaged"):
            read_part(part, schema.TRACKS)


def test_a_part_of_other_columns_is_damaged(part: Path) -> None:
    with pytest.raises(InputError, match="damaged"):
        read_part(part, schema.CROPS)


def test_a_parquet_file_of_a_stranger_has_no_header_of_ours(tmp_path: Path) -> None:
    pq.write_table(tracks(3), tmp_path / "theirs.parquet")
    with pytest.raises(InputError, match="damaged"):
        read_header(tmp_path / "theirs.parquet")


def test_a_disk_that_is_full_leaves_what_was_there(part: Path, full_disk) -> None:
    """A limit on the size of files stands for the disk: the write fails half way, in the kernel."""
    before = part.read_bytes()
    with (
        full_disk(20_000),
        pytest.raises(StorageError, match=r"00000\.parquet: cannot be written: file too large") as error,
    ):
        write_part(part, tracks(20_000), schema.TRACKS, HEADER)
    assert str(part.parent) in error.value.hint
    assert [file.name for file in part.parent.iterdir()] == [part.name]
    assert part.read_bytes() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_disk_without_room_says_so(tmp_path: Path) -> None:
    def write(_file: object) -> None:
        with Path("/dev/full").open("wb", buffering=0) as full:
            full.write(b"more than fits")

    with pytest.raises(StorageError, match="record: cannot be written: no space left on device"):
        write_atomic(tmp_path / "record", write)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"run\.json: cannot be written") as error:
        write_json(tmp_path / "file" / "run.json", {})
    assert error.value.exit_status == 3


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    def write(file: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "record", write)
    assert list(tmp_path.iterdir()) == []


def test_an_error_that_is_not_of_the_disk_passes_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write_atomic(tmp_path / "record", lambda _file: 1 // 0)


def test_json_is_written_in_one_way(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"b": [1, 2], "a": "é"})
    write_json(tmp_path / "b", {"a": "é", "b": [1, 2]})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert json.loads((tmp_path / "a").read_text(encoding="utf-8")) == {"a": "é", "b": [1, 2]}


def test_sweeping_takes_temporary_files_only(part: Path) -> None:
    (part.parent / f"{TEMPORARY}00001.parquet.1a2b").write_bytes(b"half")
    deep = part.parent / "deep"
    deep.mkdir()
    (deep / f"{TEMPORARY}00002.parquet.3c4d").write_bytes(b"half")
    assert sweep(part.parent) == 2
    assert sorted(path.name for path in part.parent.rglob("*")) == ["00000.parquet", "deep"]


def test_a_killed_writer_leaves_whole_parts_and_temporary_files_only(tmp_path: Path) -> None:
    rng = random.Random(5)
    folders = [tmp_path / str(number) for number in range(8)]
    command = [sys.executable, str(Path(__file__).with_name("writer.py"))]
    writers = [
        subprocess.Popen([*command, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for folder in folders
    ]
    possible = [tracks(20_000, seed) for seed in range(2)]
    left = 0
    for writer, folder in zip(writers, folders, strict=True):
        with writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            assert writer.stdin is not None
            writer.stdin.write(b"\n")
            writer.stdin.flush()
            time.sleep(rng.uniform(0.01, 0.15))
            writer.kill()
        left += sum(file.name.startswith(TEMPORARY) for file in folder.glob("*"))
        sweep(folder)
        for file in folder.glob("*"):
            assert file.name in {"0.parquet", "1.parquet", "2.parquet"}
            assert read_header(file) == HEADER
            assert any(read_part(file, schema.TRACKS).equals(table) for table in possible)
    assert left > 0, "no writer was killed while it wrote: the test shows nothing"
