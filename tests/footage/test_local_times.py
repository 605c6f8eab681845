"""Local times of a cameras YAML: starts and readings without a zone, also in the nights when clocks change."""

import re
from datetime import UTC, datetime

import pytest

from vidreid.errors import InputError
from vidreid.footage.cameras import read_site
from vidreid.footage.zones import microseconds
from vidreid.types import Reading


@pytest.fixture
def read(tmp_path):
    """Two cameras' files, of which nothing is read, and a YAML of them in Berlin's time."""
    for name in ("a.mp4", "b.mp4", "c.mp4", "d.mp4", "night/01.avi", "night/02.avi"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    def read(text, zone="timezone: Europe/Berlin"):
        (tmp_path / "cameras.yaml").write_text(f"{zone}\n{text}")
        return read_site([str(tmp_path / "cameras.yaml")])

    return read


def utc(text):
    return microseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))


def test_starts_without_a_zone_are_local_times(read):
    site = read(
        "cameras: {c0: {files: [a.mp4], start: 2026-04-12T10:00:00}, c1: {files: [b.mp4], start: 2026-01-12 10:00}}"
    )
    assert site.timezone == "Europe/Berlin"
    assert [camera.clock.starts for camera in site.cameras] == [
        (utc("2026-04-12T08:00:00"),),
        (utc("2026-01-12T09:00:00"),),
    ]


def test_a_start_that_states_its_zone_is_what_it_says(read):
    site = read("cameras: {c0: {files: [{file: a.mp4, start: 2026-04-12T10:00:00Z}, b.mp4]}}")
    assert site.cameras[0].clock.starts == (utc("2026-04-12T10:00:00"), None)


def starts(read, *times):
    """UTC of the starts of a recorder's files on the night when clocks are put back, 2026-10-25."""
    files = ", ".join(
        f"{{file: {name}.mp4, start: 2026-10-25T{time}}}" for name, time in zip("abcd", times, strict=False)
    )
    found = read(f"cameras: {{c0: {{files: [{files}]}}}}").cameras[0].clock.starts
    return [f"{datetime.fromtimestamp(start / 1e6, UTC):%H:%M}" for start in found]


@pytest.mark.parametrize(
    ("times", "meant"),
    [
        (["01:00:00", "02:00:00", "02:00:00", "03:00:00"], ["23:00", "00:00", "01:00", "02:00"]),
        (["01:30:00", "02:30:00", "02:30:00", "03:30:00"], ["23:30", "00:30", "01:30", "02:30"]),
        (["02:50:00", "02:10:00", "02:30:00"], ["00:50", "01:10", "01:30"]),
        (["02:00:00", "02:20:00", "02:40:00", "02:00:00"], ["00:00", "00:20", "00:40", "01:00"]),
        (["02:30:00+01:00", "02:40:00"], ["01:30", "01:40"]),
        (["02:30:00", "02:30:00", "02:30:00"], ["00:30", "01:30", "01:30"]),
    ],
)
def test_an_hour_that_clocks_show_twice_is_told_by_the_order_of_the_files(read, times, meant):
    assert starts(read, *times) == meant


def test_files_over_the_night_when_clocks_are_put_forward_keep_their_true_distance(read):
    site = read(
        "cameras: {c0: {files: [{file: a.mp4, start: 2026-03-29T01:30:00}, {file: b.mp4, start: 2026-03-29T03:30:00}]}}"
    )
    first, second = site.cameras[0].clock.starts
    assert second - first == 3600 * 1_000_000


def readings(read, text, files="[a.mp4, b.mp4]", more=""):
    return read(f"cameras: {{c0: {{files: {files}, readings: [{text}]{more}}}}}").cameras[0].clock.readings


def test_a_reading_names_file_place_and_what_is_shown(read):
    found = readings(read, '{file: b.mp4, at: "00:01:30.5", shows: 2026-04-12T10:13:05}')
    assert found == (Reading(1, 90.5, utc("2026-04-12T08:13:05")),)


@pytest.mark.parametrize(
    ("at", "seconds"), [("10:01:30", 36_090.0), ("00:01:30", 90.0), ("1:30", 90.0), ("75", 75.0), ("0:00:01.5", 1.5)]
)
def test_yaml_may_take_a_players_time_for_a_number_of_seconds(read, at, seconds):
    assert readings(read, f"{{at: {at}, shows: 2026-04-12T10:13:05Z}}")[0].seconds == seconds


