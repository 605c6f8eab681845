"""The poster, and what is drawn on pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from calibrations import curve, write
from hand_made import FakeRun
from hypothesis import given
from hypothesis import strategies as st

from vidreid.views.drawing import colour_of, draw_box, draw_plate
from vidreid.views.frames import frames
from vidreid.views.names import drawable, file_name
from vidreid.views.poster import CAMERAS, MARGIN, WIDTH, write_poster


@pytest.mark.parametrize("kind", ["run", "clockless", "empty", "nasty"])
def test_a_poster_is_a_picture_of_fixed_width_and_bytes(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    run: FakeRun = request.getfixturevalue(kind)
    write(run.path)
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    write_poster(run, first, title="Übersicht")
    write_poster(run, second, title="Übersicht")
    assert first.read_bytes() == second.read_bytes()
    assert cv2.imread(str(first)).shape[1] == WIDTH


def test_a_poster_shows_the_colour_of_who_is_in_several_cameras(run: FakeRun, tmp_path: Path) -> None:
    write(run.path)
    write_poster(run, tmp_path / "a.png")
    image = cv2.imread(str(tmp_path / "a.png"))[..., ::-1]
    right = image[:, MARGIN + CAMERAS :]
    assert (right == colour_of("P0001")).all(2).sum() > 500
    assert (right == colour_of("P0002")).all(2).sum() == 0


def test_a_poster_says_how_sure_it_is(run: FakeRun, tmp_path: Path) -> None:
    write(run.path)
    write_poster(run, tmp_path / "a.png")
    write(run.path, curves={"same": curve(0.5), "cross": curve(0.5)})
    write_poster(run, tmp_path / "b.png")
    before, after = (cv2.imread(str(tmp_path / name)) for name in ("a.png", "b.png"))
    changed = (before != after).any(2)
    assert changed[:-MARGIN, MARGIN + CAMERAS :].any()
    assert not changed[:, : MARGIN + CAMERAS].any()


def test_frames_are_the_ones_asked_for(run: FakeRun) -> None:
    assert [frame.index for frame in frames(run, "gate", 27, 34)] == list(range(27, 34))


def test_people_have_distinct_colours() -> None:
    colours = np.array([colour_of(f"P{number:04d}") for number in range(1, 13)])
    apart = np.abs(colours[:, None] - colours[None]).sum(2) + 1000 * np.eye(12)
    assert apart.min() > 40


def test_plates_do_not_cover_each_other() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    first = draw_plate(image, "P0001", (50, 100), 10, (200, 0, 0))
    second = draw_plate(image, "P0002", (55, 102), 10, (0, 200, 0), [first])
    assert second[3] <= first[1]


@given(st.tuples(*[st.floats(-500, 900, allow_nan=False)] * 4), st.booleans())
def test_a_box_far_outside_is_harmless(box: tuple[float, ...], dashed: bool) -> None:
    image = np.zeros((60, 80, 3), np.uint8)
    draw_box(image, np.array(box, np.float32), (255, 0, 0), weight=2, dashed=dashed)
    assert image[..., 1:].sum() == 0


@given(st.text(max_size=20))
def test_drawable_text_is_ascii(text: str) -> None:
    assert drawable(text).isascii()


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_file_names_are_safe_and_differ_where_names_differ(one: str, other: str) -> None:
    for name in (file_name(one), file_name(other)):
        assert Path(name).name == name
        assert name not in {".", ".."}
    assert (file_name(one) == file_name(other)) == (one == other)
