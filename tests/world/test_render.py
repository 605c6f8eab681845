from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.world.gait import Stance
from vidreid.world.people import cast
from vidreid.world.render import MIN_HEIGHT, MIN_VISIBILITY, Studio
from vidreid.world.sites import north

PEOPLE = {who.number: who for who in cast(0, 4)}
SIZE = (480, 270)


@pytest.fixture(scope="module")
def studio():
    return Studio(north(0, *SIZE), PEOPLE, seed=0)


@pytest.fixture(scope="module")
def empty_studio():
    """A grey nowhere without noise and shadow: what differs from it is the person."""
    scene = north(0, *SIZE)
    plain = replace(scene, props=(), light=replace(scene.light, shadow=0.0), look=replace(scene.look, noise=0.0))
    return Studio(plain, PEOPLE, seed=0)


def standing(x, y, yaw=1.0, walked=1.3):
    return Stance(x, y, yaw, walked, 1.0)


stances = st.builds(standing, x=st.floats(-6, 6), y=st.floats(4.5, 15), yaw=st.floats(-3, 3), walked=st.floats(0, 9))


@settings(max_examples=40, deadline=None)
@given(who=st.sampled_from(sorted(PEOPLE)), stance=stances)
def test_a_truth_box_is_tight_around_the_person(empty_studio, who, stance):
    nobody, _ = empty_studio.frame({}, 0)
    picture, sightings = empty_studio.frame({who: stance}, 0)

    changed = np.abs(picture.astype(int) - nobody).max(axis=2) > 12
    for seen in sightings:
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        around = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        assert np.abs(np.subtract(seen.box, around)).max() <= 3


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(PEOPLE)), stances))
def test_truth_boxes_lie_in_the_picture_and_are_worth_a_row(studio, people):
    picture, sightings = studio.frame(people, 0)

    assert picture.shape == (270, 480, 3)
    assert picture.dtype == np.uint8
    for seen in sightings:
        x1, y1, x2, y2 = seen.box
        assert 0 <= x1 < x2 <= 480
        assert 0 <= y1 <= y2 - MIN_HEIGHT <= 270 - MIN_HEIGHT
        assert MIN_VISIBILITY <= seen.visibility <= 1


@settings(max_examples=25, deadline=None)
@given(stances, stances)
def test_company_never_makes_a_person_more_visible_nor_moves_the_box(studio, one, other):
    alone = {seen.person: seen for seen in studio.frame({1: one}, 0)[1]}
    both = {seen.person: seen for seen in studio.frame({1: one, 2: other}, 0)[1]}

    if 1 in both:
        assert both[1].box == alone[1].box
        assert both[1].visibility <= alone[1].visibility + 1e-6


def test_what_a_near_person_hides_is_what_the_far_one_loses(empty_studio):
    far, near = standing(0.2, 9.0), standing(0.0, 7.0)
    back, _ = empty_studio.sprite(1, far)
    front, _ = empty_studio.sprite(2, near)
    canvas = np.zeros((2, *SIZE[::-1]))
    for layer, sprite in zip(canvas, (back, front), strict=True):
        here, there = sprite.inside(*SIZE)
        layer[here] = sprite.pixels[there][..., 3]

    sightings = {seen.person: seen.visibility for seen in empty_studio.frame({1: far, 2: near}, 0)[1]}

    assert sightings[2] == pytest.approx(1, abs=1e-3)
    assert sightings[1] == pytest.approx((canvas[0] * (1 - canvas[1])).sum() / canvas[0].sum(), abs=1e-3)
    assert 0.1 < sightings[1] < 0.9


def test_who_is_half_out_of_the_picture_is_half_visible(empty_studio):
    camera = empty_studio.scene.camera
    edge = camera.width / 2 / camera.focal * camera.project(np.array(((0.0,), (7.0,), (1.0,))))[2, 0]

    (seen,) = empty_studio.frame({1: standing(edge, 7.0, yaw=0.0)}, 0)[1]

    assert seen.box[2] == 480
    assert seen.visibility == pytest.approx(0.5, abs=0.15)


def test_nobody_is_seen_through_the_wall(studio):
    assert studio.frame({1: standing(4.0, 18.0)}, 0)[1] == []


def test_a_person_looks_different_from_the_front_and_from_behind(empty_studio):
    front, back = (empty_studio.sprite(1, Stance(0, 6, yaw, 0, 0))[0].pixels for yaw in (np.pi, 0.0))

    head = slice(0, front.shape[0] // 6)
    assert front[head].sum(axis=(0, 1))[0] > 1.05 * back[head].sum(axis=(0, 1))[0]


def test_bodies_have_no_holes(empty_studio):
    for y in (4.0, 6.0, 9.0, 14.0):
        sprite, _ = empty_studio.sprite(3, Stance(0, y, np.pi / 2, 0.0, 0.0))
        alpha = sprite.pixels[..., 3]
        middle = alpha[:, alpha.shape[1] // 2]
        inside = np.flatnonzero(middle > 0.5)
        assert middle[inside[0] : inside[-1]].min() > 0.5


def test_the_frame_number_changes_only_the_noise(studio):
    first, second = (studio.frame({1: standing(0, 7)}, number) for number in (0, 1))

    assert first[1] == second[1]
    assert not np.array_equal(first[0], second[0])
    assert abs(first[0].mean() - second[0].mean()) < 0.5
