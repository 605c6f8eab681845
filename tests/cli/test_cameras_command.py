"""`cameras`: a recorder's export becomes a cameras YAML that `run` takes."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import yaml
from recorder_exports import dahua, raw_h264, write_export

from vidreid.footage.cameras import read_site

BERLIN = ZoneInfo("Europe/Berlin")
DAHUA = [  # a download of two channels; a gap of four minutes in the first
    "NVR_ch1_main_20260412080000_20260412080002.mp4",
    "NVR_ch1_main_20260412080002_20260412080004.mp4",
    "NVR_ch1_main_20260412080404_20260412080406.mp4",
    "NVR_ch2_main_20260412080000_20260412080002.mp4",
]
CARD = [  # cards of two Dahua cameras, each the first channel of itself
    "gate/2026-04-12/001/dav/08/08.00.00-08.00.02[R][0@0][0].mp4",
    "gate/2026-04-12/001/dav/09/09.00.00-09.00.02[M][0@0][0].mp4",
    "hall/2026-04-12/001/dav/08/08.00.00-08.00.02[R][0@0][0].mp4",
]
HIKVISION = [  # one camera without times, one with
    "ch01_00000000034000000.mp4",
    "ch01_00000000035000100.mp4",
    "ch02_20260412080000.mp4",
    "ch02_20260412100000.mp4",
]
REOLINK = [  # main and sub stream, across midnight
    "Mp4Record/2026-04-12/RecM02_DST20260412_235958_000000_6D28808_1A468F9.mp4",
    "Mp4Record/2026-04-13/RecM02_DST20260413_000000_000002_6D28808_1A468F9.mp4",
    "Mp4Record/2026-04-12/RecS02_DST20260412_235958_000000_6D28808_1A468F9.mp4",
]


@pytest.fixture
def sort(say, tmp_path):
    """``sort(names)``: the answer to `cameras` on an export of these files, and the site that its YAML makes."""

    def call(names, *words, zone="Europe/Berlin"):
        write_export(tmp_path / "export", names)
        output = tmp_path / "site" / "cameras.yaml"
        answer = say(
            "cameras", tmp_path / "export", "--output", output, *(["--timezone", zone] if zone else []), *words
        )
        return answer, read_site([str(output)])

    return call


def starts(site, zone=BERLIN):
    """Local starts of each camera's files as text."""
    times = {camera.name: camera.clock.starts for camera in site.cameras}
    return {
        name: [None if us is None else f"{datetime.fromtimestamp(us / 1e6, zone):%d %H:%M:%S %z}" for us in clock]
        for name, clock in times.items()
    }


def test_a_download_becomes_channels_with_their_starts(sort):
    answer, site = sort(DAHUA)
    assert answer.status == 0
    assert starts(site) == {
        "ch1": ["12 08:00:00 +0200", "12 08:00:02 +0200", "12 08:04:04 +0200"],
        "ch2": ["12 08:00:00 +0200"],
    }
    assert site.timezone == "Europe/Berlin"
    assert "Dahua: 3 files, 2026-04-12 08:00:00 to 08:04:06, 6 s of footage, 1 gap" in answer.out
    assert answer.out.splitlines()[-1].strip().startswith("vidreid run")


def test_files_are_found_from_where_the_yaml_is(sort, tmp_path):
    _, site = sort(DAHUA)
    assert [file.name for camera in site.cameras for file in camera.files] == DAHUA
    assert all(file.is_file() for camera in site.cameras for file in camera.files)


def test_cards_of_several_cameras_are_told_by_their_folders(sort):
    _, site = sort(CARD)
    assert starts(site) == {
        "gate ch1": ["12 08:00:00 +0200", "12 09:00:00 +0200"],
        "hall ch1": ["12 08:00:00 +0200"],
    }


def test_files_of_a_folder_that_differ_in_numbers_alone_are_one_camera(sort):
    _, site = sort(["hall/part10.mp4", "hall/part9.mp4", "doors/north.mp4", "doors/south.mp4", "yard.mp4"])
    names = {camera.name: [file.name for file in camera.files] for camera in site.cameras}
    assert names == {
        "hall": ["part9.mp4", "part10.mp4"],
        "north": ["north.mp4"],
        "south": ["south.mp4"],
        "yard": ["yard.mp4"],
    }


def test_the_folder_of_a_day_is_enough(say, tmp_path):
    write_export(tmp_path, CARD)
    output = tmp_path / "cameras.yaml"
    say("cameras", tmp_path / "gate" / "2026-04-12", "--output", output, "--timezone", "Europe/Berlin")
    assert starts(read_site([str(output)])) == {"ch1": ["12 08:00:00 +0200", "12 09:00:00 +0200"]}


