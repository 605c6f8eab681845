"""What a run will take, told from pieces of its cameras."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned import planned

from vidreid.footage.cameras import Site
from vidreid.pipeline.estimate import Measured, estimate
from vidreid.pipeline.pieces import SECONDS, Cost, choose, together
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.prospect import choices, prepare
from vidreid.pipeline.run import Options
from vidreid.pipeline.window import Window
from vidreid.store.folder import RunFolder

COST = Cost(
    frames=100, looked_at=100, seconds=10.0, track_s=2.0, embed_s=1.0, boxes=200, clips=20, arrivals=3, watched=9.0
)


@pytest.fixture(scope="session")
def plans(finished):
    return planned(finished)


def segments(plans):
    return {name: plan.segments for name, plan in plans.items()}


def made_up(plans, decoding, looking, embedding, startup=0.0):
    """Measurements of a machine on which everything takes so many seconds, a frame or a clip."""
    full, slow = (
        Cost(100, looked_at, 10.0, 100 * decoding + looked_at * looking, 20 * embedding, 200, 20, 3, 9.0, 1000, 40_000)
        for looked_at in (100, 25)
    )
    return Measured(startup, dict.fromkeys(plans, full), dict.fromkeys(plans, slow))


seconds = st.floats(0.0001, 0.1)


@given(decoding=seconds, looking=seconds, startup=st.floats(0, 20))
def test_what_a_frame_costs_is_found_from_two_measurements(plans, decoding, looking, startup):
    frames = sum(segment.stop - segment.first for plan in plans.values() for segment in plan.segments)
    found = estimate(made_up(plans, decoding, looking, 0.0, startup), plans, segments(plans), None, 4)
    assert found.seconds == pytest.approx(startup + frames * (decoding + looking))


# Near a camera's own rate it is chance which of two rates keeps more frames: its frames come early and late.
rates = st.lists(st.floats(1, 10), min_size=2, max_size=2)


@given(decoding=seconds, looking=seconds, embedding=seconds, rates=rates)
def test_fewer_frames_a_second_never_take_longer_nor_more_room(plans, decoding, looking, embedding, rates):
    measured = made_up(plans, decoding, looking, embedding)
    few, more = (estimate(measured, plans, segments(plans), rate, 4) for rate in sorted(rates))
    whole = estimate(measured, plans, segments(plans), None, 4)
    assert few.seconds <= more.seconds * (1 + 1e-9) <= whole.seconds * (1 + 2e-9)
    assert few.bytes <= more.bytes <= whole.bytes


def test_half_the_frames_take_half_the_time(plans):
    measured = made_up(plans, 0.01, 0.02, 0.0)
    half, whole = {name: plan.segments[:1] for name, plan in plans.items()}, segments(plans)
    frames = [sum(one.stop - one.first for found in wanted.values() for one in found) for wanted in (half, whole)]
    times = [estimate(measured, plans, wanted, None, 4).seconds for wanted in (half, whole)]
    assert times[0] / times[1] == pytest.approx(frames[0] / frames[1])


def test_costs_of_pieces_add_up():
    assert together([COST, COST]) == Cost(*(2 * value for value in COST))
    assert together([]) == Cost()


def test_pieces_begin_at_key_frames_and_lie_in_their_segments(plans):
    for plan in plans.values():
        file = plan.files[0]
        found = choose(plan, plan.segments)
        assert len({piece.name for piece in found}) == len(found) == 3
        for piece in found:
            assert piece.first in file.key + file.first
            owner = [one for one in plan.segments if one.first <= piece.first < one.stop]
            assert any(piece.stop <= one.stop for one in owner)
            times = plan.timeline.elapsed(np.array([piece.first, piece.stop - 1]))
            assert times[1] - times[0] < SECONDS


def test_a_dry_run_measures_the_real_stages_and_leaves_nothing_but_ingest(site, go, tmp_path):
    folder = RunFolder(tmp_path / "run")
    go(folder.path, site / "cameras.yaml", until="ingest")
    prospect = prepare(folder, Site(), {}, Options(window=Window(0.0, 1.0)), Silent())
    found = {choice.fps: choice for choice in choices(prospect, Silent())}
    assert list(found) == [5.0, 10.0, None]
    assert 0 < found[5.0].seconds <= found[10.0].seconds <= found[None].seconds
    assert 0 < found[5.0].bytes <= found[None].bytes
    assert 0.5 < found[5.0].people_idf1 < found[None].people_idf1 < 1
    assert not (folder.path / "track").exists()


def test_a_rate_that_nobody_measured_has_no_accuracy(site, go, tmp_path):
    folder = RunFolder(tmp_path / "run")
    go(folder.path, site / "cameras.yaml", until="ingest", settings={"decoding": {"fps": 2.0}})
    prospect = prepare(folder, Site(), {}, Options(window=Window(0.0, 1.0)), Silent())
    stated = choices(prospect, Silent())[0]
    assert (stated.fps, stated.people_idf1, stated.tracks_idf1) == (2.0, None, None)
