"""The CMC curve and the contact sheet of ranked results."""

import re
import xml.etree.ElementTree as ET

import cv2
import numpy as np
import pytest

from vidreid.errors import UsageError
from vidreid.evaluation.retrieval import Labels, Retrieval
from vidreid.training.retrieval import Division, Ranked, Scores
from vidreid.views.ranking import RIGHT, WRONG, write_curve, write_rows, write_sheet

COLOURS = {"q": (10, 20, 200), "a": (200, 180, 40), "b": (90, 90, 90)}


def picture(name):
    return None if name == "gone" else np.full((40, 20, 3), COLOURS[name], np.uint8)


def sheet_of(path, *queries):
    write_sheet(path, queries, picture)
    return cv2.imread(str(path))[:, :, ::-1]


def area(sheet, colour):
    """Number of pixels, and the mean x and y of them."""
    rows, columns = np.nonzero((sheet == colour).all(2))
    return len(rows), columns.mean() if len(rows) else None, rows.mean() if len(rows) else None


def test_the_query_stands_left_of_what_it_found_in_order_of_rank(tmp_path):
    sheet = sheet_of(tmp_path / "s.png", Ranked("q", 2, 0.5, (("a", False), ("b", True))))
    places = [area(sheet, COLOURS[name])[1] for name in ("q", "a", "b")]
    assert places == sorted(places)
    assert len({round(area(sheet, COLOURS[name])[2]) for name in ("q", "a", "b")}) == 1


def test_right_and_wrong_ones_are_framed_in_their_colours(tmp_path):
    sheet = sheet_of(tmp_path / "s.png", Ranked("q", 2, 0.5, (("a", False), ("b", True))))
    for colour, name in ((WRONG, "a"), (RIGHT, "b")):
        assert area(sheet, colour)[0] > 500
        assert area(sheet, colour)[1] == pytest.approx(area(sheet, COLOURS[name])[1], abs=1)
    assert area(sheet, RIGHT)[0] > 2 * area(sheet, WRONG)[0]


def test_pictures_keep_their_proportions(tmp_path):
    sheet = sheet_of(tmp_path / "s.png", Ranked("q", 1, 1.0, ()))
    rows, columns = np.nonzero((sheet == COLOURS["q"]).all(2))
    assert np.ptp(rows) + 1 == 2 * (np.ptp(columns) + 1)


def test_rows_stand_in_the_order_given_and_a_missing_picture_leaves_its_frame(tmp_path):
    first, second = Ranked("q", 3, 0.3, (("gone", False),)), Ranked("a", 1, 1.0, (("b", True),))
    sheet = sheet_of(tmp_path / "s.png", first, second)
    assert area(sheet, COLOURS["q"])[2] < area(sheet, COLOURS["a"])[2]
    assert area(sheet, WRONG)[0] > 500


def test_a_sheet_of_nobody_is_a_picture_too(tmp_path):
    assert sheet_of(tmp_path / "s.png").size > 0


@pytest.fixture
def scores():
    labels = Labels(np.arange(4), np.zeros(4, np.int64), list("abcd"))
    found = Retrieval(np.array([1, 1, 3, 0]), np.array([1, 0.8, 0.3, 0]), np.zeros(4, int), np.zeros(4, int), 9)
    return Scores("shop", {}, (Division(1, labels, labels, lambda rows: np.zeros((0, 0), np.float32), found),))


def test_the_curve_is_drawn_with_its_scores_as_title(tmp_path, scores):
    write_curve(tmp_path / "c.svg", scores, depth=10)
    text = (tmp_path / "c.svg").read_text()
    ET.fromstring(text)
    assert "shop: rank-1 66.7 %, mAP 70.0 %" in text


def test_the_curve_rises_where_queries_find_theirs(tmp_path, scores):
    """In the SVG the curve is the path of eleven points; y grows downwards."""
    write_curve(tmp_path / "c.svg", scores, depth=10)
    (drawn,) = re.findall(
        r'<g id="line2d_\d+">\s*<path d="((?:[ML] [\d. ]+\s*){10})"[^>]*stroke: #1f5fa8',
        (tmp_path / "c.svg").read_text(),
    )
    heights = [float(y) for _, y in re.findall(r"[ML] ([\d.]+) ([\d.]+)", drawn)]
    assert heights[0] == heights[1] > heights[2] == heights[-1]


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_equal_scores_are_equal_bytes(tmp_path, scores, kind):
    for name in ("one", "two"):
        write_curve(tmp_path / f"{name}.{kind}", scores)
    assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()


def test_another_kind_of_picture_is_wrong_use(tmp_path, scores):
    with pytest.raises(UsageError, match=r"c\.xyz: not a kind of picture"):
        write_curve(tmp_path / "c.xyz", scores)


def test_rows_are_written_as_csv(tmp_path):
    write_rows(tmp_path / "r.csv", [("a", "b"), (1, "x,y"), ("Süd", 0.5)])
    assert (tmp_path / "r.csv").read_text(encoding="utf-8") == 'a,b\n1,"x,y"\nSüd,0.5\n'
