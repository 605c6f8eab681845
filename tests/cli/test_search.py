"""`search`: every way to say who is looked for, and what is said where nobody can be found."""

import json
import shutil
import zipfile
from dataclasses import replace

import cv2
import numpy as np
import pytest

import vidreid
from vidreid.errors import UsageError
from vidreid.pipeline.looks import looks_of
from vidreid.pipeline.results import Run
from vidreid.store import schema
from vidreid.store.folder import RunFolder
from vidreid.store.parts import read_header, read_part, write_part
from vidreid.views.frames import frames


@pytest.fixture
def copy(finished, tmp_path):
    """A finished run to break."""
    shutil.copytree(finished, tmp_path / "copy")
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
def seen_twice(finished):
    """Two tracklets of one person, in two cameras, the one of more boxes first."""
    rows = [row for row in Run(finished).tracklets().to_pylist() if row["identity"]]
    for row in rows:
        others = [o for o in rows if o["identity"] == row["identity"] and o["camera"] != row["camera"]]
        if others:
            pair = sorted([row, others[0]], key=lambda one: -one["boxes"])
            return [one["tracklet"] for one in pair]
    raise AssertionError("nobody was seen twice")


@pytest.fixture
def photo(finished, tmp_path, seen_twice):
    """The best picture of the first tracklet, as a file."""
    (row,) = Run(finished).crops([seen_twice[0]], best=1).to_pylist()
    (tmp_path / "photo.jpg").write_bytes(row["jpeg"])
    return tmp_path / "photo.jpg"


def test_a_tracklet_finds_the_same_person_in_another_camera_and_not_itself(hits, finished, seen_twice):
    found = hits(finished, "--tracklet", seen_twice[0])
    names = [hit["tracklet"] for hit in found]
    assert seen_twice[0] not in names
    assert seen_twice[1] in [hit["tracklet"] for hit in found if hit["likely"]]
    told = [row for row in Run(finished).tracklets().to_pylist() if row["identity"]]
    assert len(found) == min(20, len(told) - 1)
    order = [(hit["probability"], hit["likeness"]) for hit in found]
    assert order == sorted(order, reverse=True)


def test_a_pair_is_as_alike_and_as_likely_one_person_as_match_wrote(hits, finished):
    for pair in Run(finished).evidence().to_pylist():
        for one, other in ((pair["first"], pair["second"]), (pair["second"], pair["first"])):
            (hit,) = [hit for hit in hits(finished, "--tracklet", one, "--top", 100) if hit["tracklet"] == other]
            assert hit["likeness"] == pytest.approx(pair["similarity"], abs=0.01)
            assert hit["probability"] == pytest.approx(pair["probability"], abs=0.01)


def test_several_tracklets_are_pooled_and_all_left_out(hits, finished, seen_twice):
    found = hits(finished, "--tracklet", seen_twice[0], "--tracklet", seen_twice[1])
    assert not set(seen_twice) & {hit["tracklet"] for hit in found}


def test_a_hit_says_who_where_and_when(hits, finished, seen_twice):
    rows = {row["tracklet"]: row for row in Run(finished).tracklets().to_pylist()}
    for hit in hits(finished, "--tracklet", seen_twice[0]):
        row = rows[hit["tracklet"]]
        assert (hit["camera"], hit["identity"]) == (row["camera"], row["identity"])
        assert hit["start"] == row["start"].isoformat()
        assert hit["run"] == str(finished)


def test_the_first_line_says_whether_anybody_is_likely(say, finished, seen_twice):
    answer = say("search", finished, "--tracklet", seen_twice[0])
    assert "likely sighting" in answer.out.splitlines()[0]
    assert answer.out.splitlines()[-2].endswith("(unlikely)")
    assert "lead, not proof" in answer.out.splitlines()[-1]
    assert answer.err == ""


def test_nobody_likely_is_said_first_and_the_nearest_are_shown_all_the_same(say, finished, tmp_path):
    cv2.imwrite(str(tmp_path / "noise.png"), np.random.default_rng(0).integers(0, 255, (128, 64, 3)).astype(np.uint8))
    answer = say("search", finished, "--image", tmp_path / "noise.png", "--top", 3)
    lines = answer.out.splitlines()
    assert lines[0] == "no likely match"
    assert sum(line.endswith("(unlikely)") for line in lines) == 3


def test_a_picture_of_somebody_finds_them(say, hits, finished, photo, seen_twice):
    assert hits(finished, "--image", photo)[0]["tracklet"] == seen_twice[0]
    answer = say("search", finished, "--image", photo)
    assert "the whole picture is taken for the person" in answer.err


