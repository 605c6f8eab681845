"""Files of features, anybody's: what is read, what is refused, and how rows become tracklets."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.errors import InputError
from vidreid.evaluation.features import read_features, vectors_of, write_features

ROWS = np.arange(6, dtype=np.float32).reshape(3, 2) + 1
PATHS = ["a/1.jpg", "a/2.jpg", "b/1.jpg"]


def saved(tmp_path, **arrays):
    file = tmp_path / "theirs.npz"
    np.savez(file, **arrays)
    return file


def test_what_is_written_is_read_again(tmp_path):
    file = tmp_path / "ours.npz"
    with file.open("wb") as out:
        write_features(out, [("a/1.jpg", "a/2.jpg"), ("b/1.jpg",)], ROWS[:2])
    paths, features = read_features(file)
    assert paths == ["a/1.jpg", "b/1.jpg"]
    assert np.array_equal(features, ROWS[:2])
    assert features.dtype == np.float32


@pytest.mark.parametrize("kind", ["<f2", "<f8", ">f4", "<i4"])
def test_numbers_of_any_kind_are_read(tmp_path, kind):
    _, features = read_features(saved(tmp_path, paths=np.array(PATHS), features=ROWS.astype(kind)))
    assert np.array_equal(features, ROWS)


def test_paths_may_be_bytes_and_begin_with_a_dot(tmp_path):
    paths, _ = read_features(saved(tmp_path, paths=np.array([b"./a/1.jpg", b"b//2.jpg"]), features=ROWS[:2]))
    assert paths == ["a/1.jpg", "b/2.jpg"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"paths": np.array(PATHS)}, "no features in it"),
        ({"features": ROWS}, "no paths in it"),
        ({"paths": np.array(PATHS[:2]), "features": ROWS}, "2 paths, but 3 rows"),
        ({"paths": np.array(PATHS), "features": ROWS.ravel()}, r"features float32 \(6,\)"),
        ({"paths": np.arange(3), "features": ROWS}, "paths int64"),
        ({"paths": np.array(PATHS), "features": ROWS.astype(complex)}, "features complex128"),
        ({"paths": np.array(PATHS), "features": np.where(ROWS == 4, np.nan, ROWS)}, "1 rows hold NaN.*a/2.jpg"),
        ({"paths": np.array(PATHS), "features": np.where(ROWS == 5, np.inf, ROWS)}, "1 rows hold NaN.*b/1.jpg"),
        ({"paths": np.array(["x", "y", "x"]), "features": ROWS}, "x is in it 2 times"),
    ],
)
def test_what_cannot_be_meant_is_one_line_that_names_the_file(tmp_path, arrays, message):
    with pytest.raises(InputError, match=message) as refused:
        read_features(saved(tmp_path, **arrays))
    assert refused.value.message.startswith("theirs.npz: ")
    assert "\n" not in refused.value.message
    assert refused.value.hint


class Bomb:
    """Says so when it is unpickled."""

    def __reduce__(self):
        return exec, ("import pathlib; pathlib.Path('boom').touch()",)


@pytest.mark.parametrize("place", ["paths", "features"])
def test_objects_are_never_unpickled(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    arrays = {"paths": np.array(PATHS), "features": ROWS} | {place: np.array([Bomb()] * 3, dtype=object)}
    with pytest.raises(InputError, match="objects are never read"):
        read_features(saved(tmp_path, **arrays))
    assert not (tmp_path / "boom").exists()


def test_other_arrays_are_not_looked_at(tmp_path):
    file = saved(tmp_path, paths=np.array(PATHS), features=ROWS, more=np.array([Bomb()], dtype=object))
    assert read_features(file)[0] == PATHS


def whole():
    out = io.BytesIO()
    np.savez(out, paths=np.array(PATHS), features=ROWS)
    return out.getvalue()


@given(cut=st.integers(0, len(whole()) - 1))
def test_a_truncated_file_is_refused(tmp_path_factory, cut):
    file = tmp_path_factory.getbasetemp() / "cut.npz"
    file.write_bytes(whole()[:cut])
    with pytest.raises(InputError, match=r"cut\.npz: cannot be read as NPZ"):
        read_features(file)


@given(place=st.integers(0, len(whole()) - 1), value=st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused(tmp_path_factory, place, value):
    damaged = bytearray(whole())
    damaged[place] = value
    file = tmp_path_factory.getbasetemp() / "damaged.npz"
    file.write_bytes(damaged)
    try:
        paths, features = read_features(file)
    except InputError:
        return
    assert len(paths) == len(features)


def test_an_array_that_claims_to_be_larger_than_any_memory_is_refused(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**9, 10**6)})
    names = io.BytesIO()
    np.save(names, np.array(PATHS))
    file = tmp_path / "huge.npz"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("features.npy", header.getvalue())
        archive.writestr("paths.npy", names.getvalue())
    with pytest.raises(InputError, match=r"huge\.npz: cannot be read"):
        read_features(file)


@pytest.mark.parametrize("content", [b"", b"no archive", np.lib.format.magic(1, 0)])
def test_another_kind_of_file_is_refused(tmp_path, content):
    file = tmp_path / "other.npz"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"other\.npz"):
        read_features(file)


def test_a_single_array_and_a_missing_file_are_refused(tmp_path):
    np.save(tmp_path / "one.npy", ROWS)
    with pytest.raises(InputError, match="no paths and no features"):
        read_features(tmp_path / "one.npy")
    with pytest.raises(InputError, match=r"none\.npz"):
        read_features(tmp_path / "none.npz")


# Rows to tracklets


def test_one_row_a_tracklet_stands_under_its_first_picture():
    groups = [("b/1.jpg", "b/2.jpg"), ("a/1.jpg",)]
    assert np.array_equal(vectors_of(groups, PATHS, ROWS), np.stack([unit(ROWS[2]), unit(ROWS[0])]))


def test_rows_of_pictures_are_averaged_to_tracklets():
    groups = [("a/1.jpg", "a/2.jpg"), ("b/1.jpg",)]
    cosine, euclidean = (vectors_of(groups, PATHS, ROWS, metric) for metric in ("cosine", "euclidean"))
    np.testing.assert_allclose(cosine, np.stack([(unit(ROWS[0]) + unit(ROWS[1])) / 2, unit(ROWS[2])]), rtol=1e-6)
    np.testing.assert_allclose(euclidean, np.stack([(ROWS[0] + ROWS[1]) / 2, ROWS[2]]), rtol=1e-6)


def test_a_picture_that_is_missing_is_named():
    with pytest.raises(InputError, match=r"no features of 1 of 4 pictures, first b/2\.jpg") as refused:
        vectors_of([("a/1.jpg", "a/2.jpg"), ("b/1.jpg", "b/2.jpg")], PATHS, ROWS)
    assert "a/1.jpg" in refused.value.hint
    with pytest.raises(InputError, match="no features of 2 of 2 pictures"):
        vectors_of([("c.jpg",), ("d.jpg",)], [], np.zeros((0, 2), np.float32))


def test_nobody_asked_for_is_no_vector():
    assert vectors_of([], PATHS, ROWS).shape == (0, 2)


def unit(row):
    return row / np.linalg.norm(row)