def test_files_without_times_follow_on_and_are_marked(sort, tmp_path):
    answer, site = sort(HIKVISION)
    assert starts(site) == {"ch1": [None, None], "ch2": ["12 08:00:00 +0200", "12 10:00:00 +0200"]}
    text = (tmp_path / "site" / "cameras.yaml").read_text()
    assert text.count("START UNKNOWN: it follows on") == 2
    assert "START UNKNOWN" in next(line for line in answer.out.splitlines() if line.startswith("ch1"))
    assert not site.cameras[0].clock.known


def test_streams_of_one_camera_are_two_cameras_and_midnight_is_passed(sort):
    _, site = sort(REOLINK)
    assert starts(site) == {
        "camera": ["12 23:59:58 +0200", "13 00:00:00 +0200"],
        "sub": ["12 23:59:58 +0200"],
    }


def test_dahua_files_with_any_names_are_told_by_their_frames(sort, tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    for name, start, channel in (("a", 10, 0), ("b", 5, 0), ("c", 5, 3)):
        data = dahua(raw_h264(), datetime(2026, 4, 12, 8, 0, start), channel)
        (folder / f"20{name}.dav").write_bytes(data)
    answer, site = sort([])
    assert answer.status == 0
    assert sorted(starts(site).values()) == [["12 08:00:05 +0200"], ["12 08:00:05 +0200"], ["12 08:00:10 +0200"]]
    assert "CONTAINER TIME" in (tmp_path / "site" / "cameras.yaml").read_text()


def test_a_renamed_dahua_file_is_remarked(sort, tmp_path):
    path = tmp_path / "export" / "NVR_ch1_main_20260412090000_20260412090002.dav"
    path.parent.mkdir()
    path.write_bytes(dahua(raw_h264(), datetime(2026, 4, 12, 8)))
    sort([])
    assert "the clock in its frames shows 2026-04-12 08:00:00" in (tmp_path / "site" / "cameras.yaml").read_text()


def test_a_time_that_comes_twice_is_the_first_where_nothing_says_otherwise(sort):
    times = ["013000", "020000", "023000", "030000"]
    _, site = sort([f"ch01_20261025{time}.mp4" for time in times])
    assert starts(site)["ch1"] == ["25 01:30:00 +0200", "25 02:00:00 +0200", "25 02:30:00 +0200", "25 03:00:00 +0100"]


def test_two_files_that_show_the_same_time_are_before_and_after_clocks_were_put_back(sort, tmp_path):
    names = ["NVR_ch1_main_20261025023000_20261025023002.mp4", "NVR_ch1_main_20261025023000_20261025023003.mp4"]
    answer, site = sort(names)
    assert answer.status == 0
    assert starts(site) == {"ch1": ["25 02:30:00 +0200", "25 02:30:00 +0100"]}
    assert "this is the second time they showed this" in (tmp_path / "site" / "cameras.yaml").read_text()


def test_reolinks_word_for_summer_time_counts(sort):
    names = [f"Rec{stream}02_{word}20261025_023000_023002_0_0.mp4" for stream, word in (("M", ""), ("S", "DST"))]
    _, site = sort(names)
    assert starts(site) == {"camera": ["25 02:30:00 +0100"], "sub": ["25 02:30:00 +0200"]}


def test_a_time_that_clocks_skip_is_remarked(sort, tmp_path):
    _, site = sort(["ch01_20260329023000.mp4"])
    assert starts(site) == {"ch1": ["29 03:30:00 +0200"]}
    assert "does the recorder follow them?" in (tmp_path / "site" / "cameras.yaml").read_text()


def test_without_a_zone_times_are_taken_for_utc_and_it_is_said(sort, tmp_path):
    answer, site = sort(DAHUA[-1:], zone="")
    assert starts(site, UTC) == {"ch2": ["12 08:00:00 +0000"]}
    assert "note: local times in file names were taken for UTC" in answer.out
    assert "NOBODY SAID" in (tmp_path / "site" / "cameras.yaml").read_text()


def test_files_that_claim_the_same_time_are_both_named_and_marked(sort, tmp_path):
    """As a clock makes them that was set back by ten seconds; a second is rounding."""
    names = {"ch01_20260412080000.mp4": 500, "ch01_20260412080010.mp4": 50, "ch01_20260412080019.mp4": 50}
    answer, site = sort(names)
    assert answer.status == 3
    said = "error: ch1: ch01_20260412080000.mp4 and ch01_20260412080010.mp4 both claim 2026-04-12 08:00:10 +02:00"
    assert answer.err.splitlines()[-2].startswith(said)
    assert "more such pairs" not in answer.err
    assert len(site.cameras[0].files) == 3
    assert "CLAIMS TIME THAT ch01_20260412080000.mp4 CLAIMS TOO" in (tmp_path / "site" / "cameras.yaml").read_text()


def test_what_is_no_footage_is_named_and_left_out(sort, tmp_path):
    folder = tmp_path / "export"
    write_export(folder, DAHUA)
    (folder / "ch9.264").write_bytes(b"4HKH" * 90)
    (folder / "Player.exe").write_bytes(b"MZ" + bytes(90))
    (folder / "notes.txt").write_text("see\nhere")
    (folder / "._hidden.mp4").write_bytes(b"x")
    for number in range(12):
        (folder / f"still{number}.jpg").write_bytes(b"x")
    answer, site = sort([])
    assert answer.status == 0
    assert [camera.name for camera in site.cameras] == ["ch1", "ch2"]
    left_out = [line for line in answer.out.splitlines() if line.startswith("left out: ")]
    assert any("ch9.264" in line and "Hikvision" in line and "VSPlayer" in line for line in left_out)
    assert any("Player.exe" in line and "a program" in line for line in left_out)
    assert "left out: 12 files .jpg: no video" in left_out
    assert "left out: notes.txt: no video" in left_out
    assert "hidden" not in answer.out


def test_footage_is_found_whatever_its_suffix(sort, tmp_path):
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "ch5_20260412080000.nvr").write_bytes(bytes(300) + raw_h264())
    _, site = sort([])
    assert starts(site) == {"ch5": ["12 08:00:00 +0200"]}