def test_several_pictures_are_one_person(hits, finished, photo, seen_twice, tmp_path):
    (row,) = Run(finished).crops([seen_twice[1]], best=1).to_pylist()
    (tmp_path / "other.jpg").write_bytes(row["jpeg"])
    found = hits(finished, "--image", photo, "--image", tmp_path / "other.jpg", "--top", 2)
    assert {hit["tracklet"] for hit in found} == set(seen_twice)


def test_only_some_cameras_and_times(hits, finished, seen_twice):
    words = (finished, "--tracklet", seen_twice[0])
    assert {hit["camera"] for hit in hits(*words, "--camera", "hall")} == {"hall"}
    for after in ("2026-04-12T08:00:10Z", "08:00:10", "+00:00:10"):
        found = hits(*words, "--after", after)
        assert 0 < len(found) < len(hits(*words))
        ends = [hit["end_s"] >= 10 if after.startswith("+") else hit["end"][11:19] >= "08:00:10" for hit in found]
        assert all(ends)
    assert all(hit["start"][11:19] < "08:00:10" for hit in hits(*words, "--before", "08:00:10"))
    assert hits(*words, "--after", "+01:00:00") == []


def test_nobody_within_the_limits_is_no_likely_match(say, finished, seen_twice):
    answer = say("search", finished, "--tracklet", seen_twice[0], "--after", "+01:00:00")
    assert (answer.status, answer.out) == (0, "no likely match\n")


@pytest.fixture
def moment(finished, seen_twice):
    """Camera, time since its start, and middle of the box of the first tracklet, in a frame in which it is seen."""
    camera = seen_twice[0].split("/")[0]
    rows = [row for row in Run(finished).boxes(camera).to_pylist() if row["tracklet"] == seen_twice[0]]
    row = rows[len(rows) // 2]
    x, y = (row["x1"] + row["x2"]) / 2, (row["y1"] + row["y2"]) / 2
    return camera, row, f"{x},{y}"


def test_a_frame_without_a_point_shows_everybody_in_it_numbered(say, finished, moment, seen_twice, tmp_path):
    camera, row, _ = moment
    since = f"+00:00:{row['elapsed_s']}"
    answer = say("search", finished, "--at", camera, since, "--sheet", tmp_path / "frame.png")
    (line,) = [line for line in answer.out.splitlines() if seen_twice[0] in line]
    assert line.lstrip()[0].isdigit()
    assert "--point" in line
    file = Run(finished).files(camera)[0]
    assert cv2.imread(str(tmp_path / "frame.png")).shape == (file.height, file.width, 3)
    listed = json.loads(say("search", finished, "--at", camera, since, "--json").out)
    assert listed["frame"] == row["frame"]
    assert seen_twice[0] in [one["tracklet"] for one in listed["people"]]


@pytest.mark.parametrize("written", ["+00:00:{s}", "{t:%H:%M:%S.%f}", "{t:%Y-%m-%dT%H:%M:%S.%fZ}"])
def test_a_point_in_a_frame_says_who(hits, finished, moment, seen_twice, written):
    camera, row, point = moment
    when = written.format(s=row["elapsed_s"], t=row["time"])
    assert hits(finished, "--at", camera, when, "--point", point) == hits(finished, "--tracklet", seen_twice[0])


def test_a_clip_is_searched_for_whoever_is_longest_in_it(say, finished, site):
    answer = say("search", finished, "--video", site / "yard.mp4", "--json")
    assert answer.status == 0, answer.err
    best = json.loads(answer.out)["hits"][0]
    boxes = Run(finished).tracklets().to_pylist()
    longest = max((row for row in boxes if row["camera"] == "yard"), key=lambda row: row["boxes"])
    assert best["identity"] == longest["identity"]


def test_a_saved_person_is_found_again_in_a_later_search(say, hits, finished, seen_twice, tmp_path):
    say("search", finished, "--tracklet", seen_twice[0], "--save", tmp_path / "person.zip")
    found = hits(finished, "--person", tmp_path / "person.zip", "--top", 2)
    assert [hit["tracklet"] for hit in found] == [
        seen_twice[0],
        hits(finished, "--tracklet", seen_twice[0])[0]["tracklet"],
    ]
    assert found[0]["likely"]


def test_a_file_keeps_the_vectors_as_the_network_made_them(say, finished, seen_twice, tmp_path):
    """Another run takes away from them what belongs to it."""
    say("search", finished, "--tracklet", seen_twice[0], "--save", tmp_path / "person.zip")
    run = Run(finished)
    [row] = [row for row in run.tracklets().to_pylist() if row["tracklet"] == seen_twice[0]]
    with zipfile.ZipFile(tmp_path / "person.zip") as archive, archive.open("vectors/0.npy") as file:
        kept = np.load(file)
    assert kept.tolist() == [look.vector.tolist() for look in looks_of(run, [row])[seen_twice[0]]]


def test_a_picture_is_saved_with_its_vectors(say, finished, photo, tmp_path):
    say("search", finished, "--image", photo, "--save", tmp_path / "person.zip")
    with zipfile.ZipFile(tmp_path / "person.zip") as archive:
        assert sorted(archive.namelist()) == ["person.json", "pictures/0000.jpg", "vectors/0.npy"]


def test_vectors_of_another_network_are_never_compared(say, copy, finished, seen_twice):
    """As of a run whose network is no longer what was found under its name."""
    path = RunFolder(copy).match("vectors")
    header, table = read_header(path), read_part(path, schema.INDEX)
    facts = {**header.facts, "network": {**header.facts["network"], "network": "another"}}
    write_part(path, table, schema.INDEX, replace(header, facts=facts))
    answer = say("search", finished, copy, "--tracklet", seen_twice[0])
    assert (answer.status, answer.out) == (3, "")
    assert "copy: its vectors are of another network than colours-3 on this machine" in answer.err


def test_pictures_are_embedded_again_for_a_run_of_another_network(say, copy, finished, seen_twice, tmp_path):
    say("search", finished, "--tracklet", seen_twice[0], "--save", tmp_path / "p.zip")
    kept = tmp_path / "kept.zip"
    with zipfile.ZipFile(tmp_path / "p.zip") as old, zipfile.ZipFile(kept, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"colours-3", b"colours-2"))
    answer = say("search", finished, "--person", kept, "--json")
    assert "the pictures are embedded again" in answer.err
    assert json.loads(answer.out)["hits"][0]["tracklet"] == seen_twice[0]


