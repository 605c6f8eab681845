"""A camera sees its view of a file's pictures, and people count by where they stand in it."""

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from films import FILMS, decode, whole
from hypothesis import given
from hypothesis import strategies as st

from vidreid.errors import InputError
from vidreid.footage.decode import SegmentDecoder
from vidreid.footage.scene import as_seen, check_scene, foot_points, standing, within
from vidreid.types import WHOLE, Scene

KINDS = ["plain mp4", "turned by 90 degrees", "turned by 180 degrees", "turned by 270 degrees", "tall pixels"]
KINDS += ["wide pixels", "turned, wide pixels", "odd sizes", "interlaced"]
QUARTERS = [(x, y, 0.5, 0.5) for y in (0.0, 0.5) for x in (0.0, 0.5)]
VIEWS = [*QUARTERS, (0.1, 0.2, 0.33, 0.5), (0.9, 0.95, 0.1, 0.05), (0.4999, 0.0, 0.0001, 1.0)]
TRIANGLE = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))

share = st.integers(0, 20).map(lambda number: number / 20)
corners = st.tuples(share, share)
polygons = st.lists(corners, min_size=3, max_size=7).map(tuple)


# What is seen


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_view_is_that_part_of_the_upright_picture(made, kind, view) -> None:
    path, file = made(FILMS[kind])
    seen = as_seen(file, Scene(view=view))
    left, upper, width, height = seen.view
    assert (width, height) == (file.width, file.height)
    assert (left, upper) == (round(view[0] * width), round(view[1] * height))
    [segment] = whole(replace(file, pts=file.pts[:2], key=file.key[:1]))
    for index, image in decode(path, seen, [segment]).items():
        assert image.shape == (seen.height, seen.width, 3)
        all_of_it = decode(path, file, [segment])[index]
        assert (image == all_of_it[upper : upper + seen.height, left : left + seen.width]).all()


@pytest.mark.parametrize(
    "kind", ["plain mp4", "turned by 90 degrees", "turned by 180 degrees", "turned by 270 degrees"]
)
def test_the_motion_gate_sees_nothing_but_the_view(made, kind) -> None:
    path, file = made(FILMS[kind])
    [segment] = whole(file)
    turns = file.rotation // 90
    upright = np.rot90(next(SegmentDecoder(path, file, segment).frames()).luma(1000), turns)
    for view in VIEWS:
        seen = as_seen(file, Scene(view=view))
        bright = np.rot90(next(SegmentDecoder(path, seen, segment).frames()).luma(1000), turns)
        left, upper = seen.view[:2]
        assert (bright == upright[upper : upper + seen.height, left : left + seen.width]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_even_the_smallest_view_has_brightness(made, kind) -> None:
    path, file = made(FILMS[kind])
    [segment] = whole(file)
    for view in VIEWS:
        frame = next(SegmentDecoder(path, as_seen(file, Scene(view=view)), segment).frames())
        assert frame.luma(8).size >= 1


@given(st.integers(2, 2000), st.integers(2, 2000))
def test_the_quarters_of_a_picture_share_no_pixel_and_leave_none_out(made_file, width: int, height: int) -> None:
    file = replace(made_file, width=width, height=height)
    upper_left, upper_right, lower_left, _ = (as_seen(file, Scene(view=view)) for view in QUARTERS)
    assert upper_left.width + upper_right.width == width
    assert upper_left.height + lower_left.height == height
    assert upper_right.view[:2] == (upper_left.width, 0)
    assert lower_left.view[:2] == (0, upper_left.height)


def test_a_view_of_all_is_none(made_file) -> None:
    assert as_seen(made_file, Scene(view=(0.0, 0.0, 1.0, 1.0))) == made_file == as_seen(made_file, WHOLE)


def test_interlaced_footage_is_named(made) -> None:
    assert as_seen(made(FILMS["plain mp4"])[1], WHOLE).notes == ()
    assert as_seen(made(FILMS["interlaced"])[1], WHOLE).notes == (
        "interlaced: of each picture one field is shown, half of its lines",
    )


def test_of_an_interlaced_picture_one_moment_is_shown(made) -> None:
    """Its fields show complementary numbers; of the first picture all bits are dark in the one, light in the other."""
    path, file = made(FILMS["interlaced"])
    image = decode(path, file, whole(file))[0]
    assert image[file.height // 4 + 2 :].max() < 60


# Where people count


def crossings(x: Fraction, y: Fraction, polygon) -> bool:
    """Whether a ray to the right crosses the outline an odd number of times, in exact numbers."""
    inside = False
    exact = [(Fraction(a), Fraction(b)) for a, b in polygon]
    for (x1, y1), (x2, y2) in itertools.pairwise([*exact, exact[0]]):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
    return inside


@given(polygons, st.lists(st.tuples(st.integers(0, 64), st.integers(0, 64)), min_size=1, max_size=20))
def test_points_are_in_a_polygon_as_a_slow_reference_says(polygon, places) -> None:
    # Shares of 2^-k, off the outlines: what lies exactly on them is nobody's business.
    points = [(Fraction(x, 64) + Fraction(1, 1000), Fraction(y, 64) + Fraction(1, 777)) for x, y in places]
    expected = [crossings(x, y, polygon) for x, y in points]
    assert within(np.array(points, float), polygon).tolist() == expected


@given(polygons, st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=9), st.integers(0, 6))
def test_it_does_not_matter_with_which_corner_or_which_way_round_it_begins(polygon, points, start) -> None:
    where = np.array(points)
    turned = polygon[start % len(polygon) :] + polygon[: start % len(polygon)]
    for other in (turned, polygon[::-1]):
        far = np.abs(where[:, None] - np.array(polygon)).min(axis=(1, 2)) > 1e-6
        assert (within(where, polygon) == within(where, other))[far].all() or on_an_edge(where, polygon)


def on_an_edge(where, polygon) -> bool:
    ends = np.array(polygon), np.roll(np.array(polygon), -1, axis=0)
    along = ends[1] - ends[0]
    away = where[:, None] - ends[0]
    return bool((np.abs(along[..., 0] * away[..., 1] - along[..., 1] * away[..., 0]) < 1e-9).any())


def box(x: float, y: float, height: float = 20.0) -> list[float]:
    """A box on the foot point (x, y) in pixels."""
    return [x - 4, y - height, x + 4, y]


def counted(file, scene: Scene, *boxes: list[float]) -> list[bool]:
    return standing(scene, [file], np.zeros(len(boxes), np.int64), np.array(boxes, np.float32)).tolist()


def test_a_box_counts_by_its_foot_whatever_its_head_does(made_file) -> None:
    lower = ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))  # of 64 x 48 pixels
    boxes = [box(30, 40), box(30, 20), box(30, 40, height=39), box(30, 23, height=5)]
    assert counted(made_file, Scene(include=(lower,)), *boxes) == [True, False, True, False]
    assert counted(made_file, Scene(ignore=(lower,)), *boxes) == [False, True, False, True]


