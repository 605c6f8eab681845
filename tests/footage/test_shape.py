"""Pixels that are not square: whatever the recorder stored, people come out in their true proportions."""

from dataclasses import replace
from fractions import Fraction

import pytest
from films import Film, decode, is_upright, whole
from hypothesis import given
from hypothesis import strategies as st

from vidreid.footage.probe import probe
from vidreid.footage.scene import as_seen
from vidreid.footage.shape import assumed, stored_size, true_size
from vidreid.types import WHOLE, Scene

ASPECTS = st.fractions(Fraction(1, 4), 4, max_denominator=100)
SIDES = st.integers(16, 4000)


@given(SIDES, SIDES, ASPECTS)
def test_a_picture_is_stretched_one_way_and_never_shrunk(width: int, height: int, aspect: Fraction) -> None:
    wide, tall = true_size(width, height, aspect)
    assert (wide, tall) >= (width, height)
    assert wide == width or tall == height
    exact = (width * aspect, Fraction(height)) if aspect >= 1 else (Fraction(width), height / aspect)
    assert max(abs(wide - exact[0]), abs(tall - exact[1])) <= Fraction(1, 2)


@given(SIDES, SIDES, ASPECTS, st.sampled_from([0, 90, 180, 270]))
def test_the_stored_size_is_found_again(made_file, width: int, height: int, aspect: Fraction, rotation: int) -> None:
    size = true_size(width, height, aspect)
    upright = size[::-1] if rotation % 180 else size
    file = replace(made_file, width=upright[0], height=upright[1], rotation=rotation, pixel_aspect=aspect)
    assert stored_size(file) == (width, height)


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((704, 288), (704, 528)),
        ((704, 240), (704, 528)),
        ((720, 288), (720, 540)),
        ((960, 240), (960, 720)),
        ((352, 576), (768, 576)),
        ((704, 576), (704, 576)),  # known as 4:3 or 16:9, and near to both: taken as it is
        ((640, 360), (640, 360)),
    ],
)
def test_half_a_picture_is_taken_for_4_to_3(size: tuple[int, int], shown: tuple[int, int]) -> None:
    assert true_size(*size, assumed(*size)) == shown


@pytest.mark.parametrize("name", ["half.avi", "half.mkv", "half.mp4", "half.h264"])
def test_704_x_288_comes_out_in_true_proportions_and_says_so(tmp_path, name: str) -> None:
    """Whether its container has no word for the shape, or (Matroska) says 1:1 for want of a better one."""
    path = Film(name, size=(704, 288), frames=2).write(tmp_path)
    file = as_seen(probe(path), WHOLE)
    assert (file.width, file.height, file.pixel_aspect) == (704, 528, Fraction(6, 11))
    assert file.notes[-1] == (
        "stored as 704 x 288, shown as 704 x 528: "
        "half a picture of 4:3, unless `aspect` in the cameras YAML says otherwise"
    )
    for image in decode(path, file, whole(file)).values():
        assert image.shape == (528, 704, 3)
        assert is_upright(image)


def test_a_stated_shape_is_believed(tmp_path) -> None:
    path = Film("wide.mp4", size=(704, 288), frames=1, pixel_aspect=Fraction(8, 11)).write(tmp_path)
    file = as_seen(probe(path), WHOLE)
    assert (file.width, file.height) == (704, 396)
    assert file.notes == ("stored as 704 x 288, shown as 704 x 396: its pixels are not square",)


@pytest.mark.parametrize(
    ("size", "turned", "aspect", "shown"),
    [
        ((704, 288), 0, 16 / 9, (704, 396)),
        ((352, 288), 0, 16 / 9, (512, 288)),
        ((704, 576), 0, 4 / 3, (768, 576)),
        ((704, 288), 90, 3 / 4, (528, 704)),  # of the upright picture
        ((704, 288), 0, 704 / 288, (704, 288)),
    ],
)
def test_what_the_user_says_of_the_shape_goes_before_all(tmp_path, size, turned, aspect, shown) -> None:
    path = Film("film.mp4", size=size, turned=turned, frames=2).write(tmp_path)
    file = as_seen(probe(path), Scene(aspect=aspect))
    assert (file.width, file.height) == shown
    assert not any("4:3" in note for note in file.notes)
    assert {image.shape for image in decode(path, file, whole(file)).values()} == {(*shown[::-1], 3)}


def test_square_pixels_are_not_worth_a_word(made_file) -> None:
    assert as_seen(made_file, WHOLE) == made_file
    assert as_seen(made_file, Scene(aspect=4 / 3)) == made_file  # which it has
