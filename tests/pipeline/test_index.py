"""The index of search: what is opened is whole and of the last match, or the error says what to type."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from indexing import write_index_of

from vidreid.errors import InputError
from vidreid.identity.splitting import Look
from vidreid.pipeline.index import INDEX, Indexed, index_run, open_index, vectors_file, write_index
from vidreid.pipeline.looks import looks_of
from vidreid.pipeline.results import Run
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_header, read_part, write_part


@pytest.fixture
def indexed(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run with an index."""
    path = tmp_path / "run"
    shutil.copytree(finished, path)
    write_index_of(path)
    return path


def npy(path: Path) -> Path:
    return vectors_file(RunFolder(path))


def test_it_holds_the_looks_of_every_tracklet_in_order(indexed: Path) -> None:
    run, index = Run(indexed), open_index(indexed)
    rows = run.tracklets().to_pylist()
    looks = looks_of(run, rows)
    assert list(index.tracklets) == [row["tracklet"] for row in rows if looks[row["tracklet"]]]
    for number, name in enumerate(index.tracklets):
        stored = index.gallery.vectors[slice(*index.gallery.first[number : number + 2])]
        assert np.array_equal(stored, np.stack([look.vector for look in looks[name]]).astype(np.float16))


def test_its_rows_say_what_each_vector_is_of(indexed: Path) -> None:
    table = read_part(RunFolder(indexed).match("vectors"), INDEX)
    cameras = dict(zip(table["tracklet"].to_pylist(), table["camera"].to_pylist(), strict=True))
    assert all(name.startswith(f"{camera}/") for name, camera in cameras.items())
    assert (table["first"].to_numpy() <= table["last"].to_numpy()).all()
    assert (table["height"].to_numpy() > 0).all()
    assert open_index(indexed).network == RunFolder(indexed).read().networks["embedder"]["network"]


def test_the_same_run_gives_the_same_bytes(indexed: Path) -> None:
    parts = npy(indexed), RunFolder(indexed).match("vectors")
    before = [part.read_bytes() for part in parts]
    write_index_of(indexed)
    assert [part.read_bytes() for part in parts] == before


def test_a_run_without_sightings_has_an_empty_one(indexed: Path) -> None:
    header = read_header(RunFolder(indexed).match("tracklets"))
    assert header is not None
    index_run(RunFolder(indexed), [Indexed("a/000001", "a", 9.0, [])], {"network": "x"}, header.inputs)
    index = open_index(indexed)
    assert (list(index.tracklets), len(index.gallery)) == ([], 0)


@pytest.mark.parametrize("place", [0, 9, 200, -1])
def test_a_flipped_byte_is_found(indexed: Path, place: int) -> None:
    content = bytearray(npy(indexed).read_bytes())
    content[place] ^= 1
    npy(indexed).write_bytes(content)
    with pytest.raises(InputError, match=r"vectors\.npy: damaged"):
        open_index(indexed)


@pytest.mark.parametrize("kept", [0, 50, 1000, -2])
def test_a_truncated_file_is_found(indexed: Path, kept: int) -> None:
    npy(indexed).write_bytes(npy(indexed).read_bytes()[:kept])
    with pytest.raises(InputError, match=r"vectors\.npy: damaged"):
        open_index(indexed)


def test_a_damaged_table_is_found(indexed: Path) -> None:
    RunFolder(indexed).match("vectors").write_bytes(b"PAR1 not at all")
    with pytest.raises(InputError, match=r"vectors\.parquet: this part is damaged"):
        open_index(indexed)


def test_an_object_array_is_never_unpickled(indexed: Path) -> None:
    np.save(npy(indexed), np.array([[object()]]), allow_pickle=True)
    with pytest.raises(InputError, match="damaged"):
        open_index(indexed)


def test_vectors_of_another_match_are_refused(indexed: Path) -> None:
    """As after a stop between the two files."""
    vectors = np.load(npy(indexed))
    np.save(npy(indexed), vectors[::-1] + np.float16(0.001))
    with pytest.raises(InputError, match="damaged, or of another match"):
        open_index(indexed)


@pytest.mark.parametrize("gone", ["vectors.npy", "vectors.parquet"])
def test_a_missing_one_says_what_makes_it(indexed: Path, gone: str) -> None:
    (indexed / "match" / gone).unlink()
    with pytest.raises(InputError, match="has no index") as error:
        open_index(indexed)
    assert error.value.hint == f"vidreid match {indexed}"


def test_one_of_an_earlier_match_is_stale(indexed: Path) -> None:
    folder = RunFolder(indexed)
    header = read_header(folder.match("tracklets"))
    assert header is not None
    index_run(folder, [], {"network": "x"}, {**header.inputs, "join_seconds": 9})
    with pytest.raises(InputError, match="of an earlier match") as error:
        open_index(indexed)
    assert error.value.hint == f"vidreid match {indexed}"


def test_a_run_that_is_not_matched_says_so(indexed: Path) -> None:
    RunFolder(indexed).match("tracklets").unlink()
    with pytest.raises(InputError, match="not matched yet"):
        open_index(indexed)


def test_more_rows_than_vectors_are_refused(indexed: Path) -> None:
    path = RunFolder(indexed).match("vectors")
    header, table = read_header(path), read_part(path, INDEX)
    assert header is not None
    write_part(path, pa.concat_tables([table, table.slice(0, 1)]), INDEX, header)
    with pytest.raises(InputError, match="damaged"):
        open_index(indexed)


def test_vectors_that_are_no_numbers_are_never_written(indexed: Path) -> None:
    look = Look(0, 1, 1.0, np.full(4, np.nan, np.float32))
    with pytest.raises(ValueError, match="no numbers"):
        index_run(RunFolder(indexed), [Indexed("a/000001", "a", 9.0, [look])], {"network": "x"}, {})
    with pytest.raises(ValueError, match="no numbers"):
        write_index(RunFolder(indexed), INDEX.empty_table(), np.full((1, 1), np.inf, np.float16), {}, {})