def test_who_stands_at_the_border_or_beyond_it_stands_in_the_picture(made_file) -> None:
    everything = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    boxes = [box(0, 48), box(64, 48), box(70, 60), box(-5, 30), box(30, 0)]
    assert counted(made_file, Scene(include=(everything,)), *boxes) == [True] * 5


def test_several_polygons_add_up_and_ignore_goes_before_include(made_file) -> None:
    left, right = (((a, 0.0), (b, 0.0), (b, 1.0), (a, 1.0)) for a, b in ((0.0, 0.3), (0.7, 1.0)))
    boxes = [box(5, 30), box(32, 30), box(60, 30)]
    assert counted(made_file, Scene(include=(left, right)), *boxes) == [True, False, True]
    assert counted(made_file, Scene(ignore=(left, right)), *boxes) == [False, True, False]
    assert counted(made_file, Scene(include=(left, right), ignore=(left,)), *boxes) == [False, False, True]
    assert counted(made_file, WHOLE, *boxes) == [True] * 3


def test_polygons_are_of_the_view_and_of_each_file_by_its_size(made_file) -> None:
    large = replace(made_file, width=640, height=480, first=60)
    left = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    boxes = np.array([box(20, 30), box(20, 30), box(200, 300), box(400, 300)], np.float32)
    frames = np.array([0, 60, 61, 119])
    assert standing(Scene(include=(left,)), [made_file, large], frames, boxes).tolist() == [True, True, True, False]
    seen = as_seen(made_file, Scene(view=(0.5, 0, 0.5, 1), include=(left,)))
    assert counted(seen, Scene(include=(left,)), box(10, 30), box(20, 30)) == [True, False]


@given(st.lists(st.tuples(*[st.floats(-100, 100, width=32)] * 4), min_size=1), st.integers(1, 100), st.integers(1, 100))
def test_a_foot_is_always_within_the_picture(boxes, width: int, height: int) -> None:
    feet = foot_points(np.array(boxes, np.float32), np.array([[width, height]] * len(boxes)))
    assert (feet > 0).all()
    assert (feet < 1).all()


# What cannot be meant


@pytest.mark.parametrize(
    "view",
    [
        (0.5, 0.0, 0.6, 0.5),
        (0.0, 0.5, 0.5, 0.6),
        (-0.1, 0, 0.5, 0.5),
        (0, 0, 0, 0.5),
        (0, 0, float("nan"), 1),
        (2, 0, 1, 1),
    ],
)
def test_a_view_outside_of_the_picture_is_an_error_that_names_the_camera(view) -> None:
    with pytest.raises(InputError, match=r"^gate: its view \[.*\] lies outside of the picture$") as caught:
        check_scene("gate", Scene(view=view))
    assert "[0.5, 0, 0.5, 0.5]" in caught.value.hint


@pytest.mark.parametrize(
    ("polygon", "said"),
    [
        ((), "has 0 corners"),
        (((0.1, 0.1),), "has 1 corner"),
        (((0.1, 0.1), (0.2, 0.9)), "has 2 corners"),
        (((0.1, 0.1), (0.2, 0.9), (1.2, 0.3)), r"has the corner \[1.2, 0.3\], outside of the picture"),
        (((0.1, 0.1), (0.2, float("nan")), (0.2, 0.3)), r"has the corner \[0.2, nan\], outside of the picture"),
    ],
)
@pytest.mark.parametrize("kind", ["include", "ignore"])
def test_a_polygon_that_is_none_is_an_error_that_names_the_camera(kind: str, polygon, said: str) -> None:
    with pytest.raises(InputError, match=f"^gate: a polygon of `{kind}` {said}$"):
        check_scene("gate", Scene(**{kind: (TRIANGLE, polygon)}))


@pytest.mark.parametrize("aspect", [0.0, 100.0, -1.0, float("nan")])
def test_a_shape_that_no_picture_has_is_refused(aspect: float) -> None:
    with pytest.raises(InputError, match=r"^gate: no picture has the aspect"):
        check_scene("gate", Scene(aspect=aspect))


@given(share, share, share, share)
def test_what_lies_within_the_picture_is_accepted(x: float, y: float, across: float, down: float) -> None:
    view = (min(x, 0.9), min(y, 0.9), (1 - min(x, 0.9)) * max(across, 0.05), (1 - min(y, 0.9)) * max(down, 0.05))
    check_scene("gate", Scene(view=view, include=(TRIANGLE,), ignore=(((x, y), (y, x), (across, down)),), aspect=4 / 3))