def test_several_runs_are_one_ranking(hits, copy, finished, seen_twice):
    found = hits(finished, copy, "--tracklet", seen_twice[0], "--top", 5)
    assert (str(copy), seen_twice[0]) in {(hit["run"], hit["tracklet"]) for hit in found}  # there it is no query
    assert {hit["run"] for hit in found} == {str(copy), str(finished)}
    order = [(hit["probability"], hit["likeness"]) for hit in found]
    assert order == sorted(order, reverse=True)
    mine = [hit for hit in found if hit["run"] == str(finished)]
    assert mine == hits(finished, "--tracklet", seen_twice[0], "--top", len(mine))


def test_a_sheet_shows_what_was_found(say, finished, seen_twice, tmp_path):
    for name in ("one.png", "two.png"):
        say("search", finished, "--tracklet", seen_twice[0], "--sheet", tmp_path / name)
    assert cv2.imread(str(tmp_path / "one.png")).shape[1] == 1600
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_sheet_of_nobody_is_a_picture_too(say, finished, seen_twice, tmp_path):
    say("search", finished, "--tracklet", seen_twice[0], "--after", "+01:00:00", "--sheet", tmp_path / "s.png")
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
def test_what_cannot_be_searched_for_is_one_line(say, finished, options, status, error):
    answer = say("search", finished, *options)
    assert (answer.status, answer.out) == (status, "")
    assert error in answer.err


def test_an_unknown_tracklet_names_the_nearest(say, finished):
    assert "did you mean hall/00000" in say("search", finished, "--tracklet", "hall/00001").err


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0 half a JPEG"])
def test_a_picture_that_cannot_be_read_is_named(say, finished, tmp_path, content):
    (tmp_path / "broken.jpg").write_bytes(content)
    answer = say("search", finished, "--image", tmp_path / "broken.jpg")
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


class TestFromPython:
    """`vidreid.search` is the command."""

    def test_it_finds_what_the_command_finds(self, hits, finished, seen_twice, photo):
        run = vidreid.open_run(finished)
        for words, given in (
            (("--tracklet", seen_twice[0]), {"tracklets": [seen_twice[0]]}),
            (("--image", photo), {"images": [photo]}),
            (("--image", photo, "--tracklet", seen_twice[1]), {"images": [photo], "tracklets": [seen_twice[1]]}),
        ):
            found = vidreid.search([run], **given, top=5)
            assert [hit.as_dict() for hit in found] == hits(finished, *words, "--top", 5)

    def test_a_person_is_found_in_another_run(self, say, finished, copy, seen_twice, tmp_path):
        say("search", finished, "--tracklet", seen_twice[0], "--save", tmp_path / "person.zip")
        found = vidreid.search([vidreid.open_run(copy)], person=tmp_path / "person.zip")
        assert seen_twice[0] in [hit.tracklet for hit in found if hit.likely]

    @pytest.mark.parametrize("given", [{}, {"images": []}])
    def test_nobody_to_look_for_is_refused(self, finished, given):
        with pytest.raises(UsageError, match="nobody to look for"):
            vidreid.search([vidreid.open_run(finished)], **given)
        with pytest.raises(UsageError, match="nothing to search"):
            vidreid.search([], tracklets=["hall/000001"])
