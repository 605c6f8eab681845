import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.world.gait import ANKLE, BONES, CYCLE, ELBOW, HIP, KNEE, SHOULDER, Stance, pose

stances = st.builds(
    Stance,
    x=st.floats(-5, 5),
    y=st.floats(3, 15),
    yaw=st.floats(-10, 10),
    walked=st.floats(0, 50),
    effort=st.floats(0, 1),
)


def joint(skeleton, bone):
    return skeleton.joint[BONES.index(bone)]


@settings(deadline=None)
@given(stances, st.floats(1.5, 2.0), st.floats(0.9, 1.3))
def test_one_foot_stands_on_the_ground_and_none_below(stance, height, build):
    skeleton = pose(stance, height, build)

    ankles = [joint(skeleton, f"{side} foot")[2] for side in ("left", "right")]
    assert min(ankles) == pytest.approx(ANKLE * height)


@settings(deadline=None)
@given(stances, st.floats(1.5, 2.0), st.floats(0.9, 1.3))
def test_bones_keep_their_length(stance, height, build):
    skeleton = pose(stance, height, build)

    for upper, lower, share in (("thigh", "shin", HIP - KNEE), ("shin", "foot", KNEE - ANKLE)):
        distance = np.linalg.norm(joint(skeleton, f"left {upper}") - joint(skeleton, f"left {lower}"))
        assert distance == pytest.approx(share * height)
    arm = np.linalg.norm(joint(skeleton, "right arm") - joint(skeleton, "right forearm"))
    assert arm == pytest.approx((SHOULDER - ELBOW) * height)


@settings(deadline=None)
@given(stances)
def test_rotations_are_rotations(stance):
    for rotation in pose(stance, 1.75, 1.0).rotation:
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(rotation) == pytest.approx(1)


def test_a_cycle_of_two_steps_swaps_the_legs_half_way():
    height = 1.8

    def spread(walked):
        skeleton = pose(Stance(0, 0, 0, walked, 1), height, 1.0)
        return joint(skeleton, "left foot")[1] - joint(skeleton, "right foot")[1]

    quarter = CYCLE * height / 4
    assert spread(quarter) == pytest.approx(-spread(3 * quarter))
    assert abs(spread(quarter)) > 0.4
    assert spread(quarter + CYCLE * height) == pytest.approx(spread(quarter))


def test_yaw_turns_the_walker_to_the_left():
    foot = np.array(pose(Stance(0, 0, 0, 0.4, 1), 1.75, 1.0).joint)
    turned = pose(Stance(0, 0, np.pi / 2, 0.4, 1), 1.75, 1.0).joint

    np.testing.assert_allclose(turned[:, :2], np.column_stack((-foot[:, 1], foot[:, 0])), atol=1e-9)
