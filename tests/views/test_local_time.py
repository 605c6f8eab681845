"""Local time, with its offset and UTC beside it, wherever people read times; in UTC all is as it was."""

import csv
import json
import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid import plugins
from vidreid.footage.zones import zone_named
from vidreid.views.explanation import when
from vidreid.views.frames import Annotator
from vidreid.views.page import Axis, Moment
from vidreid.views.selection import SIGHTINGS, Selection
from vidreid.views.timeline import Bar, Timeline, midnight, write_timeline
from vidreid.views.times import moment, short_moment, with_local_time

BERLIN = zone_named("Europe/Berlin")
ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]
MORNING = datetime(2026, 4, 12, 8, 13, 5, tzinfo=UTC)
BACK = datetime(2026, 10, 25, 0, 59, 50, tzinfo=UTC)  # ten seconds before clocks are put back

times = st.datetimes(datetime(1985, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)) | st.none()


@given(st.lists(times, max_size=20), st.sampled_from(ZONES))
def test_local_times_of_a_table_are_those_of_each_row(found, name):
    zone = zone_named(name)
    table = pa.table({"time": pa.array(found, pa.timestamp("us", "UTC")), "x": list(range(len(found)))})
    wanted = [time and time.astimezone(zone).isoformat(timespec="microseconds") for time in found]
    assert with_local_time(table, zone)["local_time"].to_pylist() == wanted


@given(times.filter(bool), st.sampled_from(ZONES))
def test_what_people_read_holds_local_time_offset_and_utc(time, name):
    time = time.replace(microsecond=0).astimezone(zone_named(name))
    text = moment(time, 0.0)
    if name == "UTC":
        assert text == f"{time:%Y-%m-%d %H:%M:%S} UTC"
        return
    day, clock, offset, *_ = text.split()
    assert datetime.fromisoformat(f"{day}T{clock}{offset}") == time
    assert f"{time.astimezone(UTC):%H:%M:%S} UTC)" in text
    assert short_moment(time, 0.0) == clock


def test_an_unknown_clock_has_no_zone():
    assert (moment(None, 83.0), short_moment(None, 83.0)) == ("+00:01:23", "+00:01:23")
    assert when(None, None, 1.0, 2.0) == "+00:00:01 to +00:00:02"


def test_an_explanation_says_both_times():
    start = MORNING.astimezone(BERLIN)
    text = "2026-04-12 10:13:05 to 10:13:14 +02:00 (08:13:05 to 08:13:14 UTC)"
    assert when(start, start + timedelta(seconds=9), 0, 9) == text


@pytest.fixture
def local(run):
    """The hand-made run in Berlin's time."""
    run.zone = BERLIN
    return run


def test_tables_hold_local_time_beside_utc(local, tmp_path):
    for kind in ("csv", "jsonl", "parquet"):
        plugins.load("views.export", kind).write(local, tmp_path, Selection())
    with (tmp_path / "sightings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [json.loads(line) for line in (tmp_path / "sightings.jsonl").read_text().splitlines()]
    columns = pq.read_table(tmp_path / "sightings.parquet")
    assert list(rows[0]) == list(lines[0]) == columns.column_names == SIGHTINGS.names
    assert rows[0]["time"] == "2026-03-01T12:00:00.250000Z"
    assert rows[0]["local_time"] == "2026-03-01T13:00:00.250000+01:00"
    texts = [row["local_time"] for row in rows]
    assert texts == [line["local_time"] for line in lines] == columns["local_time"].to_pylist()
    assert [datetime.fromisoformat(text) for text in texts] == columns["time"].to_pylist()


def axis(start, seconds):
    ends = [Moment(time.astimezone(BERLIN), 0.0) for time in (start, start + timedelta(seconds=seconds))]
    return Axis.over(ends, by_clock=True, zone=BERLIN)


def test_the_page_says_which_times_it_shows_and_each_shows_utc():
    found = axis(MORNING, 60)
    assert found.about() == "Times are local (Europe/Berlin, UTC+02:00), 2026-04-12."
    assert found.html(found.start) == (
        '<time datetime="2026-04-12T08:13:05Z" title="2026-04-12 10:13:05 +02:00 (08:13:05 UTC)">10:13:05</time>'
    )


def test_where_clocks_change_each_time_of_the_page_says_its_offset():
    found = axis(BACK, 20)
    assert "UTC+02:00 and +01:00" in found.about()
    assert ">02:59:50 +02:00</time>" in found.html(found.start)
    assert ">02:00:10 +01:00</time>" in found.html(found.end)
    assert found.place(found.end) == 1.0


def test_the_timeline_has_ticks_of_local_time_with_utc_below(tmp_path):
    day = midnight(1_775_981_585_000_000, BERLIN)
    assert datetime.fromtimestamp(day / 1e6, UTC) == datetime(2026, 4, 11, 22, tzinfo=UTC)
    bars = {"P0001": [Bar("a", 10 * 3600.0, 10 * 3600.0 + 60)]}
    write_timeline(tmp_path / "t.svg", Timeline(["a"], bars, {}, day, BERLIN))
    text = " ".join(re.findall(r"<!-- (.*?) -->", (tmp_path / "t.svg").read_text(), re.DOTALL))
    assert "10:00:10 +02:00" in text
    assert "08:00:10 UTC" in text
    assert "time (Europe/Berlin), and UTC" in text


def test_an_annotated_picture_differs_by_the_zone(run):
    pictures = []
    for zone in (UTC, BERLIN):
        image = np.zeros((480, 640, 3), np.uint8)
        Annotator("gate", run.boxes("gate"), run.timeline("gate"), zone).draw(image, 49)
        pictures.append(image)
    assert (pictures[0] != pictures[1]).any()
