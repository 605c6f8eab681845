"""Any data set by a CSV."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_sets import encoded, put

from vidreid.errors import InputError
from vidreid.training.datasets import Dataset, Tracklet
from vidreid.training.datasets.csv import open_csv, open_dataset, read_rows

HEADER = "path,identity,camera,sequence,split"


def write(root: Path, *rows: str, header: str = HEADER, pictures: bool = True) -> Path:
    file = root / "set.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    if pictures:
        put(root, *(row.split(",")[0] for row in rows))
    return file


def lengths(tracklets: tuple[Tracklet, ...]) -> list[int]:
    return [len(item.pictures) for item in tracklets]


def keys(dataset: Dataset) -> list[tuple[str, ...]]:
    return [item.pictures for item in dataset.splits[0].train]


def test_rows_of_one_identity_camera_sequence_and_split_are_a_tracklet(tmp_path: Path):
    rows = ["1.jpg,1,1,a,train", "2.jpg,1,1,b,train", "3.jpg,1,2,a,train", "4.jpg,2,1,a,train", "5.jpg,1,1,a,train"]
    assert keys(open_dataset(write(tmp_path, *rows))) == [("1.jpg", "5.jpg"), ("2.jpg",), ("3.jpg",), ("4.jpg",)]


@given(numbers=st.lists(st.integers(0, 10**6), min_size=1, max_size=8, unique=True))
def test_pictures_of_a_tracklet_come_in_natural_order(numbers: list[int], tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("set")
    rows = [f"img{number}.jpg,1,1,a,train" for number in numbers]
    assert keys(open_dataset(write(root, *rows))) == [tuple(f"img{number}.jpg" for number in sorted(numbers))]


def test_frame_tells_the_order_where_there_is_one(tmp_path: Path):
    rows = ["1.jpg,1,1,a,train,20", "2.jpg,1,1,a,train,3"]
    assert keys(open_dataset(write(tmp_path, *rows, header=f"{HEADER},frame"))) == [("2.jpg", "1.jpg")]


def test_query_and_gallery_rows_are_both(tmp_path: Path):
    rows = [f"{camera}{n}.jpg,1,{camera},a,query+gallery" for camera in (1, 2) for n in (1, 2)]
    split = open_dataset(write(tmp_path, *rows, "3.jpg,0,1,b,gallery", "4.jpg,0,1,b,gallery")).splits[0]
    assert lengths(split.query) == [2, 2]
    assert split.gallery[:2] == split.query
    assert lengths(split.gallery[2:]) == [2]


def test_single_queries_make_an_image_set(tmp_path: Path):
    rows = ["q1.jpg,1,1,a,query", "q2.jpg,1,2,a,query", *(f"g{n}.jpg,{n % 2},{n % 3},a,gallery" for n in range(6))]
    dataset = open_dataset(write(tmp_path, *rows))
    assert lengths(dataset.splits[0].query) == [1, 1]
    assert lengths(dataset.splits[0].gallery) == [1] * 6


def test_a_column_of_frames_makes_tracklets_of_any_length(tmp_path: Path):
    rows = ["q.jpg,1,1,a,query,7", "g1.jpg,1,2,a,gallery,1", "g2.jpg,1,2,a,gallery,2", "d1.jpg,0,2,b,gallery,1"]
    split = open_dataset(write(tmp_path, *rows, "d2.jpg,0,2,b,gallery,2", header=f"{HEADER},frame")).splits[0]
    assert lengths(split.query) == [1]
    assert lengths(split.gallery) == [2, 2], "sequences tell distractors apart here"


def test_the_choice_of_tracklets_or_pictures_can_be_stated(tmp_path: Path):
    rows = [
        "q1.jpg,1,1,a,query",
        *(f"g{n}.jpg,1,2,a,gallery" for n in range(3)),
        "0.jpg,0,2,a,gallery",
        "1.jpg,0,2,a,gallery",
    ]
    grouped = open_dataset(write(tmp_path, *rows), tracklets=True).splits[0]
    assert lengths(grouped.gallery) == [3, 1, 1], "distractors of an image set are not one person"
    pairs = [f"{n}.jpg,1,1,a,train" for n in range(3)]
    assert lengths(open_dataset(write(tmp_path, *pairs), tracklets=False).splits[0].train) == [1, 1, 1]


def test_val_is_scored_where_nothing_else_is(tmp_path: Path):
    rows = ["1.jpg,1,1,a,train", "2.jpg,2,1,a,val", "3.jpg,2,2,a,val"]
    dataset = open_dataset(write(tmp_path, *rows))
    split = dataset.splits[0]
    assert split.query == split.gallery
    assert {item.identity for item in split.query} == {2}
    assert dataset.notes == ("2 val pictures are queries and gallery",)


def test_val_is_left_out_where_there_are_queries(tmp_path: Path):
    rows = ["1.jpg,1,1,a,query", "2.jpg,1,2,a,gallery", "3.jpg,2,2,a,val"]
    dataset = open_dataset(write(tmp_path, *rows))
    assert {item.identity for item in dataset.splits[0].gallery} == {1}
    assert dataset.notes == ("1 val pictures are left out",)


def test_training_pictures_of_nobody_are_counted(tmp_path: Path):
    notes = open_dataset(write(tmp_path, "1.jpg,0,1,a,train", "2.jpg,1,1,a,train")).notes
    assert notes == ("1 training pictures of identity 0 or -1 carry no label",)


def test_a_gzipped_csv_with_its_tar_beside_it(tmp_path: Path):
    """The longest tar that the CSV is named after, as for market_test_tracklets.csv.gz."""
    text = f"{HEADER}\nset/1.jpg,1,1,a,train\n"
    (tmp_path / "set_test_tracklets.csv.gz").write_bytes(gzip.compress(text.encode()))
    for name, shade in (("set", 10), ("set_test", 20), ("set_test_tracklets_more", 30)):
        with tarfile.open(tmp_path / f"{name}.tar.xz", "w:xz") as archive:
            data = encoded(shade, suffix=".png")
            member = tarfile.TarInfo("set/1.jpg")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    dataset = open_dataset(tmp_path)
    assert dataset.name == "set_test_tracklets"
    assert dataset.read("set/1.jpg") == encoded(20, suffix=".png")


def test_a_csv_may_lie_elsewhere_than_its_pictures(tmp_path: Path):
    (tmp_path / "lists").mkdir()
    put(tmp_path / "pictures", "1.jpg")
    file = write(tmp_path / "lists", "1.jpg,1,1,a,train", pictures=False)
    dataset = open_csv(file, tmp_path / "pictures")
    assert dataset.read("1.jpg") == encoded()


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path):
    file = write(tmp_path, "1.jpg,1,1,a,train")
    file.write_text(file.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert len(read_rows(file)) == 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("../1.jpg,1,1,a,train", "outside"),
        ("/etc/passwd,1,1,a,train", "outside"),
        (",1,1,a,train", "outside"),
        ("1.jpg,anna,1,a,train", "whole numbers"),
        ("1.jpg,1,,a,train", "whole numbers"),
        ("1.jpg,-2,1,a,train", "identity -2"),
        ("1.jpg,1,1,a,holiday", "split 'holiday'"),
        ("1.jpg,1,1", "split None"),
    ],
)
def test_a_line_that_cannot_be_meant_is_named(row: str, said: str, tmp_path: Path):
    file = write(tmp_path, "0.jpg,1,1,a,train", row, pictures=False)
    with pytest.raises(InputError, match=said) as caught:
        open_dataset(file)
    assert "line 3" in caught.value.message


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("set.csv", b"path,identity\n1.jpg,1\n", "no column camera, sequence, split"),
        ("set.csv", f"{HEADER}\n".encode(), "lists no pictures"),
        ("set.csv", b"", "no column path"),
        ("set.csv", b"\xff\xd8\xff\xe0 a picture", "cannot be read as CSV"),
        ("set.csv.gz", b"not gzip", "cannot be read as CSV"),
        ("set.csv.gz", gzip.compress(HEADER.encode() * 99)[:-9], "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_list_is_named(name: str, data: bytes, said: str, tmp_path: Path):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=said) as caught:
        open_dataset(tmp_path)
    assert name in caught.value.message


def test_a_list_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"set\.csv: no such file"):
        open_dataset(tmp_path / "set.csv")


def test_two_lists_in_a_folder_must_be_told_apart(tmp_path: Path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(f"{HEADER}\n1.jpg,1,1,a,train\n")
    with pytest.raises(InputError, match="2 CSV files in it: name one"):
        open_dataset(tmp_path)


def test_pictures_that_are_nowhere_are_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"neither 1\.jpg nor a tar named after set\.csv"):
        open_dataset(write(tmp_path, "1.jpg,1,1,a,train", pictures=False))
