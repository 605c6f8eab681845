"""What a result covers, in words."""

from datetime import UTC, datetime

from vidreid.footage.zones import microseconds, zone_named
from vidreid.pipeline.coverage import CameraCoverage, Coverage
from vidreid.views.coverage import camera_words, clock_times, words

BERLIN = zone_named("Europe/Berlin")


def utc(hour: float, day: int = 12) -> int:
    return microseconds(datetime(2026, 4, day, tzinfo=UTC)) + round(hour * 3_600_000_000)


def camera(name: str, *spans: tuple[float, float], missing: list[tuple[float, float]] | None = None) -> CameraCoverage:
    """A camera with a known clock of which three frames of ten were analysed, in hours of the day."""
    return CameraCoverage(
        name,
        known=True,
        frames=3,
        total=10,
        spans=tuple((utc(first), utc(last)) for first, last in spans),
        missing=tuple((utc(first), utc(last)) for first, last in missing or [(20, 21)]),
    )


def since(name: str, seconds: float) -> CameraCoverage:
    return CameraCoverage(name, known=False, frames=3, total=10, spans=((0, round(seconds * 1e6)),))


def test_the_share_and_the_hours_in_local_time() -> None:
    assert words(Coverage((camera("a", (6, 9 + 1 / 3)),)), BERLIN) == (
        "covers 30 %, 08:00 to 11:20 on 2026-04-12 (UTC+02:00)"
    )


def test_utc_is_told_where_nobody_stated_a_zone() -> None:
    assert words(Coverage((camera("a", (6, 9)),)), UTC) == "covers 30 %, 06:00 to 09:00 on 2026-04-12 (UTC)"


def test_under_an_hour_seconds_count() -> None:
    assert clock_times([(utc(6), utc(6.01))], UTC) == "06:00:00 to 06:00:36 on 2026-04-12 (UTC)"


def test_over_midnight_every_moment_has_its_day() -> None:
    assert clock_times([(utc(20), utc(2, day=13))], BERLIN) == "2026-04-12 22:00 to 2026-04-13 04:00 (UTC+02:00)"


def test_when_clocks_are_put_back_both_offsets_are_told() -> None:
    night = [
        (microseconds(datetime(2026, 10, 24, 23, tzinfo=UTC)), microseconds(datetime(2026, 10, 25, 2, tzinfo=UTC)))
    ]
    assert clock_times(night, BERLIN) == "01:00 to 03:00 on 2026-10-25 (UTC+02:00, then UTC+01:00)"


def test_what_is_missing_within_is_named_by_camera() -> None:
    found = Coverage((camera("a", (6, 7), (8, 9), missing=[(7, 8), (9, 20)]), camera("b", (6, 9))))
    assert words(found, UTC) == ("covers 30 %, 06:00 to 09:00 on 2026-04-12 (UTC); without a 07:00 to 08:00")


def test_unknown_clocks_count_from_their_start() -> None:
    found = Coverage((camera("a", (6, 9)), since("b", 753)))
    assert words(found, UTC).endswith("(UTC); clock unknown: b +00:00:00 to +00:12:33")


def test_a_camera_of_which_nothing_is_finished_is_named() -> None:
    found = Coverage((camera("a", (6, 9)), CameraCoverage("b", known=True, frames=0, total=10)))
    assert words(found, UTC).endswith("; nothing of b")


def test_many_pieces_are_counted() -> None:
    found = words(Coverage((camera("a", *[(hour, hour + 0.5) for hour in range(6, 16)]),)), UTC)
    assert "06:00 to 15:30 in 10 pieces on 2026-04-12 (UTC)" in found


def test_a_cameras_own_line_names_what_it_lacks_within() -> None:
    one = camera("a", (6, 7), (8, 9), missing=[(7, 8), (9, 20)])
    assert camera_words(one, UTC) == ("06:00 to 07:00, 08:00 to 09:00 on 2026-04-12 (UTC), without 07:00 to 08:00")
    assert camera_words(since("b", 753), UTC) == "+00:00:00 to +00:12:33 (clock unknown)"
    assert camera_words(CameraCoverage("c", known=False, frames=0, total=0), UTC) == "-"
