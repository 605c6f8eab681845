import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.world.surface import ellipsoid, limb, turned

lengths = st.floats(0.03, 0.3)


@settings(deadline=None, max_examples=40)
@given(width=lengths, depth=lengths, height=lengths)
def test_an_ellipsoid_s_points_lie_on_it_and_its_normals_point_outwards(width, depth, height):
    solid = ellipsoid(width, depth, height, spacing=0.02)
    scaled = solid.points / (width, depth, height)

    # The profile is a polygon of 24 corners, so points lie up to 1 % inside.
    np.testing.assert_allclose(np.linalg.norm(scaled, axis=1), 1, atol=0.03)
    np.testing.assert_allclose(np.linalg.norm(solid.normals, axis=1), 1, atol=1e-9)
    outward = scaled / (width, depth, height)
    cosine = np.sum(outward / np.linalg.norm(outward, axis=1, keepdims=True) * solid.normals, axis=1)
    assert np.mean(cosine) > 0.97


def test_a_finer_spacing_gives_proportionally_more_points():
    coarse, fine = (len(limb(0.4, 0.06, 0.04, spacing).angle) for spacing in (0.02, 0.01))

    assert 3.5 < fine / coarse < 4.5


def test_no_place_of_a_surface_is_far_from_its_points():
    spacing = 0.01
    cylinder = turned(np.array(((0.0, 0.1, 0.1), (-0.5, 0.1, 0.1))), spacing)
    rng = np.random.default_rng(0)
    angle, z = rng.uniform(-np.pi, np.pi, 200), rng.uniform(-0.5, 0, 200)
    places = np.column_stack((0.1 * np.sin(angle), 0.1 * np.cos(angle), z))

    nearest = np.linalg.norm(places[:, None] - cylinder.points[None], axis=2).min(axis=1)

    assert nearest.max() < spacing


def test_tipping_lays_the_axis_along_the_way_ahead():
    toe = limb(0.2, 0.02, 0.01, 0.01).tipped()

    assert np.ptp(toe.points[:, 1]) > 0.2
    assert np.ptp(toe.points[:, 2]) < 0.05
