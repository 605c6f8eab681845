"""What is done, stale and why, outdated or due: which stages each setting makes stale, and no others."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.engines.weights import FileModel
from vidreid.footage.clock import Timeline
from vidreid.footage.segments import cut
from vidreid.pipeline import plan as planning
from vidreid.pipeline.networks import LEAST_SCORE, Networks, find_tracker, least_score
from vidreid.pipeline.plan import CameraPlan, SegmentState, State, differences, in_order_of_time
from vidreid.pipeline.status import RunStatus, run_status
from vidreid.settings import Settings
from vidreid.store import schema
from vidreid.store.folder import CameraRecord, RunFolder, RunRecord
from vidreid.store.parts import Header, read_header, read_part, write_part
from vidreid.types import Clock, InputSpec, ModelSpec, Reading, Scene, VideoFile

STAGES = ("track", "embed", "match")
FROM_TRACK, FROM_EMBED, MATCH_ONLY, NOTHING = STAGES, STAGES[1:], STAGES[2:], ()

# settings key: a new value, the stages that it makes stale, and how the first of them says why
KEYS: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "segments.seconds": (9.0, FROM_TRACK, "segment"),
    "segments.overlap": (1.0, FROM_TRACK, "segment"),
    "decoding.decoder": ("cuda", FROM_TRACK, "decoder"),
    "decoding.fps": (5.0, FROM_TRACK, "fps None -> 5.0"),
    "detection.detector": ("other", NOTHING, ""),  # what it led to does: see NETWORKS
    "detection.runtime": ("torch", NOTHING, ""),
    "detection.engine": ("auto", NOTHING, ""),
    "detection.motion_gate": (True, FROM_TRACK, "detection.look_every"),
    "detection.look_every": (2.0, NOTHING, ""),  # of the motion gate alone
    "detection.score": (0.2, FROM_TRACK, f"detection.score {LEAST_SCORE} -> 0.2"),
    "detection.tile": (640, FROM_TRACK, "detection.tile {default} -> 640"),
    "tracking.tracker": ("other", NOTHING, ""),
    "tracking.join_seconds": (1.5, MATCH_ONLY, "join_seconds {default} -> 1.5"),
    "crops.runs": (3, FROM_TRACK, "crops.runs {default} -> 3"),
    "crops.length": (2, FROM_TRACK, "crops.length {default} -> 2"),
    "crops.spacing": (0.5, FROM_TRACK, "crops.spacing {default} -> 0.5"),
    "crops.longest": (256, FROM_TRACK, "crops.longest {default} -> 256"),
    "crops.margin": (0.2, FROM_TRACK, "crops.margin {default} -> 0.2"),
    "crops.jpeg": (80, FROM_TRACK, "crops.jpeg {default} -> 80"),
    "embedding.embedder": ("other", NOTHING, ""),
    "embedding.runtime": ("torch", NOTHING, ""),
    "embedding.engine": ("auto", NOTHING, ""),
    "matching.wrong_pairs": (0.1, MATCH_ONLY, "matching.wrong_pairs {default} -> 0.1"),
    "matching.split": (False, MATCH_ONLY, "matching.split {default} -> False"),
    "matching.min_seconds": (1.0, MATCH_ONLY, "matching.min_seconds {default} -> 1.0"),
}

# what the settings led to: the same
NETWORKS: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "detector": ({"name": "yolo", "network": "ab12"}, FROM_TRACK, " -> yolo"),
    "embedder": ({"name": "osnet", "network": "cd34"}, FROM_EMBED, " -> osnet"),
    "tracker": ({"library": "boxmot", "name": "ocsort", "options": {}}, FROM_TRACK, "tracker.name bytetrack -> ocsort"),
    "appearance": (True, FROM_TRACK, "appearance"),
    "threshold": (0.5, MATCH_ONLY, "split_below 0.74 -> 0.5"),
    "score": (0.1, FROM_TRACK, f"detection.score {LEAST_SCORE} -> 0.1"),
}


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> RunFolder:
    """A finished run to spoil."""
    shutil.copytree(finished, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def change(folder: RunFolder, function: Callable[[RunRecord], RunRecord]) -> RunStatus:
    """The state of a run after its record was changed."""
    folder.write(function(folder.read()))
    return run_status(folder)


def set_key(key: str, value: Any) -> Callable[[RunRecord], RunRecord]:
    section, name = key.split(".")

    def change_settings(record: RunRecord) -> RunRecord:
        changed = {**record.settings.get(section, {}), name: value}
        return replace(record, settings={**record.settings, section: changed})

    return change_settings


def not_done(status: RunStatus) -> tuple[str, ...]:
    """Stages of which anything is not done."""
    found = {stage for camera in status.cameras for stage, states in camera.stages.items() if not _all_done(states)}
    if status.match != State("done"):
        found.add("match")
    return tuple(stage for stage in STAGES if stage in found)


def _all_done(found: dict[str, int]) -> bool:
    return all(count == 0 for state, count in found.items() if state != "done")


def reasons(status: RunStatus) -> str:
    return "; ".join([*(line for camera in status.cameras for line in camera.why), status.match.why])


def test_a_finished_run_is_done(copy: RunFolder) -> None:
    status = run_status(copy)
    assert not_done(status) == ()
    assert reasons(status) == ""
    assert [camera.analysed for camera in status.cameras] == [1.0] * 3


def test_the_table_names_every_setting() -> None:
    every = {f"{section}.{key}" for section, model in Settings() for key in type(model).model_fields}
    assert every == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_a_setting_makes_stale_what_depends_on_it_and_nothing_else(copy: RunFolder, key: str) -> None:
    value, stages, why = KEYS[key]
    section, name = key.split(".")
    default = getattr(getattr(Settings(), section), name)
    status = change(copy, set_key(key, value))
    assert not_done(status) == stages
    assert why.format(default=default) in reasons(status)


@pytest.mark.parametrize("said", [{"travel": (("hall", "yard", 5.0),)}, {"overlaps": (("hall", "north"),)}])
def test_what_is_said_of_ways_and_views_makes_match_stale_alone(copy: RunFolder, said: dict[str, Any]) -> None:
    status = change(copy, lambda record: replace(record, **said))
    assert not_done(status) == MATCH_ONLY
    assert reasons(status) == "site"


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_makes_stale_what_depends_on_it_and_nothing_else(copy: RunFolder, name: str) -> None:
    value, stages, why = NETWORKS[name]
    status = change(copy, lambda record: replace(record, networks={**record.networks, name: value}))
    assert not_done(status) == stages
    assert why in reasons(status)


@pytest.mark.parametrize(
    ("given", "stated", "in_force"),
    [(0.2, 0.1, 0.2), (0.0, 0.1, 0.0), (None, 0.1, 0.1), (None, 0.0, 0.0), (None, None, LEAST_SCORE)],
)
def test_the_users_score_goes_before_that_of_the_detector(
    given: float | None, stated: float | None, in_force: float
) -> None:
    assert least_score(Settings.model_validate({"detection": {"score": given}}), stated) == in_force


def without_score(record: RunRecord) -> RunRecord:
    return replace(record, networks={key: value for key, value in record.networks.items() if key != "score"})


@pytest.mark.parametrize("function", [set_key("detection.score", LEAST_SCORE), without_score])
def test_the_same_score_from_elsewhere_makes_nothing_stale(
    copy: RunFolder, function: Callable[[RunRecord], RunRecord]
) -> None:
    assert not_done(change(copy, function)) == NOTHING


def change_clock(**changes: Any) -> Callable[[RunRecord], RunRecord]:
    return lambda record: record.with_camera(replace(record.camera("hall"), **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"starts": (5,)},
        {"offset_us": 40},
        {"drift_ppm": 2.0},
        {"starts": (None,)},
        {"readings": (Reading(0, 1.5, 1_775_980_815_000_000),)},
    ],
)
def test_a_corrected_clock_makes_only_match_stale(copy: RunFolder, changes: dict[str, Any]) -> None:
    status = change(copy, change_clock(**changes))
    assert not_done(status) == MATCH_ONLY
    assert "clocks.hall" in reasons(status)


def test_a_clock_without_readings_is_what_it_was_to_older_programs(finished: Path) -> None:
    clocks = read_header(RunFolder(finished).match("tracklets")).inputs["clocks"]  # type: ignore[union-attr]
    assert set(clocks) == {"north", "hall", "yard"}
    assert all(len(clock) == 3 for clock in clocks.values())


def test_another_time_zone_makes_nothing_stale(copy: RunFolder) -> None:
    """Stored times are UTC; only what people see of them changes."""
    assert not_done(change(copy, lambda record: replace(record, timezone="Asia/Kolkata"))) == NOTHING


CORNER = ((0.5, 0.5), (1.0, 0.5), (1.0, 1.0))

# what a camera sees: what that makes stale, and how the first stage says why; the footage is 480 x 270
SCENES: list[tuple[Scene, tuple[str, ...], str]] = [
    (Scene(ignore=(CORNER,)), MATCH_ONLY, "scenes"),
    (Scene(include=(CORNER,)), MATCH_ONLY, "scenes"),
    (Scene(view=(0.5, 0.0, 0.5, 0.5)), FROM_TRACK, "track stale: view ("),
    (Scene(view=(0.0, 0.0, 1.0, 1.0)), NOTHING, ""),
    (Scene(aspect=4 / 3), FROM_TRACK, "track stale: stretched None -> 3/4 ("),
    (Scene(aspect=16 / 9), NOTHING, ""),
]


@pytest.mark.parametrize(("scene", "stages", "why"), SCENES)
def test_what_a_camera_sees_makes_stale_what_depends_on_it_and_nothing_else(
    copy: RunFolder, scene: Scene, stages: tuple[str, ...], why: str
) -> None:
    status = change(copy, change_clock(scene=scene))
    assert not_done(status) == stages
    assert why in reasons(status)


def test_interlaced_footage_is_tracked_anew_where_it_was_taken_as_it_is(copy: RunFolder) -> None:
    part = copy.ingest("hall")
    (file,) = planning.read_files(part)
    header = read_header(part)
    assert header is not None
    write_part(part, planning.files_table([replace(file, interlaced=True)]), schema.FILES, header)
    status = run_status(copy)
    assert not_done(status) == FROM_TRACK
    assert "deinterlaced None -> True" in reasons(status)


def test_footage_that_was_moved_makes_nothing_stale(copy: RunFolder) -> None:
    def move(record: RunRecord) -> RunRecord:
        camera = record.camera("yard")
        return record.with_camera(replace(camera, files=(replace(camera.files[0], path="else.mp4", modified_ns=1),)))

    assert not_done(change(copy, move)) == NOTHING


def test_other_footage_makes_its_camera_due(copy: RunFolder) -> None:
    def film_again(record: RunRecord) -> RunRecord:
        camera = record.camera("yard")
        return record.with_camera(replace(camera, files=(replace(camera.files[0], sha256="00"),)))

    status = change(copy, film_again)
    yard = next(camera for camera in status.cameras if camera.camera == "yard")
    assert yard.stages["ingest"]["due"] == 1
    assert yard.analysed == 0.0
    assert status.match.status == "stale"


@pytest.mark.parametrize(
    ("stage", "states"),
    [
        ("track", {"track": "due", "embed": "done"}),
        ("crops", {"track": "due", "embed": "done"}),
        ("embed", {"track": "done", "embed": "due"}),
    ],
)
def test_a_part_that_is_not_there_is_due(copy: RunFolder, stage: str, states: dict[str, str]) -> None:
    getattr(copy, stage)("hall", "00001").unlink()
    status = run_status(copy)
    hall = next(camera for camera in status.cameras if camera.camera == "hall")
    for name, state in states.items():
        assert hall.stages[name][state] >= 1
        assert sum(hall.stages[name].values()) == len(list(copy.ingest("hall").parent.parent.glob("embed/north/*")))
    assert 0 < hall.analysed < 1
    assert status.match.status == "stale"


def rewrite(path: Path, kind: Any, **changes: Any) -> None:
    """The same part with another header."""
    header = read_header(path)
    assert header is not None
    write_part(path, read_part(path, kind), kind, Header(**{**header.__dict__, **changes}))


def test_a_part_of_an_older_program_is_outdated_and_usable(copy: RunFolder) -> None:
    path = copy.track("hall", "00000")
    made_by = dict(read_header(path).made_by)  # type: ignore[union-attr]
    rewrite(path, schema.TRACKS, made_by={**made_by, "numpy": "1.0", "av": "2.0"})
    status = run_status(copy)
    hall = next(camera for camera in status.cameras if camera.camera == "hall")
    assert hall.stages["track"]["outdated"] == 1
    assert hall.why == ["track outdated: made by another av, numpy (1 segments)"]
    assert hall.analysed == 1.0
    assert status.match == State("done")


def test_a_part_of_other_code_is_stale(copy: RunFolder) -> None:
    path = copy.embed("hall", "00000")
    inputs = dict(read_header(path).inputs)  # type: ignore[union-attr]
    rewrite(path, schema.VECTORS, inputs={**inputs, "code": 0})
    assert f"embed stale: code 0 -> {planning.CODE['embed']} (1 segments)" in reasons(run_status(copy))


def test_a_damaged_part_is_due(copy: RunFolder) -> None:
    path = copy.embed("hall", "00000")
    path.write_bytes(path.read_bytes()[:-5])
    status = run_status(copy)
    assert "embed due: its file is damaged (1 segments)" in reasons(status)
    assert status.match.status == "stale"


def test_every_part_knows_what_it_was_made_from(finished: Path) -> None:
    for path in finished.rglob("*.parquet"):
        header = read_header(path)
        assert header is not None
        stage = path.relative_to(finished).parts[0]
        assert header.inputs["stage"] == {"crops": "track"}.get(stage, stage)
        assert {"vidreid", "processor", "av", "numpy"} <= set(header.made_by)
        assert str(finished) not in pq.read_metadata(path).metadata[b"vidreid"].decode()


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.dictionaries(st.text(max_size=2), st.integers())))
def test_nothing_differs_from_itself(inputs: dict[str, Any]) -> None:
    assert differences(inputs, json.loads(json.dumps(inputs))) == []


def test_a_difference_names_the_setting_and_both_values_where_they_are_short() -> None:
    old = {"a": 1, "b": {"c": 0.1, "d": "x" * 30}, "gone": 3}
    new = {"a": 1, "b": {"c": 0.2, "d": "y" * 30}, "new": True}
    assert differences(old, new) == ["b.c 0.1 -> 0.2", "b.d", "gone 3 -> None", "new None -> True"]


def camera_plan(name: str, seconds: int, start: int | None) -> CameraPlan:
    """A camera of one frame a second, all of them key frames, in segments of ten seconds."""
    frames = np.arange(seconds)
    file = VideoFile("", 0, "h264", 64, 48, 0, Fraction(1), Fraction(1), frames, frames, np.zeros(1, np.int64), first=0)
    clock = Clock((None if start is None else start * 1_000_000,))
    segments = cut(name, [file], seconds=10, overlap=2)
    return CameraPlan(CameraRecord(name, (), clock.starts), [file], segments, Timeline([file], clock))


def ordered(cameras: list[CameraPlan]) -> Iterator[tuple[str, int]]:
    plans = {camera.record.name: camera for camera in cameras}
    done = State("done")
    states = [SegmentState(c.record.name, segment, done, done, {}, {}) for c in cameras for segment in c.segments]
    for state in in_order_of_time(plans, states):
        yield state.camera, state.segment.number


def test_segments_come_by_the_wall_clock_over_all_cameras() -> None:
    cameras = [camera_plan("late", 30, 1_012), camera_plan("early", 30, 1_000)]
    assert list(ordered(cameras)) == [
        ("early", 0),
        ("early", 1),
        ("late", 0),
        ("early", 2),
        ("late", 1),
        ("late", 2),
    ]


def test_a_camera_without_a_clock_is_worked_on_beside_the_others() -> None:
    cameras = [camera_plan("known", 30, 1_700_000_000), camera_plan("unknown", 30, None)]
    assert [name for name, _ in ordered(cameras)] == ["known", "unknown"] * 3


@given(st.lists(st.tuples(st.integers(1, 60), st.none() | st.integers(0, 100)), min_size=1, max_size=4))
def test_each_camera_keeps_its_own_order_and_no_segment_is_lost(footage: list[tuple[int, int | None]]) -> None:
    cameras = [camera_plan(f"c{i}", seconds, start) for i, (seconds, start) in enumerate(footage)]
    found = list(ordered(cameras))
    for camera in cameras:
        numbers = [number for name, number in found if name == camera.record.name]
        assert numbers == [segment.number for segment in camera.segments]


def test_what_is_done_to_a_detectors_boxes_is_part_of_it(tmp_path: Path) -> None:
    """As its weights are; one whose boxes need nothing is what it was to older programs."""
    spec = ModelSpec("ours", "detector", "yolo", "ab12", InputSpec((64, 64)))
    tracker, runtimes = find_tracker("bytetrack"), {"detector": "openvino", "embedder": "none"}
    plain, once = (
        Networks(FileModel(replace(spec, suppress=iou), tmp_path), None, tracker, runtimes).identities.detector
        for iou in (None, 0.7)
    )
    assert plain == {"name": "ours", "network": "ab12", "runtime": "openvino"}
    assert once == {**plain, "suppress": "0.7"}
