"""Which files are which camera: every word that a user may write, and what is said of those that mean nothing."""

import re

import pytest

from vidreid.errors import InputError, UsageError
from vidreid.footage.cameras import read_site
from vidreid.types import Clock

EIGHT = 1_775_980_800_000_000  # 2026-04-12 08:00 UTC in microseconds


@pytest.fixture
def footage(tmp_path, monkeypatch):
    """A folder with files, in which the user stands. Nothing in them is read."""
    for name in ("a.mp4", "b.MP4", "notes.txt", "night/02.avi", "night/01.avi", "night/.hidden", "x=y.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def named(cameras):
    return {camera.name: [file.name for file in camera.files] for camera in cameras}


@pytest.mark.parametrize(
    ("words", "cameras"),
    [
        (["c0=a.mp4"], {"c0": ["a.mp4"]}),
        (["a.mp4"], {"a": ["a.mp4"]}),
        (["c0=a.mp4", "c1=b.MP4"], {"c0": ["a.mp4"], "c1": ["b.MP4"]}),
        (["c0=a.mp4", "c0=b.MP4"], {"c0": ["a.mp4", "b.MP4"]}),
        (["c0=night"], {"c0": ["01.avi", "02.avi"]}),
        (["c0=night/"], {"c0": ["01.avi", "02.avi"]}),
        (["night"], {"night": ["01.avi", "02.avi"]}),
        (["front door=a.mp4"], {"front door": ["a.mp4"]}),
        (["Eingang-Süd_2.1=a.mp4"], {"Eingang-Süd_2.1": ["a.mp4"]}),
        (["c0=x=y.mp4"], {"c0": ["x=y.mp4"]}),
    ],
)
def test_words_name_cameras(footage, words, cameras):
    found = read_site(words).cameras
    assert named(found) == cameras
    assert all(file.is_absolute() for camera in found for file in camera.files)
    assert not any(camera.clock.known for camera in found)
    assert all(len(camera.clock.starts) == len(camera.files) for camera in found)


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        ([], UsageError, "no footage given"),
        (["c0=gone.mp4"], InputError, "c0: no such file: gone.mp4"),
        (["gone.mp4"], InputError, "gone: no such file: gone.mp4"),
        (["c0=empty"], InputError, "c0: no video in the folder empty"),
        (["=a.mp4"], UsageError, "'' cannot name a camera"),
        (["../c0=a.mp4"], UsageError, "'../c0' cannot name a camera"),
        (["x=y.mp4"], UsageError, "'x=y' cannot name a camera"),
        (["c0=a.mp4", "c0=a.mp4"], UsageError, "c0: .*a.mp4 is given twice"),
        (["gone.yaml"], InputError, "gone.yaml: no such file"),
    ],
)
def test_words_that_mean_nothing_are_refused(footage, words, kind, said):
    with pytest.raises(kind, match=said) as caught:
        read_site(words)
    assert caught.value.hint


def write(footage, text):
    (footage / "cameras.yaml").write_text(text)
    return read_site([str(footage / "cameras.yaml")]).cameras


def test_a_yaml_names_cameras_and_their_clocks(footage):
    found = write(
        footage,
        """
        cameras:
          gate:
            files: [a.mp4, {file: b.MP4, start: 2026-04-12T10:00:00+02:00}]
            start: 2026-04-12T08:00:00Z
            offset_seconds: -1.5
            drift_ppm: 12.5
          hall:
            files: [night]
            start: 2026-04-12 08:00:00.25Z
          yard:
            files: [a.mp4]
        """,
    )
    assert named(found) == {"gate": ["a.mp4", "b.MP4"], "hall": ["01.avi", "02.avi"], "yard": ["a.mp4"]}
    assert [camera.clock for camera in found] == [
        Clock((EIGHT, EIGHT), -1_500_000, 12.5),
        Clock((EIGHT + 250_000, None)),
        Clock((None,)),
    ]


def test_paths_are_relative_to_the_yaml(footage, monkeypatch):
    (footage / "night" / "cameras.yml").write_text("cameras: {c0: {files: [01.avi]}}")
    assert named(read_site(["night/cameras.yml"]).cameras) == {"c0": ["01.avi"]}


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (
            "cameras: {c0: {files: [a.mp4], ofset_seconds: 2}}",
            "unknown key 'cameras.c0.ofset_seconds'",
            "offset_seconds",
        ),
        ("camera: {c0: {files: [a.mp4]}}", "unknown key 'camera'|cameras: field required", "cameras|mend"),
        ("cameras: {c0: {files: [{file: a.mp4, begin: 1}]}}", "begin", "start|file"),
        ("cameras: {}", "cameras: .*at least 1", "mend"),
        ("cameras: {c0: {files: []}}", "cameras.c0.files: .*at least 1", "mend"),
        (
            "cameras: {c0: {files: [a.mp4], start: 2026-04-12T08:00:00}}",
            "needs a time zone: .*2026-04-12T08:00:00Z",
            "",
        ),
        ("cameras: {c0: {files: [{file: a.mp4, start: 2026-04-12T08:00:00}]}}", "needs a time zone", ""),
        ("cameras: {c0: {files: [a.mp4], start: yesterday}}", "cameras.c0.start", "mend"),
        ("cameras: {c0: {files: [a.mp4], drift_ppm: much}}", "cameras.c0.drift_ppm", "mend"),
        ("cameras: {c0: {files: [gone.mp4]}}", "c0: no such file: .*gone.mp4", "check the path"),
        ("cameras: {'../c0': {files: [a.mp4]}}", "'../c0' cannot name a camera", "letters"),
        ("cameras: {c0: {files: [a.mp4]}, c0: {files: [b.MP4]}}", "'c0' .*twice", ""),
        ("cameras: {c0: {files: [a.mp4, a.mp4]}}", "c0: .*a.mp4 is given twice", ""),
        ("cameras: {c0: {files: [a.mp4]", "not readable as YAML", "mend"),
        ("just words", "valid dictionary|should be", ""),
    ],
)
def test_a_yaml_that_means_nothing_is_refused_by_name(footage, text, said, hint):
    with pytest.raises((InputError, UsageError), match=said) as caught:
        write(footage, text)
    assert "\n" not in caught.value.message
    assert re.search(hint, caught.value.hint)


