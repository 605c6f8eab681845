"""A run that looks at a few frames a second: which ones, and what it says of the others."""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from planned import planned

from vidreid.footage.decode import Decoded
from vidreid.footage.thinning import frame_rate, kept
from vidreid.pipeline.networks import Tools
from vidreid.pipeline.results import Run
from vidreid.pipeline.room import frame_rates
from vidreid.pipeline.run import Report
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_header, read_part

FPS = 4.0


@dataclass(frozen=True)
class Thin:
    """A run on the small world at `FPS` frames a second: its report, the rates that its trackers were made for, and the
    pictures that were made of frames."""

    folder: Path
    report: Report
    rates: list[float]
    pictures: int


@pytest.fixture(scope="session")
def thin(site, go, tmp_path_factory):
    folder = tmp_path_factory.mktemp("thin") / "run"
    rates, pictures = [], []
    tracker, rgb = Tools.tracker, Decoded.rgb
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tools, "tracker", lambda self, rate: rates.append(rate) or tracker(self, rate))
        patch.setattr(Decoded, "rgb", lambda self: pictures.append(self) or rgb(self))
        report = go(folder, site / "cameras.yaml", settings={"decoding": {"fps": FPS}})
    return Thin(folder, report, rates, len(pictures))


def frames_of(folder, segment):
    part = read_part(RunFolder(folder).track(segment.camera, segment.name), schema.TRACKS, ["frame"])
    return set(part["frame"].to_pylist())


def looked_at(folder):
    """Frames that each segment's part says were looked at."""
    segments = [segment for plan in planned(folder).values() for segment in plan.segments]
    return [read_header(RunFolder(folder).track(one.camera, one.name)).facts["frames"] for one in segments]


def test_boxes_are_of_the_frames_that_are_kept(thin):
    for plan in planned(thin.folder).values():
        wanted = set(np.flatnonzero(kept(plan.files[0], FPS)).tolist())
        found = set().union(*(frames_of(thin.folder, segment) for segment in plan.segments))
        assert found
        assert found <= wanted


def test_neighbours_saw_the_same_frames_of_their_overlap(thin):
    compared = 0
    for plan in planned(thin.folder).values():
        for one, other in pairwise(plan.segments):
            shared = range(other.first, one.stop)
            both = frames_of(thin.folder, one) & frames_of(thin.folder, other)
            assert both <= set(shared)
            compared += len(both)
    assert compared


def test_every_frame_that_is_kept_is_looked_at(thin):
    masks = [(kept(plan.files[0], FPS), segment) for plan in planned(thin.folder).values() for segment in plan.segments]
    assert looked_at(thin.folder) == [mask[segment.first : segment.stop].sum() for mask, segment in masks]


def test_the_tracker_is_told_the_rate_of_the_frames_that_it_gets(thin):
    assert thin.rates == pytest.approx([FPS] * len(thin.rates), rel=0.1)


def test_frames_left_out_are_no_damage_and_the_summary_names_them(thin):
    summary = Run(thin.folder).summary()
    rates = {f"{frame_rate(plan.files[0]):.3g}" for plan in planned(thin.folder).values()}
    assert summary.damage == 0
    assert summary.covered == "all footage"
    assert summary.looked_at == f"4 frames a second of {', '.join(sorted(rates, key=float))}"


def test_a_run_that_looks_at_all_frames_says_nothing_of_it(finished):
    assert Run(finished).summary().looked_at == ""


def test_no_picture_is_made_of_frames_that_nobody_needs(thin):
    assert 0 < thin.pictures <= sum(looked_at(thin.folder))


def test_gaps_between_the_frames_are_filled_in_exports(thin):
    for camera in Run(thin.folder).cameras:
        table = Run(thin.folder).boxes(camera)
        assert table["interpolated"].to_numpy().mean() > 0.5


def test_progress_ends_with_all_frames(thin):
    segments = [segment for plan in planned(thin.folder).values() for segment in plan.segments]
    assert thin.report.frames == sum(segment.stop - segment.first for segment in segments)


def test_the_summary_is_printed(thin, say):
    answer = say("match", thin.folder)
    assert answer.status == 0, answer.err
    assert "\nlooked at                     4 frames a second of" in answer.out


def test_all_frames_can_be_asked_for_again(site, say, settings_file, tmp_path):
    words = (site / "cameras.yaml", "--output", tmp_path / "run", "--settings", settings_file)
    say("ingest", *words, "--fps", 4)
    say("ingest", *words, "--fps", "all")
    assert json.loads((tmp_path / "run/run.json").read_text())["settings"]["decoding"] == {"fps": "all"}


@pytest.mark.parametrize("wrong", ["0", "-5", "nan", "inf", "some"])
def test_a_rate_that_is_none_is_wrong_use(site, say, tmp_path, wrong):
    answer = say("run", site / "cameras.yaml", "--output", tmp_path / "run", "--fps", wrong)
    assert answer.status == 2
    assert "neither a number above 0 nor all" in answer.err


def test_the_program_carries_what_was_measured():
    scenes = frame_rates()
    assert set(scenes) == {"campus4", "lab4", "pets_s2l1"}
    for scene in scenes.values():
        assert set(scene) == {"5", "10", "all"}
        assert all(0 < row["people_idf1"] <= 1 and row["bytes_per_second"] > 0 for row in scene.values())
