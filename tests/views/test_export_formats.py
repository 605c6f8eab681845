"""What every export format promises, and each table format read back by its natural reader."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hand_made import NASTY, FakeRun

from vidreid import plugins
from vidreid.errors import InputError, UsageError
from vidreid.views.selection import Selection

FORMATS = plugins.names("views.export")
TABLES = ["csv", "jsonl", "parquet"]


def write(run: FakeRun, folder: Path, kind: str, selection: Selection | None = None) -> list[Path]:
    return plugins.load("views.export", kind).write(run, folder, selection or Selection())


def rows_of(run: FakeRun) -> Iterator[dict[str, object]]:
    for camera in run.cameras:
        for row in run.boxes(camera).to_pylist():
            local = row["time"] and row["time"].astimezone(run.zone).isoformat(timespec="microseconds")
            yield {"camera": camera, **row, "local_time": local}


def test_all_formats_are_listed() -> None:
    assert FORMATS == ["clips", "coco", "csv", "jsonl", "mot", "parquet", "timeline", "video"]


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_run_gives_the_same_bytes(run: FakeRun, tmp_path: Path, kind: str) -> None:
    first, second = (write(run, tmp_path / name, kind) for name in ("a", "b"))
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_run_without_people_is_written_too(empty: FakeRun, tmp_path: Path, kind: str) -> None:
    assert all(path.is_file() for path in write(empty, tmp_path, kind))


@pytest.mark.parametrize("kind", FORMATS)
def test_files_stay_in_their_folder_whatever_a_camera_is_called(nasty: FakeRun, tmp_path: Path, kind: str) -> None:
    for path in write(nasty, tmp_path / "out", kind):
        assert path.parent == tmp_path / "out"
        assert path in list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("kind", FORMATS)
def test_an_unknown_camera_writes_nothing(run: FakeRun, tmp_path: Path, kind: str) -> None:
    with pytest.raises(UsageError):
        write(run, tmp_path, kind, Selection(cameras=("roof",)))
    assert not list(tmp_path.glob("*.*"))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_full_disk_leaves_no_half_file(run: FakeRun, tmp_path: Path, kind: str, full_disk) -> None:
    with full_disk(500), pytest.raises(InputError, match="cannot be written") as error:
        write(run, tmp_path, kind)
    assert "make room" in error.value.hint
    assert not list(tmp_path.iterdir())


def test_csv_holds_every_box(run: FakeRun, tmp_path: Path) -> None:
    (path,) = write(run, tmp_path, "csv")
    with path.open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    wanted = list(rows_of(run))
    assert len(found) == len(wanted)
    for got, row in zip(found, wanted, strict=True):
        assert got.keys() == row.keys()
        assert (got["camera"], got["file"], got["tracklet"]) == (row["camera"], row["file"], row["tracklet"])
        assert (int(got["frame"]), int(got["pts"])) == (row["frame"], row["pts"])
        assert datetime.fromisoformat(got["time"]) == row["time"]
        assert got["identity"] == (row["identity"] or "")
        assert got["score"] == "" if row["score"] is None else float(got["score"]) == pytest.approx(row["score"])
        assert got["interpolated"] == str(row["interpolated"]).lower()
        assert [float(got[side]) for side in ("x1", "y1", "x2", "y2")] == pytest.approx(
            [row[side] for side in ("x1", "y1", "x2", "y2")]
        )


def test_jsonl_holds_every_box(run: FakeRun, tmp_path: Path) -> None:
    (path,) = write(run, tmp_path, "jsonl")
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for got, row in zip(found, rows_of(run), strict=True):
        assert datetime.fromisoformat(got.pop("time")) == row.pop("time")
        assert got == pytest.approx(row)


def test_jsonl_writes_numbers_as_short_as_they_are(run: FakeRun, tmp_path: Path) -> None:
    (path,) = write(run, tmp_path, "jsonl")
    assert json.loads(path.read_text().splitlines()[0])["x2"] == 14.4


def test_parquet_holds_every_box(run: FakeRun, tmp_path: Path) -> None:
    (path,) = write(run, tmp_path, "parquet")
    assert pq.read_table(path).to_pylist() == list(rows_of(run))


def test_parquet_never_mixes_cameras_in_a_row_group(run: FakeRun, tmp_path: Path) -> None:
    (path,) = write(run, tmp_path, "parquet")
    file = pq.ParquetFile(path)
    groups = [set(file.read_row_group(k)["camera"].to_pylist()) for k in range(file.num_row_groups)]
    assert groups == [{"gate"}, {"hall"}]


@pytest.mark.parametrize("kind", TABLES)
def test_an_unknown_clock_leaves_times_empty_and_seconds_known(clockless: FakeRun, tmp_path: Path, kind: str) -> None:
    (path,) = write(clockless, tmp_path, kind, Selection(cameras=("hall",)))
    if kind == "csv":
        rows = list(csv.DictReader(io.StringIO(path.read_text())))
        assert {row["time"] for row in rows} == {""}
    else:
        lines = path.read_text().splitlines() if kind == "jsonl" else []
        rows = [json.loads(line) for line in lines] or pq.read_table(path).to_pylist()
        assert {row["time"] for row in rows} == {None}
    assert float(rows[0]["elapsed_s"]) == pytest.approx(0.13)


@pytest.mark.parametrize("kind", TABLES)
def test_a_nasty_camera_name_comes_back_as_it_was(nasty: FakeRun, tmp_path: Path, kind: str) -> None:
    (path,) = write(nasty, tmp_path, kind)
    if kind == "csv":
        found = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    elif kind == "jsonl":
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    else:
        found = pq.read_table(path).to_pylist()
    assert Counter(row["camera"] for row in found) == {NASTY: 10}
