"""`clock`: a stamp that somebody read, from the command line into the YAML and onto the camera's clock."""

import json
from datetime import datetime

import pytest
from films import Film

from vidreid.footage.cameras import read_site
from vidreid.types import Reading

START = "# our site\ntimezone: Europe/Berlin\ncameras:\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Footage of 80 s in two files, two frames a second."""
    folder = tmp_path_factory.mktemp("footage")
    for name in ("a.mp4", "b.mp4"):
        Film(name, frames=80, pts=tuple(range(0, 1000, 12))[:80]).write(folder)
    return folder


@pytest.fixture
def yaml(folder, tmp_path):
    """``yaml(text)``: the path of a cameras YAML of one camera, c3."""

    def write(entry):
        path = folder / f"{tmp_path.name}.yaml"
        path.write_text(f"{START}  c3:\n    files: [a.mp4, b.mp4]  # both\n{entry}")
        return path

    return write


def clock_of(path):
    return read_site([str(path)]).cameras[0].clock


def test_a_reading_is_written_below_its_camera_and_said_in_local_time_and_utc(say, yaml):
    path = yaml("    start: 2026-04-12T10:00:00\n")
    before = path.read_text()
    answer = say("clock", path, "c3", "--at", "00:00:10", "--shows", "2026-04-12 10:00:15")
    assert answer.status == 0, answer.err
    assert path.read_text() == before + '    readings:\n      - {at: "00:00:10", shows: 2026-04-12T10:00:15}\n'
    assert answer.out.splitlines() == [
        "c3: its first frame was taken at 2026-04-12 10:00:05 +02:00 (08:00:05 UTC)",
        "its times move by +5.0 s",
        "drift: unknown; read another stamp, hours away from this one, to know it",
        f"next: vidreid run {path} --output RUN",
    ]
    assert clock_of(path).readings == (Reading(0, 10.0, 1_775_980_815_000_000),)


def test_a_second_reading_gives_the_drift(say, yaml):
    path = yaml("")
    say("clock", path, "c3", "--at", "00:00:00", "--shows", "2026-04-12T08:00:00Z")
    answer = say("clock", path, "c3", "--at", "00:00:33", "--file", "b.mp4", "--shows", "2026-04-12 10:01:14")
    assert "drift by 2 readings: " in answer.out
    found = json.loads(
        say("clock", path, "c3", "--at", "00:00:34", "--file", "b.mp4", "--shows", "2026-04-12 10:01:15", "--json").out
    )
    assert found["readings"] == 3
    assert datetime.fromisoformat(found["first"]).timestamp() == pytest.approx(1_775_980_800, abs=0.1)
    assert found["miss"] < 0.1
    assert [one.file for one in clock_of(path).readings] == [0, 1, 1]


def test_readings_that_do_not_agree_are_spoken_of(say, yaml):
    path = yaml("    start: 2026-04-12T10:00:00\n")
    for at, shows in (("00:00:00", "10:00:00"), ("00:00:10", "10:00:20"), ("00:00:20", "10:00:20")):
        answer = say("clock", path, "c3", "--at", at, "--shows", f"2026-04-12 {shows}")
    assert answer.status == 0
    assert "note: the readings do not agree: up to 6.7 s" in answer.out


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        (("c4", "--at", "00:01", "--shows", "2026-04-12 10:00:15"), 2, "no camera 'c4' in"),
        (("c3", "--at", "soon", "--shows", "2026-04-12 10:00:15"), 2, "--at 'soon': not the time of a player"),
        (("c3", "--at", "00:01", "--shows", "noon"), 2, "'noon' is no time"),
        (("c3", "--at", "00:01", "--shows", "+00:12:33"), 2, "--shows '+00:12:33': not the time of a stamp"),
        (
            ("c3", "--at", "00:05:00", "--shows", "2026-04-12 10:00:15"),
            3,
            "c3: a reading at 00:05:00 is outside of a.mp4, which lasts 00:00:37",
        ),
        (("c3", "--at", "00:01", "--shows", "2026-03-29 02:30:00"), 3, "does not exist in Europe/Berlin"),
        (("c3", "--at", "00:01", "--shows", "2026-04-12 10:00", "--file", "z.mp4"), 3, "a reading of z.mp4"),
        (("c3", "--at", "00:20", "--shows", "2026-04-12 10:00"), 3, "this picture has a reading already"),
    ],
)
def test_what_cannot_be_a_reading_is_refused_and_nothing_is_written(say, yaml, words, status, error):
    path = yaml('    readings: [{at: "00:20", shows: 2026-04-12T10:00:15}]\n')
    before = path.read_text()
    answer = say("clock", path, *words)
    assert answer.status == status
    assert error in answer.err
    assert "hint: " in answer.err
    assert path.read_text() == before


def test_a_yaml_that_shares_its_parts_is_left_alone_and_the_line_to_add_is_said(say, folder, tmp_path):
    path = folder / f"{tmp_path.name}.yaml"
    text = f"{START}  c2: &same\n    files: [a.mp4]\n  c3: *same\n"
    path.write_text(text)
    answer = say("clock", path, "c3", "--at", "00:01", "--shows", "2026-04-12 10:00:15")
    assert answer.status == 3
    assert "add to `readings` of c3" in answer.err
    assert path.read_text() == text


def test_without_a_time_zone_a_stamp_must_state_its_own(say, yaml):
    path = yaml("")
    path.write_text(path.read_text().replace("timezone: Europe/Berlin\n", ""))
    answer = say("clock", path, "c3", "--at", "00:01", "--shows", "2026-04-12 10:00:15")
    assert answer.status == 3
    assert "needs a time zone" in answer.err
    assert say("clock", path, "c3", "--at", "00:01", "--shows", "2026-04-12T08:00:15Z").status == 0