def test_files_of_one_camera_may_come_from_several_words(footage):
    """The clock of the first word holds; two different corrections of one clock are an error."""
    (footage / "one.yaml").write_text("cameras: {c0: {files: [a.mp4], start: 2026-04-12T08:00:00Z, drift_ppm: 5}}")
    (footage / "two.yaml").write_text("cameras: {c0: {files: [b.MP4], start: 2026-04-12T09:00:00Z, drift_ppm: 7}}")
    [camera] = read_site(["one.yaml", "c0=b.MP4"]).cameras
    assert camera.clock == Clock((EIGHT, None), 0, 5.0)
    with pytest.raises(InputError, match=r"c0: .*two corrections"):
        read_site(["one.yaml", "two.yaml"])


THREE = "cameras: {c0: {files: [a.mp4]}, c1: {files: [b.MP4]}, c2: {files: [night]}}\n"


def site(footage, text, *words):
    (footage / "site.yaml").write_text(THREE + text)
    return read_site(["site.yaml", *words])


def test_a_yaml_says_how_far_apart_cameras_are_and_whose_views_overlap(footage):
    found = site(footage, "travel: [{between: [c1, c0], seconds: 30}]\noverlaps: [[c2, c1]]")
    assert found.travel == (("c0", "c1", 30.0),)
    assert found.overlaps == (("c1", "c2"),)


def test_more_than_two_cameras_mean_every_pair_of_them(footage):
    found = site(footage, "travel: [{between: [c2, c0, c1], seconds: 0}]")
    assert found.travel == (("c0", "c1", 0.0), ("c0", "c2", 0.0), ("c1", "c2", 0.0))
    assert site(footage, "overlaps: [[c0, c1, c2]]").overlaps == (("c0", "c1"), ("c0", "c2"), ("c1", "c2"))


def test_nothing_is_assumed_of_pairs_that_nobody_spoke_of(footage):
    assert (site(footage, "").travel, site(footage, "").overlaps) == ((), ())
    assert read_site(["c0=a.mp4", "c1=b.MP4"]).travel == ()


def test_a_pair_may_name_a_camera_of_another_word(footage):
    found = site(footage, "travel: [{between: [c0, gate], seconds: 5}]", "gate=x=y.mp4")
    assert found.travel == (("c0", "gate", 5.0),)


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("travel: [{between: [c0, c9], seconds: 30}]", "travel: 'c9' is no camera", "c0, c1, c2"),
        ("overlaps: [[c9, c0]]", "overlaps: 'c9' is no camera", "c0, c1, c2"),
        ("travel: [{between: [c0, c0], seconds: 30}]", "travel: c0 twice in one pair", "two cameras"),
        ("travel: [{between: [c0, c1], seconds: -1}]", "travel.0.seconds: .*greater than or equal to 0", "mend"),
        ("travel: [{between: [c0, c1], seconds: .inf}]", "travel.0.seconds: .*finite", "mend"),
        ("travel: [{between: [c0, c1], seconds: .nan}]", "travel.0.seconds", "mend"),
        ("travel: [{between: [c0], seconds: 3}]", "travel.0.between: .*at least 2", "mend"),
        ("travel: [{between: [c0, c1]}]", "travel.0.seconds: .*required", "mend|seconds"),
        ("travel: [{between: [c0, c1], seconds: 3, both: 1}]", "unknown key 'travel.0.both'", "between|mend"),
        ("travel: {c0: 3}", "travel: .*list", "mend"),
        ("overlaps: [c0, c1]", "overlaps.0: .*list", "mend"),
        (
            "travel: [{between: [c0, c1], seconds: 3}, {between: [c1, c0], seconds: 4}]",
            "c0 and c1 are given twice",
            "once",
        ),
        ("overlaps: [[c0, c1], [c1, c0]]", "c0 and c1 are given twice", "once"),
        ("travel: [{between: [c0, c1], seconds: 0}]\noverlaps: [[c0, c1]]", "c0 and c1 are given twice", "overlap"),
    ],
)
def test_pairs_that_cannot_be_meant_are_refused(footage, text, said, hint):
    with pytest.raises(InputError, match=said) as caught:
        site(footage, text)
    assert "\n" not in caught.value.message
    assert re.search(hint, caught.value.hint)


def test_two_files_may_not_speak_of_one_pair(footage):
    (footage / "more.yaml").write_text("cameras: {c3: {files: [x=y.mp4]}}\noverlaps: [[c0, c1]]")
    with pytest.raises(InputError, match="c0 and c1 are given twice"):
        site(footage, "travel: [{between: [c0, c1], seconds: 3}]", "more.yaml")


def test_a_cameras_file_of_another_version_is_refused(tmp_path):
    path = tmp_path / "cameras.yaml"
    path.write_text("version: 2\ncameras: {c0: {files: [a.mp4], lens: wide}}\n", encoding="utf-8")
    with pytest.raises(InputError, match="a cameras file of version 2, this program reads version 1") as error:
        read_site([str(path)])
    assert "pip install --upgrade vidreid" in error.value.hint
