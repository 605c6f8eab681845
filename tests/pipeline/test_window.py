"""`--from` and `--to`: whole segments, which a later run of everything finds done."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned import planned

from vidreid.errors import InputError, UsageError
from vidreid.footage.zones import zone_named
from vidreid.pipeline.window import Window, chosen

NOON = datetime(2026, 4, 12, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def plans(finished):
    """Cameras of the small world, by name, in segments of six seconds."""
    return planned(finished)


def start_of(plan):
    return datetime.fromtimestamp(plan.timeline.utc(np.array([0]))[0] / 1e6, UTC)


@given(start=st.floats(0, 19), length=st.floats(0.1, 20))
def test_whole_segments_that_own_a_frame_of_the_window(plans, start, length):
    for plan in plans.values():
        found = Window(start, start + length).segments(plan)
        seconds = plan.timeline.elapsed(np.arange(plan.frames))
        within = set(np.flatnonzero((seconds >= start) & (seconds < start + length)).tolist())
        owned = [set(range(one.own_first, one.own_stop)) for one in plan.segments]
        needed = [one for one, frames in zip(plan.segments, owned, strict=True) if frames & within]
        assert all(one in found for one in needed)
        assert within <= set().union(*(range(one.own_first, one.own_stop) for one in found))
        assert len(found) <= len(needed) + 1  # a window between two frames lies in one segment


@pytest.mark.parametrize(("window", "numbers"), [(Window(), [0, 1, 2]), (Window(end=1.0), [0]), (Window(13.5), [2])])
def test_an_open_side_is_no_limit(plans, window, numbers):
    plan = next(iter(plans.values()))
    assert [one.number for one in window.segments(plan)] == numbers


def test_times_are_those_of_the_clock(plans):
    for plan in plans.values():
        first = start_of(plan)
        by_clock = Window(first + timedelta(seconds=9), first + timedelta(seconds=11)).segments(plan)
        assert by_clock == Window(9.0, 11.0).segments(plan)


def test_times_without_a_zone_are_local_ones(plans):
    zone = zone_named("Europe/Berlin")
    plan = next(iter(plans.values()))
    local = start_of(plan).astimezone(zone).replace(tzinfo=None)
    window = Window(local + timedelta(seconds=9), local + timedelta(seconds=11))
    assert window.in_zone(zone).segments(plan) == Window(9.0, 11.0).segments(plan)


@pytest.mark.parametrize("window", [(5.0, 5.0), (9.0, 2.0), (NOON, NOON - timedelta(seconds=1))])
def test_from_after_to_is_wrong_use(window):
    with pytest.raises(UsageError, match="--from is not before --to"):
        Window(*window)


def test_from_after_to_is_seen_when_the_zone_is_known():
    window = Window(NOON.replace(tzinfo=None), NOON + timedelta(minutes=30))
    assert window.in_zone(ZoneInfo("Europe/Berlin"))
    with pytest.raises(UsageError, match="--from is not before --to"):
        window.in_zone(ZoneInfo("America/New_York"))


def test_a_time_of_the_clock_and_one_since_the_start_do_not_go_together():
    with pytest.raises(UsageError, match="two kinds"):
        Window(NOON, 5.0)


def test_a_window_without_footage_says_where_there_is_some(plans):
    with pytest.raises(InputError, match="no footage between --from and --to") as caught:
        chosen(plans, Window(3600.0))
    assert "+00:00:00 to +00:00:" in caught.value.hint
    with pytest.raises(InputError) as caught:
        chosen(plans, Window(end=datetime(1999, 1, 1, tzinfo=UTC)))
    assert f"{min(map(start_of, plans.values())):%Y-%m-%d %H:%M:%S}" in caught.value.hint


def test_a_time_of_day_says_nothing_where_the_clock_is_unknown(site, go, tmp_path):
    film = sorted(site.glob("*.mp4"))[0]
    with pytest.raises(InputError, match=f"{film.stem}: its clock is unknown") as caught:
        go(tmp_path / "run", film, window=Window(NOON))
    assert "--from +00:12:33" in caught.value.hint


def test_a_run_of_everything_keeps_what_a_window_made(site, go, tmp_path):
    few = {"decoding": {"fps": 2.0}}
    go(tmp_path / "run", site / "cameras.yaml", settings=few, window=Window(0.0, 1.0))
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "run" / "track").rglob("*.parquet")}
    assert {path.stem for path in made} == {"00000"}
    report = go(tmp_path / "run")
    assert not report.failed
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert len(list((tmp_path / "run" / "track").rglob("*.parquet"))) > len(made)


@pytest.mark.parametrize(
    ("start", "end"), [("+00:01:00", "+00:00:30"), ("2026-04-12 10:00", "2026-04-12 09:00"), ("+10", "2026-04-12")]
)
def test_the_command_line_refuses_it_before_any_work(site, say, tmp_path, start, end):
    answer = say("run", site / "cameras.yaml", "--output", tmp_path / "run", "--from", start, "--to", end)
    assert answer.status == 2
    assert "--from" in answer.err
    assert not (tmp_path / "run").exists()
