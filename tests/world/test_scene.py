import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.world.scene import Light, Look, Panel, Pinhole, Prop, Scene, paint_backdrop
from vidreid.world.sites import SITES

CAMERA = Pinhole(480, 270, 400.0, 3.0, 0.25)
PLAIN = Look(vignette=0.0, blur=0.3, noise=0.0)
LIGHT = Light((0.0, 0.0, 1.0), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 0.3)


@settings(deadline=None)
@given(st.floats(-4, 4), st.floats(4, 20), st.floats(0, 2))
def test_projection_agrees_with_similar_triangles(x, y, z):
    u, v, depth = CAMERA.project(np.array(((x,), (y,), (z,))))[:, 0]

    distance, below = np.hypot(y, 3.0 - z), np.arctan2(3.0 - z, y) - 0.25
    assert depth == pytest.approx(distance * np.cos(below))
    assert u == pytest.approx(240 + 400 * x / depth)
    assert v == pytest.approx(135 + 400 * np.tan(below))


def test_a_panel_appears_where_its_corners_project():
    sheet = Panel(np.ones((50, 50, 3), np.float32), (-1.0, 8.0, 0.0), (2.0, 0.0, 0.0), (0.0, 0.0, 2.0))

    opaque = sheet.drawn(CAMERA)[..., 3] > 0.5

    corners = CAMERA.project(np.array(((-1.0, 1.0), (8.0, 8.0), (0.0, 2.0))))
    rows, columns = np.flatnonzero(opaque.any(axis=1)), np.flatnonzero(opaque.any(axis=0))
    assert rows[-1] == pytest.approx(corners[1, 0], abs=2)
    assert rows[0] == pytest.approx(corners[1, 1], abs=2)
    assert columns[-1] == pytest.approx(corners[0, 1], abs=4)


def test_what_stands_nearer_covers_what_is_farther():
    def sheet(grey, y):
        return Prop(y, (Panel(np.full((40, 40, 3), grey, np.float32), (-9.0, y, 0.0), (18.0, 0.0, 0.0), (0, 0, 3.0)),))

    backdrop = paint_backdrop(Scene(CAMERA, LIGHT, PLAIN, (sheet(0.2, 6.0), sheet(0.9, 12.0)), ()))

    middle = backdrop.picture[100, 240]
    assert np.all(np.abs(middle.astype(int) - 51) <= 1)
    assert backdrop.distances == (6.0, 12.0)
    assert backdrop.uncovered(5.0)[100, 240] == 1
    assert backdrop.uncovered(7.0)[100, 240] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("name", SITES)
def test_every_route_crosses_the_picture_and_ends_outside_or_behind_something(name):
    scene = SITES[name](0, 480, 270)
    backdrop = paint_backdrop(scene)
    for route in scene.routes:
        feet = scene.camera.project(np.array([(x, y, 0.9) for x, y in route]).T)
        inside = (feet[0] > 0) & (feet[0] < 480) & (feet[1] > 0) & (feet[1] < 270)
        hidden = [max(backdrop.distances) < y for _, y in route]
        assert np.any(inside[1:-1])
        assert not inside[0] or hidden[0]
        assert not inside[-1] or hidden[-1]
