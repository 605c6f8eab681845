"""When files start: local times, the hour that comes twice, containers' times, and nobody's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from vidreid.footage.header import FileHeader
from vidreid.footage.recorders import FileName
from vidreid.pipeline.starts import place

BERLIN = ZoneInfo("Europe/Berlin")
BACK = datetime(2026, 10, 25, 1, tzinfo=UTC)  # clocks show 03:00, then 02:00


def named(text: str, seconds: float | None = 1800.0, **said):
    return FileName(start=datetime.fromisoformat(text), **said), FileHeader(seconds, None, "")


def stamped(made: datetime, seconds: float = 1800.0):
    return FileName(), FileHeader(seconds, made, "")


def utc(files, zone=BERLIN):
    """Positions in order, and hours of UTC and minutes at which they start."""
    placed = place(files, zone)
    return [(number, start.time and f"{start.time.astimezone(UTC):%H:%M}") for number, start in placed]


def test_files_come_in_order_of_their_time():
    assert utc([named("2026-04-12T09:00:00"), named("2026-04-12T08:00:00")]) == [(1, "06:00"), (0, "07:00")]


def test_of_two_with_one_local_time_the_later_one_is_after_clocks_were_put_back():
    night = ["01:30", "02:00", "02:00", "02:30", "02:30", "03:00"]
    placed = utc([named(f"2026-10-25T{time}:00") for time in night])
    assert [time for _, time in placed] == ["23:30", "00:00", "00:30", "01:00", "01:30", "02:00"]


def test_a_file_that_starts_while_another_lasts_is_after_clocks_were_put_back():
    """02:00 to 02:00: the container says that the first lasts an hour."""
    assert utc([named("2026-10-25T02:00:00", 3600), named("2026-10-25T02:15:00", 600)]) == [(0, "00:00"), (1, "01:15")]


def test_a_word_for_summer_time_decides():
    assert utc([named("2026-10-25T02:15:00", summer=False)]) == [(0, "01:15")]
    assert utc([named("2026-10-25T02:15:00", summer=True)]) == [(0, "00:15")]


def test_an_end_in_a_name_across_the_change_is_the_one_that_the_container_says():
    files = [named("2026-10-25T01:50:00", 4200.0, end=datetime(2026, 10, 25, 2, 0))]
    (_, start), *_ = place(files, BERLIN)
    assert start.end == datetime(2026, 10, 25, 2, 0, fold=1, tzinfo=BERLIN)
    assert start.end.astimezone(UTC) == BACK


def test_a_time_that_clocks_skip_is_that_of_a_clock_that_was_not_put_forward():
    (_, start), *_ = place([named("2026-03-29T02:30:00")], BERLIN)
    assert start.time.astimezone(UTC) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert "clocks were put forward" in start.remarks[0]


def test_containers_times_are_used_and_marked_where_names_hold_none():
    eight = datetime(2026, 4, 12, 8, tzinfo=UTC)
    placed = place([stamped(eight + timedelta(hours=1)), stamped(eight)], BERLIN)
    assert [(number, start.source) for number, start in placed] == [(1, "container"), (0, "container")]


def test_containers_times_of_a_copy_are_not_used():
    """Half hours that were all made within a minute: when they were exported."""
    eight = datetime(2026, 4, 12, 8, tzinfo=UTC)
    placed = place([stamped(eight), stamped(eight + timedelta(seconds=20))], BERLIN)
    assert [(number, start.source) for number, start in placed] == [(0, "unknown"), (1, "unknown")]
    assert "contradicts" in placed[0][1].remarks[0]


def test_names_stay_where_a_container_contradicts_them():
    files = [named("2026-04-12T08:00:00"), stamped(datetime(2026, 4, 12, 6, 10, tzinfo=UTC))]
    assert [(number, start.source) for number, start in place(files, BERLIN)] == [(0, "file name"), (1, "unknown")]


def test_unknown_starts_come_last_as_they_are_given():
    files = [
        (FileName(), FileHeader(60.0, None, "")),
        named("2026-04-12T08:00:00"),
        (FileName(), FileHeader(None, None, "")),
    ]
    assert utc(files) == [(1, "06:00"), (0, None), (2, None)]


@given(
    st.lists(st.integers(0, 8), min_size=1, max_size=9, unique=True),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    st.sampled_from(
        [
            datetime(2026, 10, 24, 22, tzinfo=UTC),
            datetime(2026, 11, 1, 3, tzinfo=UTC),
            datetime(2026, 4, 4, 12, tzinfo=UTC),
        ]
    ),
)
def test_true_times_are_found_again_wherever_all_of_a_night_is_there(gaps, name, begin):
    """Half hours without a gap over any change of clocks: their local names give their true times."""
    zone = ZoneInfo(name)
    true = [begin + timedelta(minutes=30 * number) for number in range(16)]
    files = [
        (FileName(start=time.astimezone(zone).replace(tzinfo=None)), FileHeader(1800.0, None, "")) for time in true
    ]
    placed = place(files, zone)
    assert [start.time.astimezone(UTC) for _, start in placed] == true
    assert sorted(number for number, _ in placed) == list(range(16))
    kept = place([files[number] for number in sorted(gaps)], zone)
    times = [start.time.timestamp() for _, start in kept]
    assert times == sorted(times)
