"""Segments in wall-clock order over all cameras: gaps, readings, drift, unknown clocks, thousands of segments."""

import itertools
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidreid.footage.clock import Timeline
from vidreid.footage.segments import cut
from vidreid.pipeline.plan import CameraPlan, SegmentState, State, in_order_of_time
from vidreid.store.folder import CameraRecord
from vidreid.types import Clock, Reading, VideoFile

DONE = State("done")
NOON = 1_776_000_000_000_000


def plan(name: str, lengths: list[int], clock: Clock) -> CameraPlan:
    """A camera whose files hold a frame a second, all of them key frames, in segments of ten seconds."""
    files: list[VideoFile] = []
    for length in lengths:
        first, pts = sum(len(file.pts) for file in files), np.arange(length)
        stretches = np.zeros(1, np.int64)
        files.append(VideoFile("", 0, "h264", 64, 48, 0, Fraction(1), Fraction(1), pts, pts, stretches, first))
    record = CameraRecord(name, (), clock.starts, clock.offset_us, clock.drift_ppm, clock.readings)
    return CameraPlan(record, files, cut(name, files, seconds=10, overlap=2), Timeline(files, clock))


def at(*seconds: int | None) -> tuple[int | None, ...]:
    return tuple(None if one is None else NOON + one * 1_000_000 for one in seconds)


def in_order(*plans: CameraPlan) -> list[SegmentState]:
    states = [SegmentState(p.record.name, segment, DONE, DONE, {}, {}) for p in plans for segment in p.segments]
    return in_order_of_time({p.record.name: p for p in plans}, states)


def begins(plans: dict[str, CameraPlan], state: SegmentState) -> int:
    """When a segment of a camera with a known clock begins, UTC microseconds."""
    utc = plans[state.camera].timeline.utc(np.array([state.segment.first]))
    assert utc is not None
    return int(utc[0])


def test_what_comes_after_a_gap_waits_for_what_others_have_in_it() -> None:
    gap = plan("gap", [10, 10], Clock(at(0, 100)))
    whole = plan("whole", [60], Clock(at(0)))
    found = [(state.camera, state.segment.file) for state in in_order(gap, whole)]
    assert found == [("gap", 0), *[("whole", 0)] * 6, ("gap", 1)]


def test_a_reading_puts_a_camera_in_its_place() -> None:
    read = plan("read", [20], Clock((None,), readings=(Reading(0, 5.0, NOON + 35_000_000),)))
    found = [state.camera for state in in_order(read, plan("told", [60], Clock(at(0))))]
    assert found == ["told"] * 3 + ["read", "told", "read", "told", "told"]


def test_an_unknown_clock_starts_with_the_first_of_the_others() -> None:
    unknown, late = plan("unknown", [30], Clock((None,))), plan("late", [30], Clock(at(15)))
    early = plan("early", [20], Clock(at(0)))
    assert [state.camera for state in in_order(late, unknown, early)] == [
        *("early", "unknown", "early", "unknown", "late", "unknown", "late", "late"),
    ]


cameras = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(1, 40), st.integers(0, 90)), min_size=1, max_size=4), st.integers(-500, 500)
    ),
    min_size=1,
    max_size=4,
)


@given(cameras)
def test_nobody_is_ahead_of_the_clock(found: list[tuple[list[tuple[int, int]], int]]) -> None:
    """Files of so many seconds with gaps between; the clock drifts."""
    plans = {}
    for number, (files, drift) in enumerate(found):
        steps = itertools.accumulate((length + gap for length, gap in files), initial=number)
        starts = at(*itertools.islice(steps, len(files)))
        plans[f"c{number}"] = plan(f"c{number}", [length for length, _ in files], Clock(starts, drift_ppm=drift))
    order = in_order(*plans.values())
    assert sorted((s.camera, s.segment.number) for s in order) == sorted(
        (name, segment.number) for name, p in plans.items() for segment in p.segments
    )
    times = [begins(plans, state) for state in order]
    assert times == sorted(times)


def test_thousands_of_segments_of_eight_cameras_go_hour_by_hour() -> None:
    plans = {f"c{k}": plan(f"c{k}", [10] * 480, Clock(at(*range(k, 300 * 480, 300)))) for k in range(8)}
    order = in_order(*plans.values())
    assert len(order) == 8 * 480
    for start in range(0, len(order), 8):
        assert {state.camera for state in order[start : start + 8]} == set(plans)
