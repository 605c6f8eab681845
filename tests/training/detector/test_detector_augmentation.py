"""Views of pictures: boxes go where the pixels go, and a seed repeats a view."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.errors import InputError
from vidreid.training.detector.augmentation import CUT, SMALLEST, Augmentation, View, pasted, view

STILL = Augmentation(flip=0, zoom=(1, 1), turn=0, aim=0)
SIZE = 160


def still(**changes) -> Augmentation:
    """Nothing is changed but what is asked for."""
    return Augmentation(**{"flip": 0.0, "zoom": (1.0, 1.0), "turn": 0.0, "aim": 0.0} | changes)


def scene(box, *, width=320, height=240, oval=False):
    """A dark picture with one green person, and his box."""
    image = np.full((height, width, 3), 30, np.uint8)
    x1, y1, x2, y2 = box
    if oval:
        y, x = np.mgrid[:height, :width] + 0.5
        inner = ((x - (x1 + x2) / 2) / (x2 - x1)) ** 2 + ((y - (y1 + y2) / 2) / (y2 - y1)) ** 2 <= 0.25
        image[inner] = (30, 230, 30)
    else:
        image[y1:y2, x1:x2] = (30, 230, 30)
    return image, np.array([box], np.float32)


def green(image):
    return image[..., 1].astype(int) - image[..., 0] > 100


def seen_box(image) -> list[int]:
    """Where the green person is: x1, y1, x2, y2."""
    rows, columns = np.flatnonzero(green(image).any(1)), np.flatnonzero(green(image).any(0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


def look(box, wanted, seed, *, natural=160, size=SIZE, **options) -> View:
    image, boxes = scene(box, **options)
    return view(image, boxes, size, natural, wanted, np.random.default_rng(seed))


seeds = st.integers(0, 10_000)
people = st.tuples(st.integers(4, 260), st.integers(4, 170), st.integers(14, 50), st.integers(30, 60)).map(
    lambda side: (side[0], side[1], side[0] + side[2], side[1] + side[3])
)


@given(people, seeds, st.sampled_from([0.0, 1.0]), st.floats(0.4, 1.8))
def test_boxes_follow_pixels_through_zoom_and_flip(box, seed, flip, zoom):
    seen = look(box, still(flip=flip, zoom=(zoom, zoom)), seed)
    for found in seen.boxes:
        np.testing.assert_allclose(found, seen_box(seen.image), atol=0.85)


@given(people, seeds, st.floats(1.0, 4.0))
def test_small_pictures_are_made_larger_exactly(box, seed, zoom):
    """Half a pixel's mistake in where pixels are would be two pixels here."""
    seen = look(box, still(flip=0.5, zoom=(zoom, zoom), aim=1.0), seed, natural=320, size=256)
    for found in seen.boxes:
        np.testing.assert_allclose(found, seen_box(seen.image), atol=0.85)


@given(people, seeds, st.floats(0, 6))
def test_boxes_follow_pixels_through_a_turn(box, seed, turn):
    """An oval's box turns with it; a box around a box's turned corners would be too large."""
    seen = look(box, still(turn=turn, aim=1.0), seed, natural=240, oval=True)
    for found, cut in zip(seen.boxes, seen.cut, strict=True):
        if not cut and found.min() > 0 and found.max() < SIZE:
            np.testing.assert_allclose(found, seen_box(seen.image), atol=1.5)


@given(people, seeds)
def test_boxes_follow_pixels_through_a_lens_that_bends(box, seed):
    seen = look(box, still(fisheye=1.0, flip=0.5), seed, oval=True)
    for found, cut in zip(seen.boxes, seen.cut, strict=True):
        if not cut and found.min() > 0 and found.max() < SIZE:
            np.testing.assert_allclose(found, seen_box(seen.image), atol=1.5)


@given(seeds, st.floats(0.4, 3))
def test_nobody_is_asked_for_where_the_lens_shows_none_of_him(seed, zoom):
    """Most people are outside a straight window: the lens shows them as the picture has them, or not at all."""
    boxes = np.array([(x, y, x + 20, y + 44) for x in range(4, 300, 40) for y in range(4, 200, 60)])
    image = np.full((240, 320, 3), 30, np.uint8)
    for x1, y1, x2, y2 in boxes:
        image[y1:y2, x1:x2] = (30, 230, 30)
    wanted = still(fisheye=1.0, zoom=(zoom, zoom), aim=1.0)
    seen = view(image, boxes.astype(np.float32), SIZE, 320, wanted, np.random.default_rng(seed))
    for x1, y1, x2, y2 in seen.boxes[~seen.cut].round().astype(int):
        assert green(seen.image)[y1:y2, x1:x2].mean() > 0.6


