"""What of the pictures belongs to a camera, and who in it counts: quad screens, polygons, fields and flat pixels."""

import itertools
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from films import FIELDS, Film, decode, whole, write_truth
from parts import MATCH, marks

import vidreid
from vidreid.errors import InputError
from vidreid.footage.probe import probe
from vidreid.footage.scene import foot_points, within
from vidreid.pipeline.looks import looks_of
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.results import Run
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_header, read_part
from vidreid.types import Image, Scene

QUARTERS = [[x, y, 0.5, 0.5] for y in (0.0, 0.5) for x in (0.0, 0.5)]
FRONT = ((0.0, 0.55), (0.6, 0.5), (0.75, 1.0), (0.0, 1.0))  # of the hall: some stand in it, some do not, some pass
SIDES = ("x1", "y1", "x2", "y2")


class Heard(Silent):
    """Remembers the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, line: str) -> None:
        self.notes.append(line)


# Quad screens


def encode(path: Path, pictures: Iterable[Image], fps: int = 10) -> None:
    """Without any loss but that of colours at half the resolution."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=fps, options={"qp": "0", "preset": "ultrafast", "g": "10"})
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(pictures):
            if number == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def pictures_of(path: Path, first: int, stop: int) -> list[Image]:
    """Some of a file's pictures."""
    file = probe(path)
    [segment] = whole(file)
    found = decode(path, file, [replace(segment, stop=stop, own_first=first, own_stop=stop)])
    return [found[index] for index in range(first, stop)]


def compose(folder: Path, screens: Mapping[str, Sequence[Image]]) -> None:
    """``<camera>.mp4`` of each camera, ``quad.mp4`` of four of them, and a cameras YAML of each."""
    for name, pictures in screens.items():
        encode(folder / f"{name}.mp4", pictures)
    rows = (
        np.concatenate([np.concatenate(four[:2], axis=1), np.concatenate(four[2:], axis=1)])
        for four in zip(*screens.values(), strict=True)
    )
    encode(folder / "quad.mp4", rows)
    start = "2026-04-12T08:00:00Z"
    alone = {name: {"files": [f"{name}.mp4"], "start": start} for name in screens}
    shared = {
        name: {"files": ["quad.mp4"], "start": start, "view": view}
        for name, view in zip(screens, QUARTERS, strict=True)
    }
    for name, cameras in (("alone", alone), ("shared", shared)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({"cameras": cameras}, sort_keys=False))


