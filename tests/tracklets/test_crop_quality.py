"""How good a crop is for telling who it is."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.tracklets.quality import FULL_HEIGHT, clearance, quality, sharpness, truncation

PICTURE = (640, 480)
SHARES = st.floats(0, 1)


@pytest.fixture(scope="module")
def person():
    """A picture with plenty of edges."""
    return np.random.default_rng(0).integers(0, 256, (128, 64, 3), np.uint8)


def box(height, left=100.0, top=100.0):
    return np.array([left, top, left + height / 2, top + height])


@settings(deadline=None)
@given(SHARES, SHARES, SHARES, st.floats(1, 400), st.floats(1, 400))
def test_taller_clearer_and_surer_is_never_worse(person, clear, less, score, height, shorter):
    less, shorter = min(clear, less), min(height, shorter)
    best = quality(person, box(height, top=20), PICTURE, clear, score)
    assert 0 <= best <= 1
    assert quality(person, box(shorter, top=20), PICTURE, clear, score) <= best
    assert quality(person, box(height, top=20), PICTURE, less, score) <= best
    assert quality(person, box(height, top=20), PICTURE, clear, score * less) <= best


def test_a_perfect_crop_is_one(person):
    assert quality(person, box(FULL_HEIGHT), PICTURE, 1.0, 1.0) == 1.0


def test_blur_makes_it_worse(person):
    blurred = [cv2.GaussianBlur(person, (0, 0), sigma) for sigma in (1, 2, 4)]
    sharp = [sharpness(image) for image in (person, *blurred)]
    assert sharp == sorted(sharp, reverse=True)
    assert sharp[0] == 1.0
    assert sharp[-1] < 0.1
    assert quality(blurred[-1], box(100), PICTURE, 1, 1) < quality(person, box(100), PICTURE, 1, 1)


def test_sharpness_is_not_a_matter_of_size(person):
    large = cv2.resize(person, (128, 256), interpolation=cv2.INTER_NEAREST)
    assert sharpness(large) == pytest.approx(sharpness(person), abs=0.05)
    assert sharpness(np.full((3, 1, 3), 90, np.uint8)) == 0


@pytest.mark.parametrize(
    ("where", "share"),
    [
        ((100, 100, 150, 200), 1),
        ((0, 100, 50, 200), 0.5),
        ((100, 380, 150, 480), 0.5),
        ((0, 380, 50, 480), 0.25),
        ((0, 0, 640, 480), 0.25),
        ((-20, 100, 50, 200), 0.5),
    ],
)
def test_what_touches_the_border_is_cut_off(where, share):
    assert truncation(np.array(where), *PICTURE) == share


BOXES = st.lists(st.tuples(*[st.integers(0, 12)] * 2, *[st.integers(1, 8)] * 2), min_size=1, max_size=6)


@settings(deadline=None)
@given(BOXES)
def test_clearance_is_what_no_single_nearer_person_covers(drawn):
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in drawn], np.float32)
    masks = []
    for x1, y1, x2, y2 in boxes.astype(int):
        mask = np.zeros((20, 20), bool)
        mask[y1:y2, x1:x2] = True
        masks.append(mask)
    for i, clear in enumerate(clearance(boxes)):
        hidden = [(masks[i] & masks[j]).sum() for j in range(len(boxes)) if boxes[j, 3] > boxes[i, 3]]
        assert clear == pytest.approx(1 - max(hidden, default=0) / masks[i].sum())
