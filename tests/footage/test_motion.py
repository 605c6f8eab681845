"""Motion is what differs from the background by more than its noise, its light and its trembling edges."""

import copy
import functools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.footage.motion import WIDTH, Motion

RATE = 12.5
LEARNT = 10  # seconds in which the noise of the scene has been learnt


def scene(height: int = 180, width: int = WIDTH, seed: int = 0) -> np.ndarray:
    """A textured picture, float32."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(60, 180, (height // 12, width // 12)).astype(np.float32)
    return cv2.resize(coarse, (width, height))


def camera(picture: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """What a camera makes of a picture; uint8."""
    return np.clip(picture + rng.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)


def answers(pictures: list[np.ndarray], motion: Motion | None = None, start: float = 0.0) -> list[bool]:
    motion = motion or Motion()
    return [motion.moves(picture, start + number / RATE) for number, picture in enumerate(pictures)]


def learnt(noise: float = 2.0) -> tuple[Motion, np.random.Generator]:
    """The background after `LEARNT` seconds of the empty scene."""
    return copy.deepcopy(_learnt(noise))


@functools.cache
def _learnt(noise: float) -> tuple[Motion, np.random.Generator]:
    motion, rng = Motion(), np.random.default_rng(1)
    answers([camera(scene(), noise, rng) for _ in range(int(LEARNT * RATE))], motion)
    return motion, rng


@pytest.mark.parametrize("noise", [0.0, 2.0, 8.0], ids=["still", "day", "night"])
def test_noise_is_no_motion_once_it_is_learnt(noise: float) -> None:
    motion, rng = learnt(noise)
    assert not any(answers([camera(scene(), noise, rng) for _ in range(100)], motion, LEARNT))


def test_the_first_picture_is_the_background() -> None:
    assert answers([scene().astype(np.uint8)] * 2) == [False, False]


@settings(deadline=None, max_examples=10)
@given(step=st.floats(-30, 30), slope=st.floats(-0.15, 0.15))
def test_light_is_no_motion(step: float, slope: float) -> None:
    motion, rng = learnt()
    light = step + slope * (np.arange(WIDTH, dtype=np.float32) - WIDTH / 2)
    lit = [camera(np.clip(scene() + light, 0, 255), 2.0, rng) for _ in range(25)]
    assert not any(answers(lit, motion, LEARNT))


def test_a_camera_that_trembles_by_a_tenth_of_a_pixel_moves_nothing() -> None:
    board = np.kron(np.indices((9, 16)).sum(0) % 2, np.ones((20, 20))).astype(np.float32) * 150 + 50
    rng = np.random.default_rng(2)

    def tremble(amount: float) -> np.ndarray:
        return np.asarray(cv2.warpAffine(board, np.float32([[1, 0, amount], [0, 1, 0]]), (WIDTH, 180), borderMode=1))

    assert not any(answers([camera(tremble(rng.uniform(-0.1, 0.1)), 1.0, rng) for _ in range(100)]))


@pytest.mark.parametrize("shrunk", [1, 2, 4], ids=["320", "640", "1280"])
@pytest.mark.parametrize("contrast", [-60, 60], ids=["dark", "bright"])
def test_a_walking_person_of_20_pixels_is_seen_within_four_pictures(shrunk: int, contrast: int) -> None:
    motion, rng = learnt()
    size = 180 * shrunk, WIDTH * shrunk
    seen = []
    for number in range(6):
        picture = cv2.resize(scene(), size[::-1])
        left = 100 * shrunk + 3 * number
        picture[60 * shrunk : 60 * shrunk + 20, left : left + 7] += contrast
        seen.append(cv2.resize(picture, (WIDTH, 180), interpolation=cv2.INTER_AREA))
    assert any(answers([camera(picture, 2.0, rng) for picture in seen], motion, LEARNT)[:4])


def test_who_comes_and_stands_still_is_seen_for_some_seconds_and_then_background() -> None:
    motion, rng = learnt()
    picture = scene()
    picture[60:100, 100:115] += 60
    seen = answers([camera(picture, 2.0, rng) for _ in range(int(30 * RATE))], motion, LEARNT)
    assert all(seen[1 : int(3 * RATE)])
    assert not any(seen[int(25 * RATE) :])


def test_people_are_no_noise_where_it_is_not_to_be_learnt() -> None:
    """Someone may move about for long, a faint one in the same place is still seen after it."""

    def seen_after(learn: bool) -> bool:
        motion, rng = learnt()
        for number in range(int(20 * RATE)):
            picture = scene()
            picture[60:100, 90 + number % 20 : 105 + number % 20] += 60
            motion.moves(camera(picture, 2.0, rng), LEARNT + number / RATE, learn=learn)
        answers([camera(scene(), 2.0, rng) for _ in range(int(20 * RATE))], motion, LEARNT + 20)
        picture = scene()
        picture[60:100, 100:115] += 15
        return any(answers([camera(picture, 2.0, rng) for _ in range(3)], motion, LEARNT + 40))

    assert seen_after(learn=False)
    assert not seen_after(learn=True)


def test_pictures_are_compared_some_time_apart() -> None:
    motion = Motion()
    picture = scene().astype(np.uint8)
    compared = []
    for number in range(50):
        if motion.due(number / 25):
            motion.moves(picture, number / 25)
            compared.append(number)
    assert compared == list(range(0, 50, 2))
