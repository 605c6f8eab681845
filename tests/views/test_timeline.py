"""Identities over time and cameras."""

import re
import xml.etree.ElementTree as ET

import cv2
import numpy as np
import pytest

from vidreid.errors import UsageError
from vidreid.evaluation.run import Followed, Span
from vidreid.evaluation.sightings import NOBODY, THING
from vidreid.pipeline.results import Run
from vidreid.views.drawing import colour_of
from vidreid.views.timeline import MOST, Bar, Timeline, camera_colour, lines_of, timeline_of, write_timeline

NOON = 12 * 3600.0
DAY_US = 86_400_000_000
EARLY, LATE, ELSEWHERE = Bar("a", 0, 10, 1), Bar("a", 50, 60, 1), Bar("b", 5, 15, 1)


def drawn(path, timeline):
    """The texts of a timeline, from its SVG."""
    write_timeline(path, timeline)
    # Matplotlib draws letters as paths, and says in comments what they are.
    return re.findall(r"<!-- (.*?) -->", path.read_text())


def named(lines):
    return [(line.name, line.remark) for line in lines]


def test_identities_stand_in_order_of_time():
    timeline = Timeline(["a"], {"P0002": [LATE], "P0001": [EARLY]}, {})
    assert named(lines_of(timeline)) == [("P0001", ""), ("P0002", "")]


def test_a_person_stands_above_its_identities_and_what_is_wrong_beside_them():
    other = Bar("b", 20, 30, 2)
    timeline = Timeline(["a", "b"], {"P1": [EARLY, other], "P2": [LATE]}, {1: [EARLY, LATE], 2: [other], 3: [other]})
    assert named(lines_of(timeline)) == [
        ("person 1", "split: P1, P2"),
        ("P1", "mixed: person 1, person 2"),
        ("P2", ""),
        ("person 2", ""),
        ("person 3", "not found"),
    ]


def test_who_has_no_label_comes_last():
    timeline = Timeline(
        ["a"],
        {"P1": [Bar("a", 0, 1, NOBODY)], "P2": [Bar("a", 0, 1), Bar("a", 2, 3)], "P3": [Bar("a", 4, 5, THING)] * 2}
        | {"P4": [EARLY, Bar("a", 30, 31, NOBODY)], "P5": [Bar("a", 6, 7, NOBODY), Bar("a", 8, 9, NOBODY)]},
        {1: [EARLY]},
    )
    assert named(lines_of(timeline)) == [
        ("person 1", ""),
        ("P4", "mixed: person 1, 1 without label"),
        ("P1", "no label"),
        ("P2", "no label"),
        ("P3", "no person"),
        ("P5", "mixed: 2 without label"),
    ]


def test_of_a_crowd_those_seen_longest_are_shown_and_the_title_says_so(tmp_path):
    crowd = {f"P{number:04d}": [Bar("a", number, 2 * number)] for number in range(1, MOST + 11)}
    timeline = Timeline(["a"], crowd, {})
    assert {line.name for line in lines_of(timeline)} == {f"P{number:04d}" for number in range(11, MOST + 11)}
    assert f"{MOST} of {MOST + 10} identities, seen longest, {MOST + 10} sightings, 1 camera" in drawn(
        tmp_path / "t.svg", timeline
    )


def test_times_are_utc_where_they_are_known_and_since_the_first_frame_where_not(tmp_path):
    bars = {"P0001": [Bar("a", NOON, NOON + 60)]}
    texts = drawn(tmp_path / "known.svg", Timeline(["a"], bars, {}, day=20_000 * DAY_US))
    assert {"12:00:10", "time (UTC)"} <= set(texts)
    texts = drawn(tmp_path / "unknown.svg", Timeline(["a"], {"P0001": [Bar("a", 0, 60)]}, {}))
    assert {"+00:00:10", "time since each camera's first frame"} <= set(texts)
    weeks = {"P0001": [Bar("a", 0, 20 * 86_400.0)]}
    assert "2024-10-07" in " ".join(drawn(tmp_path / "weeks.svg", Timeline(["a"], weeks, {}, day=20_000 * DAY_US)))


def colours(path):
    picture = cv2.imread(str(path))[:, :, ::-1].reshape(-1, 3)
    return {f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in np.unique(picture, axis=0)}


def person_colour(person):
    return "#" + bytes(colour_of(f"P{person:04d}")).hex()


def test_a_sighting_has_the_colour_of_its_camera_and_is_underlined_in_that_of_its_person(tmp_path):
    path = tmp_path / "t.png"
    write_timeline(path, Timeline(["a", "b"], {"P0001": [EARLY, ELSEWHERE]}, {}))
    assert {camera_colour(0), camera_colour(1), person_colour(1)} <= colours(path)
    assert person_colour(2) not in colours(path)


def test_labels_have_the_colour_of_their_person(tmp_path):
    path = tmp_path / "t.png"
    write_timeline(path, Timeline(["a"], {"P0001": [Bar("a", 0, 10)]}, {2: [Bar("a", 0, 10, 2)]}))
    assert person_colour(2) in colours(path)


def test_cameras_have_colours_of_their_own():
    assert len({camera_colour(number) for number in range(16)}) == 16


def test_sightings_of_one_time_do_not_hide_each_other(tmp_path):
    """A long one in camera b, and a short one of the same time in camera a."""
    path = tmp_path / "t.png"
    write_timeline(path, Timeline(["a", "b"], {"P0001": [Bar("a", 5, 6), Bar("b", 0, 60)]}, {}))
    picture = cv2.imread(str(path))[60:, :, ::-1]  # below the legend
    rows = [
        set(np.flatnonzero((picture == tuple(bytes.fromhex(camera_colour(n)[1:]))).all(2).any(1))) for n in range(2)
    ]
    assert rows[0]
    assert rows[1]
    assert not rows[0] & rows[1]


def test_a_run_in_which_nobody_was_seen_is_an_empty_picture(tmp_path):
    write_timeline(tmp_path / "t.png", Timeline([], {}, {}))
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")


def test_equal_timelines_are_equal_bytes(tmp_path):
    for kind in ("png", "svg", "pdf"):
        for name in ("one", "two"):
            write_timeline(tmp_path / f"{name}.{kind}", Timeline(["a"], {"P0001": [EARLY]}, {1: [EARLY]}))
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    ET.parse(tmp_path / "one.svg")


def test_a_name_of_no_known_kind_of_picture_is_refused(tmp_path):
    with pytest.raises(UsageError, match="not a kind of picture"):
        write_timeline(tmp_path / "t.jpg", Timeline(["a"], {}, {}))


def test_a_run_becomes_bars_of_its_tracklets_and_labels(finished):
    run = Run(finished)
    names = run.tracklets()["tracklet"].to_pylist()
    timeline = timeline_of(run, Followed({names[0]: 3}, [Span("hall", 3, 0, 10**9), Span("hall", 3, 10**9, 10**9)]))
    assert timeline.cameras == run.cameras
    assert sorted(timeline.identities) == sorted(set(run.tracklets()["identity"].drop_null().to_pylist()))
    assert [bar.person for bars in timeline.identities.values() for bar in bars].count(3) == 1
    assert len(timeline.people[3]) == 1
    assert timeline.people[3][0].end - timeline.people[3][0].start == pytest.approx(20, abs=0.5)
    assert (timeline.day is not None) == all(run.timeline(camera).known for camera in run.cameras)
