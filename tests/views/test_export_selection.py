"""What a selection takes of a run."""

from datetime import timedelta

import pytest
from hand_made import NOON, FakeRun

from vidreid.errors import InputError, UsageError
from vidreid.views.selection import Selection, selected_boxes, selected_cameras


def test_nothing_asked_takes_everything(run: FakeRun) -> None:
    assert selected_cameras(run, Selection()) == ("gate", "hall")
    assert selected_boxes(run, "gate", Selection()) == run.boxes("gate")


def test_cameras_come_in_the_order_of_the_run(run: FakeRun) -> None:
    assert selected_cameras(run, Selection(cameras=("hall", "gate"))) == ("gate", "hall")


def test_identities_take_only_their_own_boxes(run: FakeRun) -> None:
    boxes = selected_boxes(run, "gate", Selection(identities=("P0002",)))
    assert set(boxes["tracklet"].to_pylist()) == {"gate/000002"}
    assert len(boxes) == 41


def test_without_interpolation_only_detected_boxes_remain(run: FakeRun) -> None:
    every, detected = (selected_boxes(run, "gate", Selection(interpolate=flag)) for flag in (True, False))
    assert not any(detected["interpolated"].to_pylist())
    assert len(every) - len(detected) == 3


@pytest.mark.parametrize("by_clock", [True, False])
def test_the_start_is_inside_and_the_end_is_not(run: FakeRun, by_clock: bool) -> None:
    start, end = (NOON + timedelta(seconds=s) if by_clock else s for s in (0.4, 0.8))
    frames = selected_boxes(run, "gate", Selection(start=start, end=end))["frame"].to_pylist()
    assert sorted(set(frames)) == list(range(10, 20))


def test_a_time_of_day_needs_a_clock(clockless: FakeRun) -> None:
    with pytest.raises(InputError, match="hall: its clock is unknown"):
        selected_cameras(clockless, Selection(start=NOON))
    assert selected_cameras(clockless, Selection(start=NOON, cameras=("gate",))) == ("gate",)


def test_unknown_names_are_refused_with_the_nearest_known(run: FakeRun) -> None:
    with pytest.raises(UsageError, match="no camera 'hal'") as camera:
        selected_cameras(run, Selection(cameras=("hal",)))
    assert "hall" in camera.value.hint
    with pytest.raises(UsageError, match="no person 'P0003'") as person:
        selected_cameras(run, Selection(identities=("P0003",)))
    assert "P0002" in person.value.hint
