"""`export`: every format, and every way to say what of a run is wanted."""

import csv
import json

import av
import pyarrow.parquet as pq
import pytest

from vidreid import plugins
from vidreid.pipeline.results import Run

FILES = {
    "csv": ["sightings.csv"],
    "parquet": ["sightings.parquet"],
    "jsonl": ["sightings.jsonl"],
    "coco": ["coco.json"],
    "mot": ["north.txt", "hall.txt", "yard.txt"],
    "timeline": ["timeline.svg"],
    "video": ["north.mp4", "hall.mp4", "yard.mp4"],
    "clips": ["clips.csv"],
}


@pytest.fixture
def sightings(say, finished, tmp_path):
    """Rows of a CSV export with these options."""

    def export(*options):
        answer = say("export", finished, "--format", "csv", "--output", tmp_path, *options)
        assert answer.status == 0, answer.err
        with (tmp_path / "sightings.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    return export


def test_every_format_has_a_test():
    assert plugins.names("views.export") == sorted(FILES)


@pytest.mark.parametrize("kind", [kind for kind in FILES if kind not in ("clips", "video")])
def test_the_files_written_are_named(say, finished, tmp_path, kind):
    answer = say("export", finished, "--format", kind, "--output", tmp_path / "out")
    assert answer.status == 0
    assert answer.out.splitlines() == [str(tmp_path / "out" / name) for name in FILES[kind]]
    assert all((tmp_path / "out" / name).stat().st_size > 0 for name in FILES[kind])


def test_tables_of_all_formats_hold_the_same_rows(say, finished, tmp_path, sightings):
    rows = len(sightings())
    for kind in ("parquet", "jsonl", "mot", "coco"):
        say("export", finished, "--format", kind, "--output", tmp_path)
    assert pq.read_metadata(tmp_path / "sightings.parquet").num_rows == rows
    assert len((tmp_path / "sightings.jsonl").read_text().splitlines()) == rows
    assert sum(len((tmp_path / name).read_text().splitlines()) for name in FILES["mot"]) == rows
    assert len(json.loads((tmp_path / "coco.json").read_text())["annotations"]) == rows


def test_video_of_one_camera_and_two_seconds(say, finished, tmp_path):
    words = ("--camera", "yard", "--from", "+00:00:02", "--to", "+00:00:04")
    answer = say("export", finished, "--format", "video", "--output", tmp_path, *words)
    assert answer.out.splitlines() == [str(tmp_path / "yard.mp4")]
    with av.open(str(tmp_path / "yard.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 25


def test_only_some_people_and_cameras(sightings, finished):
    someone = Run(finished).identities()["identity"].to_pylist()[0]
    assert {row["identity"] for row in sightings("--identity", someone)} == {someone}
    assert {row["camera"] for row in sightings("--camera", "hall", "--camera", "yard")} <= {"hall", "yard"}


def test_from_is_inclusive_and_to_exclusive_since_the_start(sightings):
    times = [float(row["elapsed_s"]) for row in sightings("--from", "+00:00:05", "--to", "+00:00:10")]
    assert times
    assert min(times) >= 5
    assert max(times) < 10


def test_times_of_day_select_by_the_clock(sightings):
    times = [row["time"] for row in sightings("--from", "2026-04-12T08:00:05Z", "--to", "2026-04-12T08:00:10Z")]
    assert times
    assert min(times) >= "2026-04-12T08:00:05"
    assert max(times) < "2026-04-12T08:00:10"


def test_mot_numbers_are_the_persons_or_the_tracklets(say, finished, tmp_path):
    run = Run(finished)
    for ids, expected in (
        ("identity", {int(name[1:]) for name in run.identities()["identity"].to_pylist()}),
        ("track", {int(name.split("/")[1]) for name in run.tracklets()["tracklet"].to_pylist()}),
    ):
        say("export", finished, "--format", "mot", "--output", tmp_path, "--ids", ids)
        lines = [line for name in FILES["mot"] for line in (tmp_path / name).read_text().splitlines()]
        assert expected <= {int(line.split(",")[1]) for line in lines}
        assert min(int(line.split(",")[0]) for line in lines) >= 1


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (("--format", "xls"), "'xls' is none of clips, coco, csv, jsonl, mot, parquet, timeline, video"),
        (("--format", "csv", "--camera", "hal"), "no camera 'hal'"),
        (("--format", "csv", "--identity", "P9999"), "no person 'P9999'"),
        (("--format", "csv", "--from", "noon"), "'noon' is no time"),
        (("--format", "mot", "--ids", "names"), "'names' is not one of"),
    ],
)
def test_what_the_run_does_not_have_is_wrong_use(say, finished, tmp_path, options, error):
    answer = say("export", finished, "--output", tmp_path, *options)
    assert answer.status == 2
    assert error in answer.err