def test_readings_stand_in_order_of_the_footage(read):
    found = readings(
        read,
        "{file: b.mp4, at: 00:05, shows: 2026-04-12T10:13:05}, {at: 00:09, shows: 2026-04-12T10:03:05},"
        "{at: 00:01, shows: 2026-04-12T10:02:57}",
    )
    assert [(one.file, one.seconds) for one in found] == [(0, 1.0), (0, 9.0), (1, 5.0)]


def test_a_file_of_a_folder_is_named_by_its_path_or_its_name(read):
    for name in ("night/02.avi", "02.avi"):
        found = readings(read, f"{{file: {name}, at: 00:05, shows: 2026-04-12T10:13:05}}", files="[night]")
        assert found[0].file == 1


@pytest.mark.parametrize(
    ("start", "at", "shows", "meant"),
    [
        ("2026-10-25T01:00:00+02:00", "01:30:00", "02:30:00", "00:30"),
        ("2026-10-25T01:00:00+02:00", "02:30:00", "02:30:00", "01:30"),
        ("2026-10-25T02:00:00+01:00", "00:10:00", "02:09:58", "01:09"),
        ("2026-10-25T02:00:00+02:00", "00:10:00", "02:09:58", "00:09"),
    ],
)
def test_a_stamp_in_the_hour_that_clocks_show_twice_is_told_by_its_place(read, start, at, shows, meant):
    (found,) = readings(read, f'{{at: "{at}", shows: 2026-10-25T{shows}}}', more=f", start: {start}")
    assert f"{datetime.fromtimestamp(found.shows_us / 1e6, UTC):%H:%M}" == meant


def test_stamps_alone_are_told_apart_by_their_order(read):
    found = readings(
        read,
        "{at: 00:01:00, shows: 2026-10-25T02:59:30}, {at: 00:02:00, shows: 2026-10-25T02:00:30}",
    )
    assert found[1].shows_us - found[0].shows_us == 60 * 1_000_000


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("start: 2026-03-29T02:30:00", "c0: 2026-03-29 02:30:00 does not exist in Europe/Berlin", "offset"),
        ("readings: [{at: 00:01, shows: 2026-03-29T02:30:00}]", "c0: .* does not exist", "offset"),
        ("readings: [{file: z.mp4, at: 00:01, shows: 2026-04-12T02:30:00}]", "c0: a reading of z.mp4", "a.mp4"),
        ("readings: [{at: soon, shows: 2026-04-12T02:30:00}]", "c0.readings.0.at: .*HH:MM:SS", "mend"),
        ("readings: [{at: -5, shows: 2026-04-12T02:30:00}]", "c0.readings.0.at: .*greater", "mend"),
        ("readings: [{at: 00:01}]", "c0.readings.0.shows: field required", "mend"),
        ("readings: [{at: 00:01, shows: eight}]", "c0.readings.0.shows", "mend"),
        (
            "drift_ppm: 3, readings: [{at: 00:01, shows: 2026-04-12T02:30}, {at: 01:01, shows: 2026-04-12T03:30}]",
            "c0: its drift is stated, and its readings give one",
            "drift_ppm",
        ),
    ],
)
def test_local_times_that_mean_nothing_are_refused(read, text, said, hint):
    with pytest.raises(InputError, match=said) as caught:
        read(f"cameras: {{c0: {{files: [a.mp4], {text}}}}}")
    assert "\n" not in caught.value.message
    assert re.search(hint, caught.value.hint)


def test_without_a_time_zone_a_local_time_is_refused_and_said_how_to_mend(read):
    with pytest.raises(InputError, match=r"c0: .* needs a time zone: write it as 2026-04-12T10:13:05Z") as caught:
        read("cameras: {c0: {files: [a.mp4], readings: [{at: 00:01, shows: 2026-04-12T10:13:05}]}}", zone="")
    assert "timezone: Europe/Berlin" in caught.value.hint


def test_an_unknown_time_zone_is_refused(read):
    with pytest.raises(InputError, match="no time zone 'Europe/Berln'") as caught:
        read("cameras: {c0: {files: [a.mp4]}}", zone="timezone: Europe/Berln")
    assert "Europe/Berlin" in caught.value.hint
