"""A picture in a network's input, and boxes of the input in the picture."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.detection.letterbox import GREY, Letterbox, best_size

SIDES = st.one_of(st.integers(1, 8), st.integers(1, 4000))
TARGETS = st.sampled_from([(640, 640), (384, 640), (640, 384), (256, 128)])
SHARES = st.floats(0, 1, width=32)


def place(letterbox, points):
    """Where points x, y (n, 2) of the source come to lie: every pixel is scaled by the picture's own factors."""
    (height, width), (top, left) = letterbox.inner, letterbox.corner
    return points * [width / letterbox.source[1], height / letterbox.source[0]] + [left, top]


@settings(deadline=None)
@given(SIDES, SIDES, TARGETS, st.lists(SHARES, min_size=4, max_size=4))
def test_a_box_goes_there_and_comes_back_within_half_a_pixel(height, width, target, shares):
    letterbox = Letterbox((height, width), target)
    x1, x2 = sorted(share * width for share in shares[:2])
    y1, y2 = sorted(share * height for share in shares[2:])
    box = np.array([[x1, y1], [x2, y2]])
    there = place(letterbox, box).reshape(1, 4).astype(np.float32)
    np.testing.assert_allclose(letterbox.back(there).reshape(2, 2), box, atol=0.5)


@settings(deadline=None)
@given(SIDES, SIDES, TARGETS)
def test_the_picture_lies_in_the_middle_and_is_not_bent(height, width, target):
    letterbox = Letterbox((height, width), target)
    (tall, wide), (top, left) = letterbox.inner, letterbox.corner
    assert 1 <= tall <= target[0]
    assert 1 <= wide <= target[1]
    assert (tall, wide)[np.argmax([tall / target[0], wide / target[1]])] in target
    assert abs(top - (target[0] - tall - top)) <= 1
    assert abs(left - (target[1] - wide - left)) <= 1
    scale = min(target[0] / height, target[1] / width)
    assert abs(tall - max(1, height * scale)) <= 0.5
    assert abs(wide - max(1, width * scale)) <= 0.5


@settings(deadline=None)
@given(SIDES, SIDES, st.lists(st.floats(-500, 1500, width=32), min_size=4, max_size=4))
def test_boxes_never_leave_the_picture(height, width, box):
    x1, y1, x2, y2 = Letterbox((height, width), (640, 640)).back(np.array([box], np.float32))[0]
    assert 0 <= min(x1, x2) <= max(x1, x2) <= width
    assert 0 <= min(y1, y2) <= max(y1, y2) <= height


@pytest.mark.parametrize("size", [(1080, 1920), (576, 768), (719, 405), (640, 640), (17, 1000), (1000, 17), (33, 31)])
def test_the_input_is_the_one_that_ultralytics_makes(size):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ultralytics.data.augment import LetterBox
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    theirs = LetterBox((640, 640), auto=False, stride=32)(image=picture)
    np.testing.assert_array_equal(Letterbox(size, (640, 640)).apply(picture), theirs)


def test_half_the_size_is_the_mean_of_four_pixels_on_grey():
    picture = np.random.default_rng(1).integers(0, 256, (20, 40, 3), np.uint8)
    made = Letterbox((20, 40), (20, 20)).apply(picture).astype(float)
    means = picture.reshape(10, 2, 20, 2, 3).mean((1, 3))
    assert np.abs(made[5:15] - means).max() <= 0.5
    assert (made[:5] == GREY).all()
    assert (made[15:] == GREY).all()


def test_a_picture_of_the_right_size_is_left_alone():
    picture = np.random.default_rng(2).integers(0, 256, (64, 64, 3), np.uint8)
    np.testing.assert_array_equal(Letterbox((64, 64), (64, 64)).apply(picture), picture)


def test_a_line_of_one_pixel_is_a_picture():
    made = Letterbox((1, 4000), (640, 640)).apply(np.full((1, 4000, 3), 200, np.uint8))
    assert made.shape == (640, 640, 3)
    assert (made == 200).all(2).sum() == 640


SIZES = ((480, 640), (384, 640))


@pytest.mark.parametrize(
    ("picture", "size"),
    [((1080, 1920), (384, 640)), ((720, 1280), (384, 640)), ((576, 768), (480, 640)), ((288, 360), (480, 640))],
)
def test_a_camera_takes_the_size_of_its_proportions(picture, size):
    assert best_size(SIZES, picture) == size


@settings(deadline=None)
@given(SIDES, SIDES)
def test_no_other_size_shows_more_of_the_picture(height, width):
    chosen = best_size(SIZES, (height, width))
    shown = {size: np.prod(Letterbox((height, width), size).inner) / np.prod(size) for size in SIZES}
    assert shown[chosen] == max(shown.values())