def test_a_flip_mirrors_and_does_no_more():
    box = (40, 30, 70, 120)
    plain, mirrored = (look(box, still(flip=flip), 0, natural=320, size=320) for flip in (0.0, 1.0))
    assert np.array_equal(mirrored.image[:, ::-1], plain.image)
    assert mirrored.boxes[0, [2, 0]].tolist() == (320 - plain.boxes[0, [0, 2]]).tolist()


@given(people, seeds, st.floats(0.5, 3.0))
def test_who_is_mostly_outside_is_cut(box, seed, zoom):
    """As much of him as the view shows of his pixels."""
    wanted = still(zoom=(zoom, zoom))
    image, boxes = scene(box)
    seen = view(image, boxes, SIZE, 160, wanted, np.random.default_rng(seed))
    shown = green(seen.image).sum() / ((box[2] - box[0]) * (box[3] - box[1]) * (zoom / 2) ** 2)
    if len(seen.boxes) and abs(shown - CUT) > 0.12:
        assert seen.cut.tolist() == [bool(shown < CUT)]
    if not len(seen.boxes):
        assert shown < 0.15


def test_who_is_too_small_is_cut():
    for height, cut in ((SMALLEST - 1, True), (SMALLEST + 1, False)):
        seen = look((100, 100, 120, 100 + int(height * 2)), STILL, 0)  # at half its size
        assert seen.cut.tolist() == [cut]


def test_who_is_outside_has_no_box():
    gone = [look((4, 4, 20, 34), still(zoom=(3, 3)), seed) for seed in range(20)]
    assert any(len(seen.boxes) == 0 for seen in gone)
    assert all(not green(seen.image).any() for seen in gone if not len(seen.boxes))


@given(people, seeds)
def test_where_it_is_asked_for_somebody_is_in_view(box, seed):
    seen = look(box, still(aim=1.0, zoom=(3, 3)), seed)
    assert len(seen.boxes) == 1
    assert green(seen.image).any()


@given(people, seeds)
def test_boxes_are_within_the_view(box, seed):
    everything = Augmentation(turn=10, zoom=(0.4, 4), fisheye=0.5)
    seen = look(box, everything, seed)
    assert (seen.image.shape, seen.image.dtype, seen.boxes.dtype) == ((SIZE, SIZE, 3), np.uint8, np.float32)
    assert seen.boxes.shape == (len(seen.cut), 4)
    assert ((seen.boxes >= 0) & (seen.boxes <= SIZE)).all()
    assert (seen.boxes[:, 2:] > seen.boxes[:, :2]).all()


