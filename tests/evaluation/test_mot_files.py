"""A MOT file is read as it is meant, or refused in one line that names file, line and remedy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.errors import InputError
from vidreid.evaluation.mot import Rows, read_mot


def test_rows_become_frames_ids_and_corners(tmp_path):
    path = tmp_path / "c0.txt"
    path.write_text("1,7,10,20,30,40,1,1,1\n2,7,12.5,20,30,40,0.9,-1,-1,-1\n")
    rows = read_mot(path)
    assert rows.frame.tolist() == [1, 2]
    assert rows.ids.tolist() == [7, 7]
    assert rows.boxes.tolist() == [[10, 20, 40, 60], [12.5, 20, 42.5, 60]]
    assert (rows.frame.dtype, rows.ids.dtype, rows.boxes.dtype) == (np.int64, np.int64, np.float32)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1,7,10,20,30,40\n", id="no confidence"),
        pytest.param("\n1,7,10,20,30,40,1\n\n", id="blank lines"),
        pytest.param("1.0, 7.0, 10, 20, 30, 40, 1\r\n", id="numbers as NumPy writes them, Windows line ends"),
        pytest.param("\ufeff1,7,1e1,20,30,40,-1", id="byte order mark, no line end"),
    ],
)
def test_spellings_of_the_same_row(tmp_path, text):
    path = tmp_path / "c0.txt"
    path.write_text(text, encoding="utf-8", newline="")
    rows = read_mot(path)
    assert (rows.frame.tolist(), rows.ids.tolist(), rows.boxes.tolist()) == ([1], [7], [[10, 20, 40, 60]])


def test_rows_that_a_truth_file_marks_as_not_considered_are_left_out_only_of_truth(tmp_path):
    path = tmp_path / "c0.txt"
    path.write_text("1,7,10,20,30,40,0\n1,8,10,20,30,40,1\n")
    assert read_mot(path).ids.tolist() == [7, 8]
    assert read_mot(path, considered=True).ids.tolist() == [8]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "empty, no boxes in it", "frame,id,x,y,w,h"),
        ("\n \n", "empty, no boxes in it", "frame,id,x,y,w,h"),
        ("0,1,5,5,10,20,1\n", "line 1: frame 0", "add 1 to every frame"),
        ("1,1,5,5,10,20,1\n-3,1,5,5,10,20,1\n", "line 2: frame -3", "frames count from 1"),
        ("1,0,5,5,10,20,1\n", "line 1: id 0", "ids count from 1"),
        ("1,-1,5,5,10,20,1\n", "line 1: id -1", "detections that nobody tracked"),
        ("1,1,5,5,10,20\n1.5,1,5,5,10,20\n", "line 2: frame or id is no whole number", "frame,id,x,y,w,h"),
        ("1e300,1,5,5,10,20\n", "line 1: frame or id is no whole number", "frame,id,x,y,w,h"),
        ("1,1,5,5,0,20,1\n", "line 1: box of width 0 and height 20", "not x1,y1,x2,y2"),
        ("\n1,1,50,5,-10,20,1\n", "line 2: box of width -10 and height 20", "w = x2 - x1"),
        ("1,1,5,5,10,20,1\n1,1,6,6,10,20,1\n", "line 2: id 1 has a second box in frame 1", "own id"),
        ("1,1,5,nan,10,20,1\n", "line 1: NaN or infinite value in '1,1,5,nan,10,20,1'", "mend the box"),
        ("1,1,5,5,inf,20,1\n", "line 1: NaN or infinite value", "mend the box"),
        ("frame,id,x,y,w,h,conf\n1,1,5,5,10,20,1\n", "line 1: not a number in 'frame,id,x,y,w,h,conf'", "no header"),
        ("1,1,5,5,10,20,1\n1,person,5,5,10,20,1\n", "line 2: not a number", "no names"),
        ("1 1 5 5 10 20 1\n", "line 1: 1 of at least 6 columns", "by commas"),
        ("1,1,5,5\n", "line 1: 4 of at least 6 columns", "by commas"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path, text, message, hint):
    path = tmp_path / "c0.txt"
    path.write_text(text)
    with pytest.raises(InputError) as refusal:
        read_mot(path)
    assert refusal.value.message.startswith(f"{path}: {message}")
    assert "\n" not in refusal.value.message
    assert hint in refusal.value.hint


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.txt: No such file"):
        read_mot(tmp_path / "none.txt")
    with pytest.raises(InputError, match="Is a directory"):
        read_mot(tmp_path)
    (tmp_path / "video.txt").write_bytes(b"RIFF\xff\xfe\x00\x01AVI ")
    with pytest.raises(InputError, match="not a text file"):
        read_mot(tmp_path / "video.txt")


def test_corners_in_place_of_sizes_are_noticed(tmp_path):
    path = tmp_path / "c0.txt"
    path.write_text("".join(f"{t},1,{100 + 9 * t},50,{140 + 9 * t + t % 3},{150 + t % 2},1\n" for t in range(1, 40)))
    with pytest.raises(InputError, match="look like the corners x1,y1,x2,y2") as refusal:
        read_mot(path)
    assert "w = x2 - x1" in refusal.value.hint


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", ["campus4/gt/c0", "campus4/gt/c1", "lab4/gt/cam1", "lab4/gt/cam2", "pets_s2l1/gt/vtest"]
)
def test_real_labels_pass_as_sizes_and_are_noticed_as_corners(shared, tmp_path, name):
    rows = read_mot(shared / "data" / "footage" / f"{name}.txt")
    corners = np.column_stack([rows.frame, rows.ids, rows.boxes])
    np.savetxt(tmp_path / "corners.txt", corners, delimiter=",", fmt="%.6g")
    with pytest.raises(InputError, match="look like the corners"):
        read_mot(tmp_path / "corners.txt")


boxes = st.tuples(st.integers(-50, 900), st.integers(-50, 900), st.integers(1, 90), st.integers(1, 90))


@given(st.dictionaries(st.tuples(st.integers(1, 99), st.integers(1, 99)), boxes, min_size=1, max_size=20))
def test_what_is_written_is_read(tmp_path_factory, table):
    # A box far narrower than its x keeps the file from looking like one of corners.
    table[(1, 100)] = (500, 0, 10, 10)
    path = tmp_path_factory.mktemp("mot") / "c0.txt"
    path.write_text("".join(f"{f},{i},{x},{y},{w},{h},1\n" for (f, i), (x, y, w, h) in table.items()))
    rows = read_mot(path)
    read = {
        (frame, ident): (x1, y1, x2 - x1, y2 - y1)
        for frame, ident, (x1, y1, x2, y2) in zip(
            rows.frame.tolist(), rows.ids.tolist(), rows.boxes.tolist(), strict=True
        )
    }
    assert read == table


def test_rows_of_unequal_length_are_a_programming_error():
    with pytest.raises(ValueError, match="2 frames"):
        Rows(np.ones(2, np.int64), np.ones(3, np.int64), np.ones((2, 4), np.float32))
