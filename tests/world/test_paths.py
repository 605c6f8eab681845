from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.world.gait import Stance
from vidreid.world.paths import STEP, visits
from vidreid.world.people import cast
from vidreid.world.sites import SITES

ROUTES = {name: site(0, 480, 270).routes for name, site in SITES.items()}
PERSON = cast(0, 1)[0]


def diary(seed=0, seconds=60.0, count=8, routes=ROUTES):
    return list(islice(visits(PERSON, routes, seed=seed, seconds=seconds), count))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.sampled_from([10.0, 60.0, 36000.0]))
def test_a_person_is_in_one_view_at_a_time_with_time_to_travel_between(seed, seconds):
    for before, after in pairwise(diary(seed, seconds)):
        assert after.start >= before.end + 2


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000))
def test_the_second_visit_is_to_another_camera(seed):
    first, second = diary(seed, count=2)

    assert first.camera != second.camera


def test_people_also_come_back_to_the_view_that_they_left():
    walks = diary(count=40)

    assert any(before.camera == after.camera for before, after in pairwise(walks))


def test_with_one_camera_people_leave_and_return():
    walks = diary(routes={"north": ROUTES["north"]}, count=3)

    assert [visit.camera for visit in walks] == ["north"] * 3


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 200))
def test_nobody_jumps_nor_runs(seed):
    for visit in diary(seed, count=3):
        speed = np.linalg.norm(np.diff(visit.track, axis=0), axis=1) / STEP
        assert speed.max() <= PERSON.pace * 1.001
        assert np.abs(np.diff(visit.yaw)).max() < 0.5


def test_outside_a_visit_there_is_no_stance():
    visit = diary(count=1)[0]

    assert visit.stance(visit.start - 0.01) is None
    assert visit.stance(visit.end + 0.01) is None
    assert isinstance(visit.stance(visit.end), Stance)


def test_between_two_samples_the_stance_is_in_the_middle():
    visit = diary(count=1)[0]

    stance = visit.stance(visit.start + 2.5 * STEP)

    assert stance.x == pytest.approx(np.mean(visit.track[2:4, 0]))
    assert stance.walked == pytest.approx(np.mean(visit.walked[2:4]))
