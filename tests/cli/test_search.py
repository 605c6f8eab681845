"""`search`: every way to say who is looked for, and what is said where nobody can be found."""

import json
import shutil
import zipfile

import cv2
import numpy as np
import pytest
from indexing import write_index_of

from vidreid.pipeline.results import Run
from vidreid.views.frames import frames


@pytest.fixture(scope="module")
def indexed(finished, tmp_path_factory):
    """The finished run with an index. Read only."""
    path = tmp_path_factory.mktemp("indexed") / "run"
    shutil.copytree(finished, path)
    write_index_of(path)
    return path


@pytest.fixture
def copy(indexed, tmp_path):
    """One to break."""
    shutil.copytree(indexed, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def hits(say):
    """Hits of a search as JSON."""

    def search(*words):
        answer = say("search", *words, "--json")
        assert answer.status == 0, answer.err
        return json.loads(answer.out)["hits"]

    return search


@pytest.fixture(scope="module")
def seen_twice(indexed):
    """Two tracklets of one person, in two cameras, the one of more boxes first."""
    rows = [row for row in Run(indexed).tracklets().to_pylist() if row["identity"]]
    for row in rows:
        others = [o for o in rows if o["identity"] == row["identity"] and o["camera"] != row["camera"]]
        if others:
            pair = sorted([row, others[0]], key=lambda one: -one["boxes"])
            return [one["tracklet"] for one in pair]
    raise AssertionError("nobody was seen twice")


@pytest.fixture
def photo(indexed, tmp_path, seen_twice):
    """The best picture of the first tracklet, as a file."""
    (row,) = Run(indexed).crops([seen_twice[0]], best=1).to_pylist()
    (tmp_path / "photo.jpg").write_bytes(row["jpeg"])
    return tmp_path / "photo.jpg"


def test_a_tracklet_finds_the_same_person_in_another_camera_and_not_itself(hits, indexed, seen_twice):
    found = hits(indexed, "--tracklet", seen_twice[0])
    names = [hit["tracklet"] for hit in found]
    assert seen_twice[0] not in names
    assert seen_twice[1] in [hit["tracklet"] for hit in found if hit["likely"]]
    assert len(found) == min(20, Run(indexed).tracklets().num_rows - 1)
    likenesses = [hit["likeness"] for hit in found]
    assert likenesses == sorted(likenesses, reverse=True)


def test_several_tracklets_are_pooled_and_all_left_out(hits, indexed, seen_twice):
    found = hits(indexed, "--tracklet", seen_twice[0], "--tracklet", seen_twice[1])
    assert not set(seen_twice) & {hit["tracklet"] for hit in found}


def test_a_hit_says_who_where_and_when(hits, indexed, seen_twice):
    rows = {row["tracklet"]: row for row in Run(indexed).tracklets().to_pylist()}
    for hit in hits(indexed, "--tracklet", seen_twice[0]):
        row = rows[hit["tracklet"]]
        assert (hit["camera"], hit["identity"]) == (row["camera"], row["identity"])
        assert hit["start"] == row["start"].isoformat()
        assert hit["run"] == str(indexed)


def test_the_first_line_says_whether_anybody_is_likely(say, indexed, seen_twice):
    answer = say("search", indexed, "--tracklet", seen_twice[0])
    assert "likely sighting" in answer.out.splitlines()[0]
    assert "(unlikely)" in answer.out
    assert "not calibrated, so likeness has no probability" in answer.err


def test_nobody_likely_is_said_first_and_the_nearest_are_shown_all_the_same(say, indexed, tmp_path):
    cv2.imwrite(str(tmp_path / "noise.png"), np.random.default_rng(0).integers(0, 255, (128, 64, 3)).astype(np.uint8))
    answer = say("search", indexed, "--image", tmp_path / "noise.png", "--top", 3)
    lines = answer.out.splitlines()
    assert lines[0] == "no likely match"
    assert sum(line.endswith("(unlikely)") for line in lines) == 3


def test_a_picture_of_somebody_finds_them(say, hits, indexed, photo, seen_twice):
    assert hits(indexed, "--image", photo)[0]["tracklet"] == seen_twice[0]
    answer = say("search", indexed, "--image", photo)
    assert "the whole picture is taken for the person" in answer.err


def test_several_pictures_are_one_person(hits, indexed, photo, seen_twice, tmp_path):
    (row,) = Run(indexed).crops([seen_twice[1]], best=1).to_pylist()
    (tmp_path / "other.jpg").write_bytes(row["jpeg"])
    found = hits(indexed, "--image", photo, "--image", tmp_path / "other.jpg", "--top", 2)
    assert {hit["tracklet"] for hit in found} == set(seen_twice)


def test_only_some_cameras_and_times(hits, indexed, seen_twice):
    words = (indexed, "--tracklet", seen_twice[0])
    assert {hit["camera"] for hit in hits(*words, "--camera", "hall")} == {"hall"}
    for after in ("2026-04-12T08:00:10Z", "08:00:10", "+00:00:10"):
        found = hits(*words, "--after", after)
        assert 0 < len(found) < len(hits(*words))
        ends = [hit["end_s"] >= 10 if after.startswith("+") else hit["end"][11:19] >= "08:00:10" for hit in found]
        assert all(ends)
    assert all(hit["start"][11:19] < "08:00:10" for hit in hits(*words, "--before", "08:00:10"))
    assert hits(*words, "--after", "+01:00:00") == []


def test_nobody_within_the_limits_is_no_likely_match(say, indexed, seen_twice):
    answer = say("search", indexed, "--tracklet", seen_twice[0], "--after", "+01:00:00")
    assert (answer.status, answer.out) == (0, "no likely match\n")


@pytest.fixture
def moment(indexed, seen_twice):
    """Camera, time since its start, and middle of the box of the first tracklet, in a frame in which it is seen."""
    camera = seen_twice[0].split("/")[0]
    rows = [row for row in Run(indexed).boxes(camera).to_pylist() if row["tracklet"] == seen_twice[0]]
    row = rows[len(rows) // 2]
    x, y = (row["x1"] + row["x2"]) / 2, (row["y1"] + row["y2"]) / 2
    return camera, row, f"{x},{y}"


def test_a_frame_without_a_point_shows_everybody_in_it_numbered(say, indexed, moment, seen_twice, tmp_path):
    camera, row, _ = moment
    since = f"+00:00:{row['elapsed_s']}"
    answer = say("search", indexed, "--at", camera, since, "--sheet", tmp_path / "frame.png")
    (line,) = [line for line in answer.out.splitlines() if seen_twice[0] in line]
    assert line.lstrip()[0].isdigit()
    assert "--point" in line
    file = Run(indexed).files(camera)[0]
    assert cv2.imread(str(tmp_path / "frame.png")).shape == (file.height, file.width, 3)
    listed = json.loads(say("search", indexed, "--at", camera, since, "--json").out)
    assert listed["frame"] == row["frame"]
    assert seen_twice[0] in [one["tracklet"] for one in listed["people"]]


@pytest.mark.parametrize("written", ["+00:00:{s}", "{t:%H:%M:%S.%f}", "{t:%Y-%m-%dT%H:%M:%S.%fZ}"])
def test_a_point_in_a_frame_says_who(hits, indexed, moment, seen_twice, written):
    camera, row, point = moment
    when = written.format(s=row["elapsed_s"], t=row["time"])
    assert hits(indexed, "--at", camera, when, "--point", point) == hits(indexed, "--tracklet", seen_twice[0])


def test_a_clip_is_searched_for_whoever_is_longest_in_it(say, indexed, site):
    answer = say("search", indexed, "--video", site / "yard.mp4", "--json")
    assert answer.status == 0, answer.err
    best = json.loads(answer.out)["hits"][0]
    boxes = Run(indexed).tracklets().to_pylist()
    longest = max((row for row in boxes if row["camera"] == "yard"), key=lambda row: row["boxes"])
    assert best["identity"] == longest["identity"]


def test_a_saved_person_is_found_again_in_a_later_search(say, hits, indexed, seen_twice, tmp_path):
    say("search", indexed, "--tracklet", seen_twice[0], "--save", tmp_path / "person.zip")
    found = hits(indexed, "--person", tmp_path / "person.zip", "--top", 2)
    assert [hit["tracklet"] for hit in found] == [
        seen_twice[0],
        hits(indexed, "--tracklet", seen_twice[0])[0]["tracklet"],
    ]
    assert found[0]["likeness"] == pytest.approx(1, abs=1e-3)


def test_a_picture_is_saved_with_its_vectors(say, indexed, photo, tmp_path):
    say("search", indexed, "--image", photo, "--save", tmp_path / "person.zip")
    with zipfile.ZipFile(tmp_path / "person.zip") as archive:
        assert sorted(archive.namelist()) == ["person.json", "pictures/0000.jpg", "vectors/0.npy"]


def test_vectors_of_another_network_are_never_compared(say, copy, indexed, seen_twice):
    """As of a run whose network is no longer what was found under its name."""
    record = json.loads((copy / "run.json").read_text())
    record["networks"]["embedder"]["network"] = "another"
    (copy / "run.json").write_text(json.dumps(record))
    write_index_of(copy)
    answer = say("search", indexed, copy, "--tracklet", seen_twice[0])
    assert (answer.status, answer.out) == (3, "")
    assert "copy: its vectors are of another network than colours-3 on this machine" in answer.err


def test_pictures_are_embedded_again_for_a_run_of_another_network(say, copy, indexed, seen_twice, tmp_path):
    say("search", indexed, "--tracklet", seen_twice[0], "--save", tmp_path / "p.zip")
    kept = tmp_path / "kept.zip"
    with zipfile.ZipFile(tmp_path / "p.zip") as old, zipfile.ZipFile(kept, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"colours-3", b"colours-2"))
    answer = say("search", indexed, "--person", kept, "--json")
    assert "the pictures are embedded again" in answer.err
    assert json.loads(answer.out)["hits"][0]["tracklet"] == seen_twice[0]


def test_several_runs_are_one_ranking(hits, copy, indexed, seen_twice):
    found = hits(indexed, copy, "--tracklet", seen_twice[0], "--top", 5)
    assert [found[0]["run"], found[0]["tracklet"]] == [str(copy), seen_twice[0]]  # in the other run it is no query
    alone = hits(indexed, "--tracklet", seen_twice[0], "--top", 2)
    assert [hit["likeness"] for hit in found[1:5]] == [hit["likeness"] for hit in alone for _ in range(2)]


def test_a_sheet_shows_what_was_found(say, indexed, seen_twice, tmp_path):
    for name in ("one.png", "two.png"):
        say("search", indexed, "--tracklet", seen_twice[0], "--sheet", tmp_path / name)
    assert cv2.imread(str(tmp_path / "one.png")).shape[1] == 1600
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_sheet_of_nobody_is_a_picture_too(say, indexed, seen_twice, tmp_path):
    say("search", indexed, "--tracklet", seen_twice[0], "--after", "+01:00:00", "--sheet", tmp_path / "s.png")
    assert cv2.imread(str(tmp_path / "s.png")) is not None


class TestPicturesOfScenes:
    """With the detector that ships, on frames of the footage."""

    @pytest.fixture
    def seeing(self, copy):
        record = json.loads((copy / "run.json").read_text())
        record["settings"]["detection"]["detector"] = "detector-yolo26n"
        (copy / "run.json").write_text(json.dumps(record))
        return copy

    @pytest.fixture
    def frame(self, copy, tmp_path):
        def write(camera, index):
            picture = next(frames(Run(copy), camera, index, index + 1))
            cv2.imwrite(str(tmp_path / f"{camera}.png"), picture.image[..., ::-1])
            return tmp_path / f"{camera}.png"

        return write

    def people(self, run, camera, index):
        return [row for row in Run(run).boxes(camera).to_pylist() if row["frame"] == index]

    def test_the_only_person_in_it_is_found(self, hits, seeing, frame):
        (row,) = self.people(seeing, "yard", 62)
        assert hits(seeing, "--image", frame("yard", 62), "--top", 1)[0]["tracklet"] == row["tracklet"]

    def test_of_several_people_one_must_be_pointed_at(self, say, hits, seeing, frame):
        picture = frame("hall", 62)
        answer = say("search", seeing, "--image", picture)
        assert answer.status == 3
        assert "hall.png: shows 2 people: 1. at " in answer.err
        assert "--point X,Y" in answer.err
        point = answer.err.split("1. at ")[1].split(", 2.")[0]
        assert len(hits(seeing, "--image", picture, "--point", point)) > 0

    def test_a_point_at_nobody_says_where_people_are(self, say, seeing, frame):
        answer = say("search", seeing, "--image", frame("yard", 62), "--point", "1,1")
        assert answer.status == 3
        assert "yard.png: nobody at 1,1" in answer.err
        assert "people: 1. at " in answer.err

    def test_a_wide_picture_of_nobody_is_refused(self, say, seeing, tmp_path):
        cv2.imwrite(str(tmp_path / "empty.png"), np.full((100, 200, 3), 120, np.uint8))
        answer = say("search", seeing, "--image", tmp_path / "empty.png")
        assert (answer.status, "empty.png: nobody was found in it" in answer.err) == (3, True)


@pytest.mark.parametrize(
    ("options", "status", "error"),
    [
        ((), 2, "nobody to look for"),
        (("--tracklet", "hall/000099"), 3, "no tracklet 'hall/000099'"),
        (("--tracklet", "hall/000001", "--camera", "hal"), 2, "no camera 'hal'"),
        (("--tracklet", "hall/000001", "--after", "noon"), 2, "'noon' is no time"),
        (("--tracklet", "hall/000001", "--point", "1,2"), 2, "--point says who is meant in one picture"),
        (("--at", "hall", "08:00:05", "--point", "1"), 2, "'1' is no point"),
        (("--at", "hall", "08:00:05", "--point", "0,0"), 3, "hall: nobody at 0,0"),
        (("--at", "hall", "18:00:05"), 3, "hall: no footage of that time"),
        (("--at", "hall", "+00:10:00"), 3, "hall: no footage of that time"),
        (("--at", "hal", "08:00:05"), 2, "no camera 'hal'"),
        (("--at", "hall", "08:00:05", "--save", "x.zip"), 2, "--save needs a person"),
        (("--at", "hall", "08:00:05", "--tracklet", "hall/000001"), 2, "--at says a frame, not yet who"),
        (("--image", "absent.png"), 3, "absent.png: no such file"),
        (("--video", "absent.mp4"), 3, "no such file"),
        (("--person", "absent.zip"), 3, "absent.zip: no such file"),
    ],
)
def test_what_cannot_be_searched_for_is_one_line(say, indexed, options, status, error):
    answer = say("search", indexed, *options)
    assert (answer.status, answer.out) == (status, "")
    assert error in answer.err


def test_an_unknown_tracklet_names_the_nearest(say, indexed):
    assert "did you mean hall/00000" in say("search", indexed, "--tracklet", "hall/00001").err


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0 half a JPEG"])
def test_a_picture_that_cannot_be_read_is_named(say, indexed, tmp_path, content):
    (tmp_path / "broken.jpg").write_bytes(content)
    answer = say("search", indexed, "--image", tmp_path / "broken.jpg")
    assert (answer.status, "broken.jpg: no picture that can be read" in answer.err) == (3, True)


def test_a_run_that_is_not_matched_says_what_to_do(say, copy):
    shutil.rmtree(copy / "match")
    answer = say("search", copy, "--tracklet", "hall/000001")
    assert (answer.status, "not matched yet" in answer.err) == (3, True)
    assert f"hint: vidreid match {copy}" in answer.err


def test_a_run_without_an_index_says_what_to_do(say, copy):
    (copy / "match" / "vectors.npy").unlink()
    answer = say("search", copy, "--tracklet", "hall/000001")
    assert (answer.status, "has no index for search" in answer.err) == (3, True)
    assert f"hint: vidreid match {copy}" in answer.err


def test_a_clock_that_nobody_knows_has_no_times_of_day(say, copy):
    record = json.loads((copy / "run.json").read_text())
    for camera in record["cameras"]:
        camera["starts"] = [None] * len(camera["starts"])
    (copy / "run.json").write_text(json.dumps(record))
    answer = say("search", copy, "--at", "hall", "08:00:05")
    assert (answer.status, "hall: its clock is unknown" in answer.err) == (3, True)
