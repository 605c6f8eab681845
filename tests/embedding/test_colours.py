"""Clothing's colours as a vector."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.embedding.colours import SPEC, Colours
from vidreid.types import Crop

RED, WHITE, NAVY, GREEN, GREY, PURPLE, BEIGE = (
    (186, 38, 42),
    (222, 222, 216),
    (34, 44, 92),
    (46, 112, 62),
    (128, 130, 134),
    (98, 52, 122),
    (178, 156, 118),
)
STREET, WALL = (150, 145, 140), (120, 122, 110)


def dressed(top, trousers, *, behind=STREET, cast=(1, 1, 1), gamma=1.0, sway=0, seed=0, height=120):
    """A crop of somebody in a top and trousers before a background, under the light of one camera."""
    image = np.full((120, 60, 3), behind, np.float64)
    middle = 30 + sway
    cv2.ellipse(image, (middle, 14), (7, 10), 0, 0, 360, (200, 160, 130), -1)
    image[24:64, middle - 14 : middle + 14] = top
    image[64:112, middle - 12 : middle + 12] = trousers
    image += np.random.default_rng(seed).normal(0, 6, image.shape)
    seen = 255 * (np.clip(image * cast, 0, 255) / 255) ** gamma
    picture = cv2.resize(np.clip(seen, 0, 255).astype(np.uint8), (height // 2, height))
    return Crop(picture, np.array([0, 0, height / 2, height], np.float32), 0.8)


def likeness(one, other):
    first, second = Colours().embed([[one], [other]])
    return float(first @ second)


OUTFITS = [(RED, NAVY), (WHITE, NAVY), (GREEN, BEIGE), (GREY, GREY), (PURPLE, WHITE), (NAVY, RED)]
CASTS = [
    {"cast": (1.05, 1, 0.9)},
    {"cast": (0.92, 0.97, 1.08)},
    {"gamma": 1.25},
    {"behind": WALL, "cast": (0.9, 1, 0.95)},
]


@pytest.mark.parametrize("light", CASTS, ids=str)
def test_the_same_clothing_under_another_light_is_more_alike_than_other_clothing(light):
    known = [dressed(*outfit) for outfit in OUTFITS]
    for number, outfit in enumerate(OUTFITS):
        again = dressed(*outfit, **light, seed=1, sway=2, height=90)
        same = likeness(again, known[number])
        others = [likeness(again, other) for i, other in enumerate(known) if i != number]
        assert same > max(others)


def test_what_is_the_same_reaches_the_threshold_and_what_is_not_stays_below():
    shirt, coat = dressed(PURPLE, NAVY), dressed((40, 70, 150), BEIGE)
    assert likeness(shirt, dressed(PURPLE, NAVY, seed=1, sway=-2, cast=(1.04, 1, 0.95))) > SPEC.threshold
    assert likeness(shirt, coat) < SPEC.threshold


def test_the_background_hardly_counts():
    before_street, before_wall = dressed(RED, NAVY, behind=STREET), dressed(RED, NAVY, behind=WALL)
    assert likeness(before_street, before_wall) > likeness(before_street, dressed(GREEN, BEIGE, behind=STREET))


def test_top_and_trousers_are_not_exchangeable():
    assert likeness(dressed(RED, NAVY), dressed(NAVY, RED)) < SPEC.threshold


def test_a_clip_does_not_depend_on_the_other_clips():
    clips = [[dressed(*outfit), dressed(*outfit, seed=5)] for outfit in OUTFITS]
    together = Colours().embed(clips)
    for clip, vector in zip(clips, together, strict=True):
        np.testing.assert_array_equal(Colours().embed([clip])[0], vector)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(0, 255))
def test_any_picture_gives_a_unit_vector(height, width, seed, brightness):
    noise = np.random.default_rng(seed).integers(0, brightness + 1, (height, width, 3), np.uint8)
    flat = np.full((height, width, 3), brightness, np.uint8)
    box = np.array([0, 0, width, height], np.float32)
    vectors = Colours().embed([[Crop(noise, box, 0.0)], [Crop(flat, box, 1.0)]])
    assert vectors.shape == (2, SPEC.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
