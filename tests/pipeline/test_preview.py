"""What a run will see: frames spread over each camera, the people in them, gaps and where the clock is from."""

from dataclasses import replace
from datetime import UTC

import numpy as np
import pytest
from planned import planned

from vidreid.footage.clock import Timeline
from vidreid.pipeline.networks import Tools, find_networks
from vidreid.pipeline.plan import camera_of
from vidreid.pipeline.preview import FRAMES, clock_source, gaps, look_at
from vidreid.settings import Settings
from vidreid.store.folder import RunFolder
from vidreid.types import Clock, Reading, Scene

RIGHT_HALF = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))


@pytest.fixture(scope="session")
def plans(finished):
    return planned(finished)


@pytest.fixture(scope="session")
def tools(finished):
    record = RunFolder(finished).read()
    settings = Settings.model_validate(record.settings)
    networks = find_networks(settings, {camera.name: camera_of(camera) for camera in record.cameras})
    tools = Tools(networks, settings, 1)
    yield tools
    tools.close()


@pytest.fixture(scope="session")
def seen(plans, tools):
    return list(look_at(plans, {name: plan.segments for name, plan in plans.items()}, tools))


def test_frames_are_spread_from_the_first_to_the_last(plans, seen):
    for one in seen:
        places = [look.index for look in one.looks]
        assert len(set(places)) == FRAMES
        steps = np.diff(places)
        assert steps.max() <= steps.min() + 1
        assert (places[0], places[-1]) == (0, plans[one.camera].frames - 1)


def test_the_people_are_those_of_their_frames(site, seen):
    for one in seen:
        truth = np.loadtxt(site / "gt" / f"{one.camera}.txt", delimiter=",", ndmin=2)
        for look in one.looks:
            rows = truth[truth[:, 0] == look.index + 1]
            assert len(look.boxes) <= len(rows)
            heights = look.boxes[:, 3] - look.boxes[:, 1]
            assert np.isclose(heights[:, None], rows[None, :, 5], rtol=0.1).any(1).all()


def test_pictures_are_small_but_heights_are_those_of_the_footage(seen):
    for one in seen:
        assert all(max(look.image.shape) <= 960 for look in one.looks)
        assert len(one.heights) == sum(len(look.boxes) for look in one.looks)
        assert one.busiest.counts.sum() == max(look.counts.sum() for look in one.looks)


def test_only_people_in_the_polygons_count(plans, tools):
    name, plan = next(iter(plans.items()))
    scene = Scene(include=(RIGHT_HALF,))
    (one,) = look_at({name: replace(plan, record=replace(plan.record, scene=scene))}, {name: plan.segments}, tools)
    for look in one.looks:
        feet = (look.boxes[:, 0] + look.boxes[:, 2]) / 2
        assert look.counts.tolist() == (feet >= one.size[0] / 2).tolist()
    assert len(one.heights) < sum(len(look.boxes) for look in one.looks)


def test_only_the_wanted_segments_are_looked_at(plans, tools):
    name, plan = next(iter(plans.items()))
    wanted = plan.segments[1:2]
    (one,) = look_at({name: plan}, {name: wanted}, tools)
    assert all(wanted[0].own_first <= look.index < wanted[0].own_stop for look in one.looks)


@pytest.mark.parametrize(
    ("clock", "said"),
    [
        (Clock((None,)), "unknown"),
        (Clock((0,)), "start of 1 of 1 files"),
        (Clock((0,), drift_ppm=3.0), "start of 1 of 1 files, corrected"),
        (Clock((None,), readings=(Reading(0, 1.0, 0),)), "1 stamp read"),
        (Clock((0,), readings=(Reading(0, 1.0, 0), Reading(0, 9.0, 8_000_000))), "2 stamps read"),
    ],
)
def test_where_a_clock_is_from(plans, clock, said):
    plan = next(iter(plans.values()))
    record = replace(plan.record, starts=clock.starts, drift_ppm=clock.drift_ppm, readings=clock.readings)
    assert clock_source(replace(plan, record=record, timeline=Timeline(plan.files, clock))) == said


def test_pauses_between_frames_are_named(plans, seen):
    plan = plans["north"]
    pts = plan.files[0].pts.copy()
    pts[100:] += round(7 / plan.files[0].time_base)
    timeline = Timeline([replace(plan.files[0], pts=pts)], Clock((None,)))
    paused = replace(plan, timeline=timeline)
    assert gaps(plan, plan.segments) == []
    assert gaps(paused, plan.segments) == [(99, 100)]
    one = replace(next(one for one in seen if one.camera == "north"), gaps=[(99, 100)])
    first, last = timeline.elapsed(np.array([99, 100]))
    assert one.as_dict(timeline, UTC)["gaps"] == [f"+00:00:{int(first):02d} to +00:00:{int(last):02d}"]
