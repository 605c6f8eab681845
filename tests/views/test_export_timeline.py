"""The timeline as an export: a line for each selected person, at the times that were selected."""

import re
from datetime import timedelta

from hand_made import NOON, FakeRun

from vidreid.views.export import timeline
from vidreid.views.selection import Selection


def drawn(run, folder, selection=None):
    """The texts of the picture."""
    (path,) = timeline.write(run, folder, selection or Selection())
    assert path == folder / "timeline.svg"
    # Matplotlib draws letters as paths, and says in comments what they are.
    return re.findall(r"<!-- (.*?) -->", path.read_text())


def test_everybody_has_a_line(run: FakeRun, tmp_path) -> None:
    texts = drawn(run, tmp_path)
    assert {"P0001", "P0002", "gate", "hall", "time (UTC)"} <= set(texts)
    assert any(text.startswith("2 identities, ") for text in texts)


def test_only_selected_people_cameras_and_times_are_drawn(run: FakeRun, tmp_path) -> None:
    person = drawn(run, tmp_path, Selection(identities=("P0002",)))
    assert ("P0001" in person, "P0002" in person) == (False, True)
    camera = drawn(run, tmp_path, Selection(cameras=("hall",)))
    assert ("gate" in camera, "hall" in camera) == (False, True)
    nobody = drawn(run, tmp_path, Selection(end=NOON - timedelta(hours=1)))
    assert "0 identities, 0 sightings, 2 cameras" in nobody


def test_a_sighting_is_as_long_as_the_selection_lets_it_be(run: FakeRun, tmp_path) -> None:
    """The axis of time is that of what is drawn."""
    assert "12:00:05" in drawn(run, tmp_path / "whole")
    part = drawn(run, tmp_path / "part", Selection(cameras=("gate",), start=0.5, end=1.0))
    assert "12:00:01" in part
    assert "12:00:05" not in part


def test_where_a_clock_is_unknown_times_are_since_the_first_frame(clockless: FakeRun, tmp_path) -> None:
    assert "time since each camera's first frame" in drawn(clockless, tmp_path)
    assert "time (UTC)" in drawn(clockless, tmp_path, Selection(cameras=("gate",)))
