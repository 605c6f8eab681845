"""What a finished run says, read through the Python API, and how its tables fit each other and the parts."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from parts import parts_of

import vidreid
from vidreid.errors import InputError
from vidreid.footage.cameras import read_site
from vidreid.pipeline.results import BOXES, CROPS, Run
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_header, read_part


@pytest.fixture(scope="module")
def opened(finished: Path) -> Run:
    return vidreid.open_run(finished)


def every_box(opened: Run) -> pa.Table:
    return pa.concat_tables([opened.boxes(camera) for camera in opened.cameras])


def test_it_holds_the_cameras_in_the_order_given(opened: Run, site: Path) -> None:
    assert list(opened.cameras) == [camera.name for camera in read_site([str(site / "cameras.yaml")]).cameras]


def test_tables_have_their_schemas(opened: Run) -> None:
    for found, wanted in [
        (opened.tracklets(), schema.TRACKLETS),
        (opened.identities(), schema.IDENTITIES),
        (opened.evidence(), schema.EVIDENCE),
        (opened.boxes("hall"), BOXES),
        (opened.crops(), CROPS),
    ]:
        assert found.schema.names == wanted.names
        assert found.schema.types == wanted.types
        assert found.num_rows > 0


def test_the_finished_run_is_of_several_people_in_several_cameras(opened: Run) -> None:
    """So that the tests below say something."""
    summary = opened.summary()
    assert summary.cameras == 3
    assert summary.people >= 3
    assert summary.people_in_several >= 2
    assert summary.covered == "all footage"
    assert summary.damage == 0
    assert summary.sightings == opened.tracklets().num_rows
    assert summary.frames == sum(len(file.pts) for camera in opened.cameras for file in opened.files(camera))
    assert json.loads(json.dumps(summary.as_dict())) == summary.as_dict()


def test_a_persons_row_sums_up_its_tracklets(opened: Run) -> None:
    tracklets = [row for row in opened.tracklets().to_pylist() if row["identity"]]
    people = {row["identity"]: row for row in opened.identities().to_pylist()}
    assert {row["identity"] for row in tracklets} == set(people)
    for name, person in people.items():
        own = [row for row in tracklets if row["identity"] == name]
        assert person["tracklets"] == len(own)
        assert person["cameras"] == sorted({row["camera"] for row in own})
        assert person["start"] == min(row["start"] for row in own)
        assert person["end"] == max(row["end"] for row in own)
        assert 0 <= person["doubt"] <= 1


def test_identities_are_numbered_from_one_in_order_of_first_time(opened: Run) -> None:
    people = opened.identities()
    assert people["identity"].to_pylist() == [f"P{number:04d}" for number in range(1, people.num_rows + 1)]


def test_tracklets_are_numbered_in_order_of_time_within_their_camera(opened: Run) -> None:
    for camera in opened.cameras:
        rows = opened.tracklets().filter(pc.equal(opened.tracklets()["camera"], camera)).to_pylist()
        assert [row["tracklet"] for row in rows] == [f"{camera}/{number:06d}" for number in range(1, len(rows) + 1)]
        assert [row["first"] for row in rows] == sorted(row["first"] for row in rows)


def test_evidence_names_tracklets_that_are_there(opened: Run) -> None:
    owner = dict(zip(*(opened.tracklets()[name].to_pylist() for name in ("tracklet", "identity")), strict=True))
    for row in opened.evidence().to_pylist():
        same = owner[row["first"]] == owner[row["second"]]
        assert owner[row["first"]] is not None
        assert row["kind"] == ("same" if same else "apart")


def test_no_person_is_twice_in_one_frame(opened: Run) -> None:
    for camera in opened.cameras:
        rows = opened.boxes(camera).select(["frame", "identity"]).to_pylist()
        seen = Counter((row["frame"], row["identity"]) for row in rows if row["identity"])
        assert max(seen.values()) == 1


def test_no_tracklet_is_twice_in_one_frame_and_each_is_of_one_person(opened: Run) -> None:
    rows = every_box(opened).select(["frame", "tracklet", "identity"]).to_pylist()
    assert max(Counter((row["frame"], row["tracklet"]) for row in rows).values()) == 1
    owner = dict(zip(*(opened.tracklets()[name].to_pylist() for name in ("tracklet", "identity")), strict=True))
    assert {(row["tracklet"], row["identity"]) for row in rows} == set(owner.items())


def test_detected_boxes_are_those_of_the_tracks_and_none_is_used_twice(opened: Run, finished: Path) -> None:
    names = ["frame", "x1", "y1", "x2", "y2", "score"]
    for camera in opened.cameras:
        boxes = [tuple(row.values()) for row in opened.boxes(camera, interpolate=False).select(names).to_pylist()]
        stored = set()
        for part in RunFolder(finished).track(camera, "*").parent.glob("*.parquet"):
            stored |= {tuple(row.values()) for row in read_part(part, schema.TRACKS, names).to_pylist()}
        assert len(set(boxes)) == len(boxes)
        assert set(boxes) <= stored


def test_a_tracklets_row_sums_up_its_boxes(opened: Run) -> None:
    boxes = pa.concat_tables([opened.boxes(camera, interpolate=False) for camera in opened.cameras])
    for row in opened.tracklets().to_pylist():
        own = boxes.filter(pc.equal(boxes["tracklet"], row["tracklet"]))
        frames = own["frame"].to_pylist()
        assert (row["first"], row["last"], row["boxes"]) == (frames[0], frames[-1], len(frames))
        assert (row["start"], row["end"]) == (own["time"][0].as_py(), own["time"][-1].as_py())
        heights = np.subtract(own["y2"].to_numpy(), own["y1"].to_numpy())
        assert row["height"] == pytest.approx(float(np.median(heights)), abs=1e-3)
        assert (row["start_s"], row["end_s"]) == (own["elapsed_s"][0].as_py(), own["elapsed_s"][-1].as_py())


def test_interpolation_fills_every_gap_on_a_straight_line_in_time(opened: Run) -> None:
    filled = 0
    for camera in opened.cameras:
        boxes = opened.boxes(camera)
        for name in set(boxes["tracklet"].to_pylist()):
            own = boxes.filter(pc.equal(boxes["tracklet"], name))
            frames, added = own["frame"].to_numpy(), own["interpolated"].to_numpy(zero_copy_only=False)
            assert np.array_equal(frames, np.arange(frames[0], frames[-1] + 1))
            assert not added[0]
            assert not added[-1]
            assert np.array_equal(pc.is_null(own["score"]).to_numpy(zero_copy_only=False), added)
            times = own["elapsed_s"].to_numpy()
            for edge in ("x1", "y1", "x2", "y2"):
                values = own[edge].to_numpy()
                line = np.interp(times[added], times[~added], values[~added])
                assert np.allclose(values[added], line, atol=1e-2)
            filled += int(added.sum())
    assert filled > 0


def test_without_interpolation_only_what_was_detected_remains(opened: Run) -> None:
    boxes = opened.boxes("hall")
    assert opened.boxes("hall", interpolate=False) == boxes.filter(pc.invert(boxes["interpolated"]))


def test_times_are_those_of_the_files_and_the_clock(opened: Run, site: Path) -> None:
    for camera in read_site([str(site / "cameras.yaml")]).cameras:
        boxes, (file,) = opened.boxes(camera.name), opened.files(camera.name)
        frames = boxes["frame"].to_numpy()
        assert np.array_equal(boxes["pts"].to_numpy(), file.pts[frames])
        seconds = (file.pts[frames] - file.pts[0]) * float(file.time_base)
        assert np.allclose(boxes["elapsed_s"].to_numpy(), seconds, atol=1e-6)
        start = camera.clock.starts[0]
        assert start is not None
        utc = boxes["time"].cast(pa.int64()).to_numpy()
        assert np.abs(utc - (start + seconds * 1e6)).max() <= 1
        assert set(boxes["file"].to_pylist()) == {camera.files[0].name}


def test_boxes_come_in_order_of_frames(opened: Run) -> None:
    for camera in opened.cameras:
        rows = [(row["frame"], row["tracklet"]) for row in opened.boxes(camera).to_pylist()]
        assert rows == sorted(rows)


def test_a_crop_is_of_a_frame_in_which_its_tracklet_was_detected(opened: Run) -> None:
    boxes = {(row["tracklet"], row["frame"]): row for row in every_box(opened).to_pylist()}
    crops = opened.crops().to_pylist()
    assert crops
    for crop in crops:
        box = boxes[crop["tracklet"], crop["frame"]]
        assert not box["interpolated"]
        assert (crop["time"], crop["pts"]) == (box["time"], box["pts"])
        image = cv2.imdecode(np.frombuffer(crop["jpeg"], np.uint8), cv2.IMREAD_COLOR)
        assert 0 <= crop["x1"] < crop["x2"] <= image.shape[1] + 1
        assert 0 <= crop["y1"] < crop["y2"] <= image.shape[0] + 1
        assert max(image.shape) <= 384


def test_the_best_crops_are_those_of_highest_quality(opened: Run) -> None:
    every, best = opened.crops(), opened.crops(best=2)
    for name in set(every["tracklet"].to_pylist()):
        qualities = every.filter(pc.equal(every["tracklet"], name))["quality"].to_pylist()
        kept = best.filter(pc.equal(best["tracklet"], name))["quality"].to_pylist()
        assert kept == sorted(qualities, reverse=True)[:2]


def test_crops_of_some_tracklets_are_theirs_alone(opened: Run) -> None:
    wanted = opened.tracklets()["tracklet"].to_pylist()[:2]
    assert set(opened.crops(wanted)["tracklet"].to_pylist()) <= set(wanted)
    assert opened.crops([]).num_rows == 0


def test_frames_are_all_frames_of_the_footage(opened: Run) -> None:
    (file,) = opened.files("north")
    found = [(frame.index, frame.pts, frame.image.shape) for frame in opened.frames("north")]
    assert found == [(i, int(pts), (file.height, file.width, 3)) for i, pts in enumerate(file.pts)]


def test_an_unknown_camera_is_refused_with_the_known_ones(opened: Run) -> None:
    with pytest.raises(InputError, match="no camera 'hal'") as error:
        opened.boxes("hal")
    assert "hall" in error.value.hint


def test_what_is_not_matched_yet_says_what_to_do(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "match")
    run = vidreid.open_run(tmp_path / "run")
    assert run.summary().covered == "not matched yet"
    assert run.summary().people == 0
    with pytest.raises(InputError, match="not matched yet") as error:
        run.boxes("hall")
    assert error.value.hint.startswith("vidreid match ")


def test_people_are_not_shown_on_tracks_that_are_not_theirs(
    finished: Path, site: Path, go: Callable[..., object], tmp_path: Path
) -> None:
    """Tracks made anew have other numbers: until they are matched there is nothing to tell of them."""
    shutil.copytree(finished, tmp_path / "run")
    go(tmp_path / "run", settings={"detection": {"detector": "oracle", "score": 0.4}}, until="track")
    run = vidreid.open_run(tmp_path / "run")
    for read in (run.boxes, lambda camera: run.crops()):
        with pytest.raises(InputError, match="tracked anew since it was matched") as error:
            read("hall")
        assert error.value.hint == f"vidreid match {tmp_path / 'run'}"
    go(tmp_path / "run", settings={"detection": {"detector": "oracle", "score": 0.4}})
    run = vidreid.open_run(tmp_path / "run")
    assert min(run.boxes("hall", interpolate=False)["score"].to_pylist()) >= 0.4


def test_the_call_gives_what_the_command_gives(
    finished: Path, site: Path, settings: dict[str, dict[str, object]], tmp_path: Path
) -> None:
    footage = {camera.name: list(camera.files) for camera in read_site([str(site / "cameras.yaml")]).cameras}
    run = vidreid.run(footage, tmp_path / "run", settings=settings)
    known = vidreid.open_run(finished)
    assert run.failed == {}
    assert any(note.startswith("clock unknown: north, hall, yard") for note in run.summary().notes)
    for name in ("track", "crops", "embed"):
        for part in [part for part in parts_of(finished) if part.startswith(name)]:
            assert (tmp_path / "run" / part).read_bytes() == (finished / part).read_bytes()
    again = vidreid.run(site / "cameras.yaml", tmp_path / "run", settings=settings)
    assert again.tracklets() == known.tracklets()
    assert again.identities() == known.identities()
    assert (tmp_path / "run" / "people.html").is_file()


def test_match_says_what_it_covers(finished: Path) -> None:
    header = read_header(RunFolder(finished).match("tracklets"))
    assert header is not None
    assert header.facts["frames"] == header.facts["frames_total"]
    assert len(header.facts["tracked"]) == len(list(finished.glob("track/*/*.parquet")))
