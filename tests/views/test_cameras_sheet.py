"""The picture of an export: which frames it shows, how large, and what stands beside them."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from films import FILMS, Film, is_upright, number_of
from recorder_exports import write_export

from vidreid.footage.ends import first_still, last_still
from vidreid.pipeline.recordings import sort_export
from vidreid.views.cameras_sheet import CAPTION, COLUMN, GAP, HEAD, MARGIN, TALLEST, TITLE, write_cameras_sheet


def drawn(folder: Path, path: Path) -> np.ndarray:
    """The sheet of an export, RGB."""
    export = sort_export(folder, UTC, lambda words, share: None)
    write_cameras_sheet(export.cameras, path, lambda words, share: None)
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])


def cells(sheet: np.ndarray, rows: int) -> list[list[np.ndarray]]:
    """First and last picture of each camera, all 4:3 and as tall as they may be."""
    step = TITLE + TALLEST + CAPTION + GAP
    tops = [HEAD + TITLE + number * step for number in range(rows)]
    lefts = [MARGIN, MARGIN + COLUMN + GAP]
    return [[sheet[top : top + TALLEST, left : left + COLUMN] for left in lefts] for top in tops]


def test_it_shows_first_and_last_frame_of_each_camera_in_order_of_time(tmp_path):
    names = {"ch2_20260412080000.mp4": 40, "ch10_20260412090000.mp4": 33, "ch10_20260412080000.mp4": 25}
    sheet = drawn(write_export(tmp_path / "export", names), tmp_path / "cameras.png")
    shown = [[number_of(cell) for cell in row] for row in cells(sheet, 2)]
    assert shown == [[0, 39], [0, 32]]
    assert all(is_upright(cell) for row in cells(sheet, 2) for cell in row)


def test_the_same_export_gives_the_same_bytes(tmp_path):
    folder = write_export(tmp_path / "export", ["ch1_20260412080000.mp4"])
    drawn(folder, tmp_path / "a.png")
    drawn(folder, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_start_that_nobody_knows_is_marked_in_colour(tmp_path):
    known = drawn(write_export(tmp_path / "a", ["gate 20260412-080000.mp4"]), tmp_path / "a.png")
    unknown = drawn(write_export(tmp_path / "b", ["gate.mp4"]), tmp_path / "b.png")
    warm = [int(((sheet[-120:, :, 0] > 200) & (sheet[-120:, :, 2] < 120)).sum()) for sheet in (known, unknown)]
    assert warm[0] == 0
    assert warm[1] > 50


def test_a_camera_whose_pictures_cannot_be_decoded_keeps_its_row(tmp_path):
    folder = write_export(tmp_path / "export", ["ch1_20260412080000.ts"])
    path = folder / "ch1_20260412080000.ts"
    data = bytearray(path.read_bytes())
    for begin in range(188 * 12, len(data), 188):  # headers stay, what they hold does not
        data[begin + 60 : begin + 188] = bytes(128)
    path.write_bytes(data)
    sheet = drawn(folder, tmp_path / "cameras.png")
    assert sheet.shape[0] > HEAD + TITLE + CAPTION + 300


@pytest.mark.parametrize("kind", FILMS)
def test_the_ends_of_every_kind_of_footage_are_found(tmp_path, kind):
    film = FILMS[kind]
    path = film.write(tmp_path)
    first, last = first_still(path), last_still(path)
    assert first is not None
    assert last is not None
    lines = 2 if film.interlaced else 1  # of an interlaced picture both fields are shown: a stamp stands in both
    assert (number_of(first.image[::lines]), is_upright(first.image)) == (0, True)
    assert number_of(last.image[::lines]) == film.frames - 1
    if last.seconds is not None:
        assert last.seconds == pytest.approx(float(film.times()[-1]), abs=0.05)


def test_true_proportions_are_those_of_the_run(tmp_path):
    """704x288 without a word of its pixels' shape is 4:3, as `ingest` has it."""
    path = Film("half.mp4", frames=5, size=(704, 288)).write(tmp_path)
    height, width = first_still(path).image.shape[:2]
    assert width / height == pytest.approx(4 / 3, abs=0.01)


def test_the_last_picture_of_a_long_file_is_found_without_reading_it(tmp_path):
    film = Film("long.mp4", frames=250, pts=tuple(range(0, 250 * 3600, 3600)))
    last = last_still(film.write(tmp_path))
    assert number_of(last.image) == 249
    assert timedelta(seconds=last.seconds) > timedelta(hours=9)
