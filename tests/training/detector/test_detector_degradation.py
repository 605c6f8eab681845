"""How bad cameras store pictures."""

import numpy as np
import pytest

from vidreid.training.detector.augmentation import Augmentation
from vidreid.training.detector.degradation import degraded

WAYS = ("colour", "dark", "grey", "blur", "small", "noise", "jpeg")


@pytest.fixture(scope="module")
def picture():
    """Coloured squares of many pixels, and a fine pattern."""
    rng = np.random.default_rng(0)
    image = rng.integers(40, 220, (8, 12, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    image[::3, ::2] //= 2
    return image


def worse(picture, seed=0, **chances):
    return degraded(picture, Augmentation(**chances), np.random.default_rng(seed))


def test_at_no_chance_a_picture_stays_as_it_is(picture):
    for seed in range(10):
        assert np.array_equal(worse(picture, seed), picture)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_changes_the_picture_and_not_its_kind(picture, way):
    before = picture.copy()
    for seed in range(10):
        found = worse(picture, seed, **{way: 1.0})
        assert (found.shape, found.dtype) == (picture.shape, np.uint8)
        assert not np.array_equal(found, picture)
    assert np.array_equal(picture, before)


@pytest.mark.parametrize("way", WAYS)
def test_a_seed_repeats_it(picture, way):
    first, again, other = (worse(picture, seed, **{way: 1.0}) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert way == "grey" or not np.array_equal(first, other)


@pytest.mark.parametrize("way", WAYS)
def test_it_happens_as_often_as_asked_for(picture, way):
    changed = sum(not np.array_equal(worse(picture, seed, **{way: 0.3}), picture) for seed in range(200))
    assert 35 <= changed <= 85


def test_light_and_colour_change_a_picture_of_one_grey():
    """Exposure is a gain of all it shows, the middle of the range as well; a cast is another gain a colour."""
    flat = np.full((8, 8, 3), 128, np.uint8)
    shown = np.array([worse(flat, seed, colour=1.0)[0, 0] for seed in range(50)], int)
    light, cast = shown.mean(1), np.ptp(shown, axis=1)
    assert light.min() < 110
    assert light.max() > 146
    assert np.median(cast) > 8


def test_infrared_has_no_colours(picture):
    red, green, blue = worse(picture, grey=1.0).transpose(2, 0, 1)
    assert np.array_equal(red, green)
    assert np.array_equal(green, blue)


def test_little_light_is_dim(picture):
    assert all(worse(picture, seed, dark=1.0).mean() < 0.9 * picture.mean() for seed in range(10))


@pytest.mark.parametrize("way", ["blur", "small"])
def test_fine_patterns_are_lost_and_the_light_stays(picture, way):
    def edges(image):
        return np.abs(np.diff(image.astype(int), axis=0)).mean()

    for seed in range(10):
        found = worse(picture, seed, **{way: 1.0})
        assert edges(found) < 0.9 * edges(picture)
        assert found.mean() == pytest.approx(picture.mean(), abs=4)


def test_noise_is_grain_around_the_picture(picture):
    found = worse(picture, noise=1.0).astype(int) - picture
    assert abs(found.mean()) < 1
    assert 1 < found.std() < 16


def test_a_recorder_keeps_the_colours_and_loses_detail(picture):
    """Red stays red: pictures are RGB on both sides."""
    red = np.full((32, 32, 3), (200, 40, 60), np.uint8)
    assert np.abs(worse(red, jpeg=1.0).astype(int) - red).max() < 12
    assert np.abs(worse(picture, jpeg=1.0).astype(int) - picture).mean() < 30


def test_all_at_once_is_still_a_picture(picture):
    found = worse(picture, **dict.fromkeys(WAYS, 1.0))
    assert (found.shape, found.dtype) == (picture.shape, np.uint8)
    assert np.ptp(found) > 20
