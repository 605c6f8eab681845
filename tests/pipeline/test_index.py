"""The index of search: what is opened is whole and of the last match, or the error says what to type."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from vidreid.errors import InputError
from vidreid.identity.levels import find_levels, unit
from vidreid.identity.splitting import mean_look
from vidreid.pipeline.calibrated import calibration_of
from vidreid.pipeline.index import INDEX, Indexed, index_run, open_index, vectors_file
from vidreid.pipeline.looks import looks_of
from vidreid.pipeline.results import Run
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_header, read_part, write_part


@pytest.fixture
def indexed(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to break."""
    path = tmp_path / "run"
    shutil.copytree(finished, path)
    return path


def npy(path: Path) -> Path:
    return vectors_file(RunFolder(path))


def test_it_holds_a_vector_a_tracklet_without_what_its_camera_gives_to_all(finished: Path) -> None:
    run, index, frame = Run(finished), open_index(Run(finished)), calibration_of(Run(finished)).frame
    rows = {row["tracklet"]: row for row in run.tracklets().to_pylist()}
    looks = looks_of(run, rows.values())
    assert sorted(index.tracklets) == sorted(name for name, row in rows.items() if row["identity"])
    for name, vector in zip(index.tracklets, index.vectors, strict=True):
        mean = frame.means[frame.cameras.index(rows[name]["camera"])]
        look = mean_look(looks[name])
        assert look is not None
        assert vector == pytest.approx(unit((look - mean)[None])[0], abs=1e-3)


def test_it_holds_the_levels_that_match_scored_with(finished: Path) -> None:
    frame = calibration_of(Run(finished)).frame
    gallery = open_index(Run(finished)).gallery(frame.cameras)
    wanted = find_levels(gallery.vectors.astype(np.float32), gallery.cameras, frame.strangers, frame.scale)
    assert gallery.levels == pytest.approx(wanted.level, abs=1e-3)


def test_its_rows_say_what_each_vector_is_of(finished: Path) -> None:
    tracklets = {row["tracklet"]: row for row in Run(finished).tracklets().to_pylist()}
    for row in open_index(Run(finished)).about.drop_columns(["levels"]).to_pylist():
        assert row == {name: tracklets[row["tracklet"]][name] for name in row}
    assert open_index(Run(finished)).network == RunFolder(finished).read().networks["embedder"]["network"]


def test_cameras_are_numbered_as_asked(finished: Path) -> None:
    index, cameras = open_index(Run(finished)), ("yard", "gate", "hall", "north")
    names = [cameras[number] for number in index.gallery(cameras).cameras]
    assert names == [name.split("/")[0] for name in index.tracklets]


def test_a_run_without_sightings_has_an_empty_one(indexed: Path) -> None:
    header = read_header(RunFolder(indexed).match("tracklets"))
    assert header is not None
    index_run(RunFolder(indexed), [], {"network": "x"}, header.inputs)
    index = open_index(Run(indexed))
    assert len(index.tracklets) == len(index.vectors) == 0


@pytest.mark.parametrize("place", [0, 9, 200, -1])
def test_a_flipped_byte_is_found(indexed: Path, place: int) -> None:
    content = bytearray(npy(indexed).read_bytes())
    content[place] ^= 1
    npy(indexed).write_bytes(content)
    with pytest.raises(InputError, match=r"vectors\.npy: damaged"):
        open_index(Run(indexed))


@pytest.mark.parametrize("kept", [0, 50, 1000, -2])
def test_a_truncated_file_is_found(indexed: Path, kept: int) -> None:
    npy(indexed).write_bytes(npy(indexed).read_bytes()[:kept])
    with pytest.raises(InputError, match=r"vectors\.npy: damaged"):
        open_index(Run(indexed))


def test_a_damaged_table_is_found(indexed: Path) -> None:
    RunFolder(indexed).match("vectors").write_bytes(b"PAR1 not at all")
    with pytest.raises(InputError, match=r"vectors\.parquet: this part is damaged"):
        open_index(Run(indexed))


def test_an_object_array_is_never_unpickled(indexed: Path) -> None:
    np.save(npy(indexed), np.array([[object()]]), allow_pickle=True)
    with pytest.raises(InputError, match="damaged"):
        open_index(Run(indexed))


def test_vectors_of_another_match_are_refused(indexed: Path) -> None:
    """As after a stop between the two files."""
    vectors = np.load(npy(indexed))
    np.save(npy(indexed), vectors[::-1] + np.float16(0.001))
    with pytest.raises(InputError, match="damaged, or of another match"):
        open_index(Run(indexed))


@pytest.mark.parametrize("gone", ["vectors.npy", "vectors.parquet"])
def test_a_missing_one_says_what_makes_it(indexed: Path, gone: str) -> None:
    (indexed / "match" / gone).unlink()
    with pytest.raises(InputError, match="has no index") as error:
        open_index(Run(indexed))
    assert error.value.hint == f"vidreid match {indexed}"


def test_one_of_an_earlier_match_is_stale(indexed: Path) -> None:
    folder = RunFolder(indexed)
    header = read_header(folder.match("tracklets"))
    assert header is not None
    index_run(folder, [], {"network": "x"}, {**header.inputs, "join_seconds": 9})
    with pytest.raises(InputError, match="of another match") as error:
        open_index(Run(indexed))
    assert error.value.hint == f"vidreid match {indexed}"


def test_a_run_that_is_not_matched_says_so(indexed: Path) -> None:
    RunFolder(indexed).match("tracklets").unlink()
    with pytest.raises(InputError, match="not matched yet"):
        open_index(Run(indexed))


def test_more_rows_than_vectors_are_refused(indexed: Path) -> None:
    path = RunFolder(indexed).match("vectors")
    header, table = read_header(path), read_part(path, INDEX)
    assert header is not None
    write_part(path, pa.concat_tables([table, table.slice(0, 1)]), INDEX, header)
    with pytest.raises(InputError, match="damaged"):
        open_index(Run(indexed))


def test_vectors_that_are_no_numbers_are_never_written(indexed: Path) -> None:
    one = Indexed("a/000001", "a", 9.0, 0, 1, np.full(4, np.nan, np.float32), np.zeros(1, np.float32))
    with pytest.raises(ValueError, match="no numbers"):
        index_run(RunFolder(indexed), [one], {"network": "x"}, {})