def test_a_seed_repeats_a_view_and_another_does_not():
    everything = Augmentation(turn=10, fisheye=0.5)
    first, again, other = (look((100, 60, 140, 160), everything, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.boxes, again.boxes)
    assert not np.array_equal(first.image, other.image)


def test_a_picture_without_people_is_seen_as_well():
    seen = view(scene((1, 1, 2, 2))[0], np.zeros((0, 4), np.float32), 64, 160, Augmentation(), np.random.default_rng(0))
    assert (seen.image.shape, seen.boxes.shape, seen.cut.shape) == ((64, 64, 3), (0, 4), (0,))


@pytest.mark.parametrize(("width", "height"), [(40, 400), (400, 40)])
def test_a_picture_of_any_shape_is_all_in_view_where_there_is_room(width, height):
    seen = look((10, 10, 30, 30), STILL, 0, width=width, height=height, natural=160)
    np.testing.assert_allclose(seen.boxes[0], seen_box(seen.image), atol=1)
    assert not seen.cut.any()


# People pasted in

person_pictures = st.tuples(st.integers(48, 160), st.floats(1.8, 4.4)).map(
    lambda shape: np.full((shape[0], round(shape[0] / shape[1]), 3), (30, 230, 30), np.uint8)
)


def nobody(shade: int) -> View:
    return View(np.full((SIZE, SIZE, 3), shade, np.uint8), np.zeros((0, 4), np.float32), np.zeros(0, bool))


@given(st.lists(people, max_size=4), st.lists(person_pictures, max_size=12), seeds)
def test_all_who_are_pasted_cover_nobody_by_more_than_a_third(boxes, pictures, seed):
    """Neither those who were there, one of them near, nor each other: whoever is behind shows two thirds of himself."""
    boxes = [*boxes, (100, 0, 220, 320)]
    before = View(
        np.full((SIZE, SIZE, 3), 30, np.uint8),
        np.array(boxes, np.float32).reshape(-1, 4) / 2,
        np.zeros(len(boxes), bool),
    )
    after = pasted(before, pictures, np.random.default_rng(seed))
    assert np.array_equal(after.boxes[: len(boxes)], before.boxes)
    added = after.boxes[len(boxes) :]
    assert len(added) <= len(pictures)
    assert not after.cut.any()
    assert ((added >= 0) & (added <= SIZE)).all()
    for number, box in enumerate(after.boxes):
        x1, y1, x2, y2 = (box * 2).astype(int)  # labels are at whole halves of pixels
        free = np.ones((y2 - y1, x2 - x1), bool)
        for a1, b1, a2, b2 in (after.boxes[max(number + 1, len(boxes)) :] * 2).astype(int):
            free[max(b1 - y1, 0) : max(b2 - y1, 0), max(a1 - x1, 0) : max(a2 - x1, 0)] = False
        assert free.mean() >= 2 / 3 - 1e-6


@given(st.lists(person_pictures, min_size=1, max_size=4), seeds)
def test_whoever_is_pasted_is_no_larger_than_he_was(pictures, seed):
    """Enlarged he would be blurred, and people would be known by it."""
    tallest = min(120, SIZE / 2, max(len(picture) for picture in pictures))
    after = pasted(nobody(100), pictures, np.random.default_rng(seed))
    heights = after.boxes[:, 3] - after.boxes[:, 1]
    assert ((heights >= 30) & (heights <= tallest)).all()


@given(person_pictures, seeds)
def test_whoever_is_pasted_is_where_his_box_says_and_the_view_before_stays(person, seed):
    before = nobody(100)
    after = pasted(before, [person], np.random.default_rng(seed))
    assert (before.image == 100).all()
    (box,) = after.boxes
    changed = (after.image != 100).any(2)
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    np.testing.assert_allclose([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], box, atol=2.5)
    middle = ((box[:2] + box[2:]) / 2).astype(int)
    assert green(after.image[middle[1] : middle[1] + 1, middle[0] : middle[0] + 1]).all()


def test_nobody_is_pasted_where_there_is_no_room():
    before = View(np.zeros((64, 64, 3), np.uint8), np.array([[0, 0, 64, 64]], np.float32), np.zeros(1, bool))
    wide = np.zeros((60, 200, 3), np.uint8)
    assert pasted(before, [wide, wide], np.random.default_rng(0)) is before


@pytest.mark.parametrize(
    "changes", [{"flip": 1.5}, {"jpeg": -0.1}, {"zoom": (0, 1)}, {"zoom": (2, 1)}, {"turn": 90}], ids=str
)
def test_what_cannot_be_meant_is_refused(changes):
    with pytest.raises(InputError, match=next(iter(changes))):
        Augmentation(**changes)


def test_the_pictures_themselves_are_not_changed():
    image, boxes = scene((100, 60, 140, 160))
    kept = image.copy(), boxes.copy()
    view(image, boxes, SIZE, 160, Augmentation(fisheye=1), np.random.default_rng(0))
    assert np.array_equal(image, kept[0])
    assert np.array_equal(boxes, kept[1])


def test_opencv_reads_a_shift_as_it_is_meant():
    """What the exactness above rests on: a pixel's middle lies at half a number."""
    image = np.zeros((4, 4, 3), np.uint8)
    image[1, 1] = 255
    twice = cv2.warpAffine(image, np.array([[2, 0, 0.5], [0, 2, 0.5]]), (8, 8))
    assert twice[2:4, 2:4].min() > 100
    assert twice[:2].max() < twice[2:4, 2:4].min()