@pytest.fixture(scope="module")
def quad(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four cameras of the synthetic world, as four files and on one quad screen; one sees what the hall does later."""
    folder = tmp_path_factory.mktemp("quad")
    (folder / "gt").mkdir()
    screens = {}
    for name, start in (("north", 60), ("hall", 60), ("yard", 60), ("hall_later", 160)):
        camera = name.partition("_")[0]
        screens[name] = pictures_of(site / f"{camera}.mp4", start, start + 50)
        rows = np.loadtxt(site / "gt" / f"{camera}.txt", delimiter=",")
        rows[:, 0] -= start
        np.savetxt(folder / "gt" / f"{name}.txt", rows[rows[:, 0] >= 1], "%g", delimiter=",")
    compose(folder, screens)
    return folder


def parts(run: Path, kind: str, wanted: pa.Schema) -> list[pa.Table]:
    return [read_part(path, wanted) for path in sorted(run.glob(f"{kind}/*/*.parquet"))]


def test_four_cameras_that_share_a_file_give_what_four_files_give(
    go: Callable[..., Any], quad: Path, tmp_path: Path
) -> None:
    short = {"segments": {"seconds": 2.0, "overlap": 1.0}}
    for name in ("alone", "shared"):
        report = go(tmp_path / name, quad / f"{name}.yaml", settings=short)
        assert report.failed == {}
    for kind, wanted in (("track", schema.TRACKS), ("crops", schema.CROPS), ("embed", schema.VECTORS)):
        alone, shared = (parts(tmp_path / name, kind, wanted) for name in ("alone", "shared"))
        assert len(alone) >= 8
        assert sum(table.num_rows for table in alone) > 20
        assert alone == shared
    one, other = (vidreid.open_run(tmp_path / name) for name in ("alone", "shared"))
    assert one.tracklets().equals(other.tracklets())
    assert one.identities().num_rows >= 3
    for camera in one.cameras:
        first, second = (next(run.frames(camera)).image for run in (one, other))
        assert first.shape == second.shape == (270, 480, 3)
        assert (first == second)[2:-2, 2:-2].all()  # neighbours share colours of half the resolution


@pytest.mark.shared
def test_a_quad_screen_of_real_footage_gives_what_its_four_files_give(shared: Path, tmp_path: Path) -> None:
    """By the detector that ships: the boxes of each camera are those of its own file."""
    data = shared / "data" / "footage"
    names = ("campus4/c0", "campus4/c1", "lab4/cam1", "lab4/cam2")
    compose(tmp_path, {name.replace("/", "_"): pictures_of(data / f"{name}.mp4", 0, 30) for name in names})
    runs = {name: vidreid.run(tmp_path / f"{name}.yaml", tmp_path / "runs" / name) for name in ("alone", "shared")}
    assert all(run.failed == {} for run in runs.values())
    alone, shared_file = (parts(run.path, "track", schema.TRACKS) for run in runs.values())
    assert sum(table.num_rows for table in alone) > 40
    for one, other in zip(alone, shared_file, strict=True):
        assert one["frame"] == other["frame"]
        for side in SIDES:  # colours at the borders are shared by neighbours
            assert one[side].to_numpy() == pytest.approx(other[side].to_numpy(), abs=1.0)


# Polygons


def copy_of(finished: Path, folder: Path, scene: Scene, camera: str = "hall") -> RunFolder:
    """A copy of a finished run whose record has other polygons."""
    run = RunFolder(shutil.copytree(finished, folder))
    record = run.read()
    run.write(record.with_camera(replace(record.camera(camera), scene=scene)))
    return run


def matched(go: Callable[..., Any], run: RunFolder) -> tuple[Run, list[str]]:
    """The run with its people found anew, and what was said meanwhile."""
    heard = Heard()
    assert go(run.path, reporter=heard).failed == {}
    return vidreid.open_run(run.path), heard.notes


@pytest.fixture(scope="module")
def inner(go: Callable[..., Any], finished: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[str]]:
    return matched(go, copy_of(finished, tmp_path_factory.mktemp("inner") / "run", Scene(include=(FRONT,))))


@pytest.fixture(scope="module")
def outer(go: Callable[..., Any], finished: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[str]]:
    return matched(go, copy_of(finished, tmp_path_factory.mktemp("outer") / "run", Scene(ignore=(FRONT,))))


def in_front(run: Run, table: pa.Table) -> list[bool]:
    """Which boxes stand in `FRONT`."""
    (file,) = run.files("hall")
    corners = np.stack([table[side].to_numpy() for side in SIDES], 1)
    sizes = np.tile([file.width, file.height], (len(corners), 1))
    return within(foot_points(corners, sizes), FRONT).tolist()


@pytest.mark.parametrize("interpolate", [False, True])
def test_nobody_is_reported_where_people_do_not_count(finished, inner, outer, interpolate: bool) -> None:
    everything = vidreid.open_run(finished).boxes("hall", interpolate=interpolate)
    assert 0.1 < np.mean(in_front(inner[0], everything)) < 0.9  # so that both say something
    for run, wanted in ((inner[0], True), (outer[0], False)):
        found = run.boxes("hall", interpolate=interpolate)
        assert found.num_rows > 10
        assert set(in_front(run, found)) == {wanted}


def test_every_box_counts_inside_or_outside(finished, inner, outer) -> None:
    """Boxes as they were tracked; none is lost or invented."""
    names = ["frame", *SIDES]
    found = [run.boxes("hall", interpolate=False).select(names).to_pylist() for run in (inner[0], outer[0])]
    both = sorted(tuple(row.values()) for row in itertools.chain(*found))
    everything = vidreid.open_run(finished).boxes("hall", interpolate=False).select(names).to_pylist()
    assert both == sorted(tuple(row.values()) for row in everything)


def test_tracklets_begin_and_end_where_people_count(inner, outer) -> None:
    for run, _ in (inner, outer):
        boxes = run.boxes("hall", interpolate=False)
        table = run.tracklets().filter(pc.equal(run.tracklets()["camera"], "hall"))
        for row in table.select(["tracklet", "first", "last", "boxes"]).to_pylist():
            mine = boxes.filter(pc.equal(boxes["tracklet"], row["tracklet"]))["frame"].to_pylist()
            assert (mine[0], mine[-1], len(mine)) == (row["first"], row["last"], row["boxes"])


def test_pictures_and_looks_are_of_where_people_count(finished, inner, outer) -> None:
    every = vidreid.open_run(finished)
    total = 0
    for run, _ in (inner, outer):
        frames = set()
        boxes = run.boxes("hall", interpolate=False)
        for tracklet, frame in zip(boxes["tracklet"].to_pylist(), boxes["frame"].to_pylist(), strict=True):
            frames.add((tracklet, frame))
        crops = run.crops().filter(pc.equal(run.crops()["camera"], "hall"))
        total += crops.num_rows
        assert set(zip(crops["tracklet"].to_pylist(), crops["frame"].to_pylist(), strict=True)) <= frames
        rows = run.tracklets().filter(pc.equal(run.tracklets()["camera"], "hall")).to_pylist()
        for name, looks in looks_of(run, rows).items():
            own = np.array([frame for tracklet, frame in frames if tracklet == name])
            assert all(((own >= look.first) & (own <= look.last)).any() for look in looks)
    assert total == pc.sum(pc.equal(every.crops()["camera"], "hall")).as_py()


def test_other_cameras_find_whom_they_found(finished, inner) -> None:
    every = vidreid.open_run(finished)
    for camera in ("north", "yard"):
        kept = [run.boxes(camera).drop_columns(["identity"]) for run in (every, inner[0])]
        assert kept[0] == kept[1]


def test_it_says_how_many_boxes_do_not_count(finished, inner, outer) -> None:
    boxes = vidreid.open_run(finished).boxes("hall", interpolate=False)
    inside = sum(in_front(inner[0], boxes))
    for (run, notes), missing in ((inner, len(boxes) - inside), (outer, inside)):
        line = f"hall: {missing} of {len(boxes)} boxes do not count: they stand where its polygons leave people out"
        assert line in notes
        assert line in run.summary().notes


def test_a_match_keeps_the_polygons_that_it_was_made_with(inner, tmp_path: Path) -> None:
    """What is read of an old match is what it said, whatever the record says now; nothing is half and half."""
    before = inner[0]
    run = copy_of(before.path, tmp_path / "run", Scene(ignore=(FRONT,)))
    after = vidreid.open_run(run.path)
    assert after.boxes("hall") == before.boxes("hall")
    assert after.crops() == before.crops()
    assert json.loads(json.dumps(read_header(run.match("tracklets")).inputs["scenes"])) == {
        "hall": {"include": [[list(corner) for corner in FRONT]]}
    }


def test_other_polygons_are_named_by_their_camera_and_nothing_is_tracked_again(go, inner, tmp_path: Path) -> None:
    run = copy_of(inner[0].path, tmp_path / "run", Scene(include=(FRONT[:3],)))
    before = marks(run.path)
    after, notes = matched(go, run)
    assert "match: done again (scenes.hall.include)" in notes
    assert {name for name, mark in marks(after.path).items() if mark != before[name]} == {
        f"match/{table}.parquet" for table in MATCH
    }


def test_a_run_without_polygons_knows_of_none(finished: Path) -> None:
    assert "scenes" not in read_header(RunFolder(finished).match("tracklets")).inputs


@pytest.mark.parametrize("scene", [Scene(view=(0.0, 0.0, 0.5, 1.0)), Scene(aspect=1.0)])
def test_boxes_are_never_shown_on_other_pictures_than_they_were_found_in(
    finished: Path, tmp_path: Path, scene: Scene
) -> None:
    run = copy_of(finished, tmp_path / "run", scene)
    opened = vidreid.open_run(run.path)
    with pytest.raises(InputError, match=r"^hall: was tracked in another view or shape$") as caught:
        opened.boxes("hall")
    assert caught.value.hint == f"vidreid run {run.path}"
    assert opened.boxes("north").num_rows > 0


@pytest.mark.shared
def test_an_easel_that_a_detector_takes_for_a_person_is_gone(shared: Path, tmp_path: Path) -> None:
    """Those who walk by it stay: of each, the feet are elsewhere."""
    easel, around = [319, 73, 333, 123], [[0.875, 0.39], [0.94, 0.39], [0.94, 0.455], [0.875, 0.455]]
    encode(tmp_path / "c1.mp4", pictures_of(shared / "data" / "footage" / "campus4" / "c1.mp4", 700, 730))
    detector = shared / "weights" / "detector" / "yolo26n_int8_openvino_model" / "yolo26n.xml"
    settings = {"detection": {"detector": str(detector)}, "embedding": {"embedder": "colours"}}
    found = []
    for name, scene in (("before", {}), ("after", {"ignore": [around]})):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({"cameras": {"c1": {"files": ["c1.mp4"], **scene}}}))
        run = vidreid.run(tmp_path / f"{name}.yaml", tmp_path / "run", settings=settings)
        boxes = run.boxes("c1", interpolate=False)
        corners = np.stack([boxes[side].to_numpy() for side in SIDES], 1)
        there = np.abs(corners - easel).max(1) < 10
        found.append((int(there.sum()), len(corners) - int(there.sum())))
    (before, others), (after, others_after) = found
    assert before > 10
    assert after == 0
    assert others_after == others > 20


# Fields and flat pixels


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Footage as recorders write it: interlaced, half as high, and both on a quad screen."""
    folder = tmp_path_factory.mktemp("recorded")
    Film("fields.mp4", interlaced=True, options=FIELDS).write(folder)
    Film("flat.mp4", size=(704, 288), frames=20).write(folder)
    for name in ("fields", "flat"):
        write_truth(folder, name)
    return folder


def test_a_run_says_what_it_does_to_pictures_and_its_summary_repeats_it(
    go: Callable[..., Any], recorded: Path, tmp_path: Path
) -> None:
    heard = Heard()
    go(tmp_path / "run", recorded / "fields.mp4", recorded / "flat.mp4", reporter=heard)
    run = vidreid.open_run(tmp_path / "run")
    lines = [
        "fields: fields.mp4: interlaced: of each picture one field is shown, half of its lines",
        "flat: flat.mp4: stored as 704 x 288, shown as 704 x 528: half a picture of 4:3, unless `aspect` in the "
        "cameras YAML says otherwise",
    ]
    for line in lines:
        assert line in heard.notes
        assert line in run.summary().notes
    inputs = {name: read_header(RunFolder(run.path).track(name, "00000")).inputs for name in run.cameras}
    assert inputs["fields"]["deinterlaced"] is True
    assert inputs["flat"]["stretched"] == "6/11"
    assert next(run.frames("flat")).image.shape == (528, 704, 3)
    assert next(run.frames("fields")).image.shape == (48, 64, 3)
