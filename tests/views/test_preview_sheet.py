"""The picture of a dry run."""

import cv2
import numpy as np
import pytest

from vidreid.pipeline.preview import CameraLook, Look
from vidreid.types import Scene
from vidreid.views.preview_sheet import (
    GOOD,
    INSIDE,
    LARGE,
    LEFT_OUT,
    MARGIN,
    OUTSIDE,
    PAGE,
    THUMB,
    TITLE,
    WEAK,
    WIDTH,
    draw_camera,
    write_sheet,
)

WIDE, TALL = 1280, 720
TALL_BOX, SMALL_BOX, OUTSIDE_BOX = (100, 100, 200, 400), (600, 300, 630, 350), (1000, 200, 1100, 500)
LOWER_LEFT = ((0.05, 0.95), (0.4, 0.95), (0.4, 0.7), (0.05, 0.7))
UPPER_RIGHT = ((0.6, 0.05), (0.95, 0.05), (0.95, 0.2), (0.6, 0.2))


def seen(size=(WIDE, TALL), looks=20, boxes=(TALL_BOX, SMALL_BOX, OUTSIDE_BOX), scene=None):
    """A grey camera in which these people stand; the last of them does not count."""
    image = np.full((size[1] // 2, size[0] // 2, 3), 90, np.uint8)
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    counts = np.arange(len(boxes)) < 2
    found = [Look(index, image, 0.5, corners, counts) for index in range(looks)]
    return CameraLook("gate", size, 25.0, "2 stamps read", [], scene or Scene(), found)


def colour_at(band, x, y, size=(WIDE, TALL)):
    """The colour of the large picture where the footage has the place x, y."""
    scale = min(LARGE[0] / size[0], LARGE[1] / size[1])
    return tuple(band[TITLE + round(y * scale), MARGIN + round(x * scale)].tolist())


def near(colour, other, by=60):
    return np.abs(np.subtract(colour, other)).max() <= by


def test_boxes_say_who_is_tall_enough_small_and_left_out():
    band = draw_camera(seen())
    for box, colour in ((TALL_BOX, GOOD), (SMALL_BOX, WEAK), (OUTSIDE_BOX, LEFT_OUT)):
        assert near(colour_at(band, box[0], (box[1] + box[3]) / 2), colour)


def test_polygons_are_drawn():
    band = draw_camera(seen(boxes=(), scene=Scene(include=(LOWER_LEFT,), ignore=(UPPER_RIGHT,))))
    assert near(colour_at(band, 0.2 * WIDE, 0.95 * TALL), INSIDE)
    assert near(colour_at(band, 0.8 * WIDE, 0.05 * TALL), OUTSIDE)
    inside, outside = colour_at(band, 0.2 * WIDE, 0.8 * TALL), colour_at(band, 0.5 * WIDE, 0.5 * TALL)
    assert outside == (90, 90, 90)
    assert inside[2] > 90


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (640, 480), (3000, 500), (64, 48)])
@pytest.mark.parametrize("looks", [0, 1, 20])
def test_pictures_of_any_shape_fit(size, looks):
    band = draw_camera(seen(size, looks, boxes=()))
    assert band.shape[1] == WIDTH
    assert band.shape[0] <= TITLE + max(LARGE[1], 4 * (THUMB[1] + 8)) + 40
    assert (band[:, -MARGIN // 2 :] == PAGE).all()


def test_the_sheet_is_a_png_of_all_cameras(tmp_path):
    bands = [draw_camera(seen()), draw_camera(seen(size=(640, 480), looks=3))]
    write_sheet(tmp_path / "preview.png", bands)
    image = cv2.imread(str(tmp_path / "preview.png"))
    assert image.shape[1] == WIDTH
    assert image.shape[0] > sum(map(len, bands))
    assert (image[-len(bands[1]) :, :, ::-1] == bands[1]).all()