def test_the_yaml_says_where_each_start_is_from(sort, tmp_path):
    sort(DAHUA)
    lines = (tmp_path / "site" / "cameras.yaml").read_text().splitlines()
    files = [line for line in lines if "file:" in line]
    assert all("# from its name" in line for line in files)
    assert "4 min after the end of the file before" in files[2]
    assert yaml.safe_load("\n".join(lines))["version"] == 1


def test_names_that_yaml_or_a_terminal_would_misread_are_kept(sort, tmp_path):
    names = [
        "on/a: b #c.mp4",
        "[x]/{y}, 'z' \"q\".mp4",
        "Tür 😀/film.mp4",
        "line\nversion: 2/film.mp4",
        "001/film.mp4",
    ]
    answer, site = sort(names)
    assert answer.status == 0
    export = (tmp_path / "export").resolve()
    assert {str(file.relative_to(export)) for camera in site.cameras for file in camera.files} == set(names)
    assert len(site.cameras) == 5


def test_run_takes_it(sort, say, tmp_path):
    """The whole way of a first morning: sort, then run."""
    sort(["NVR_ch1_main_20260412080000_20260412080002.mp4"])
    output = tmp_path / "site" / "cameras.yaml"
    answer = say("ingest", output, "--output", tmp_path / "run")
    assert answer.status == 0, answer.err


def test_what_stands_there_is_not_overwritten(say, tmp_path):
    write_export(tmp_path / "export", DAHUA[:1])
    output = tmp_path / "cameras.yaml"
    output.write_text("mine")
    answer = say("cameras", tmp_path / "export", "--output", output)
    assert answer.status == 3
    assert answer.err.startswith(f"error: {output}: there is such a file already")
    assert output.read_text() == "mine"


@pytest.mark.parametrize(
    ("folder", "words", "said"),
    [
        ("gone", (), "no such folder"),
        ("empty", (), "no footage in this folder"),
        ("opaque", (), "no footage that can be read: ch1.dav"),
        ("fine", ("--timezone", "Europe/Berln"), "no time zone 'Europe/Berln'"),
        ("fine", ("--output", "cameras.txt"), "no name of a YAML file"),
    ],
)
def test_bad_input_is_named_with_a_way_out(say, tmp_path, monkeypatch, folder, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "opaque").mkdir()
    (tmp_path / "opaque" / "ch1.dav").write_bytes(b"DHAV" * 9)
    write_export(tmp_path / "fine", DAHUA[:1])
    answer = say("cameras", folder, *words)
    assert answer.status in {2, 3}
    assert said in answer.err
    assert "hint: " in answer.err
    assert not (tmp_path / "cameras.yaml").exists()
