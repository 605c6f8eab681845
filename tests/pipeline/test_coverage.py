"""What of the footage a result covers: by frames, and by the clocks of all cameras."""

import itertools
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidreid.footage.clock import Timeline
from vidreid.footage.segments import cut
from vidreid.pipeline.coverage import PAUSE, CameraCoverage, Coverage, camera_coverage, ranges_of, united
from vidreid.types import Clock, VideoFile

MINUTE = 60_000_000
EIGHT = 1_776_000_000_000_000 // MINUTE * MINUTE


def files(*minutes: int) -> list[VideoFile]:
    """Files of so many minutes, a frame every ten seconds."""
    found: list[VideoFile] = []
    for length in minutes:
        pts = np.arange(0, length * 60, 10)
        first = sum(len(file.pts) for file in found)
        whole = VideoFile(
            "", 0, "h264", 64, 48, 0, Fraction(1), Fraction(1), pts, np.arange(len(pts)), np.zeros(1, np.int64), first
        )
        found.append(whole)
    return found


def covered(name: str, film: list[VideoFile], starts: list[int | None], *ranges: list[int]) -> CameraCoverage:
    """What ranges of frames cover of files that start so many minutes after eight."""
    clock = Clock(tuple(None if start is None else EIGHT + start * MINUTE for start in starts))
    return camera_coverage(name, Timeline(film, clock), sum(len(file.pts) for file in film), ranges)


def minutes(spans: object) -> list[tuple[float, float]]:
    """Spans in minutes after eight, rounded to a tenth of the way between frames."""
    return [(round((first - EIGHT) / MINUTE), round((last - EIGHT) / MINUTE)) for first, last in spans]  # type: ignore[attr-defined]


def test_a_camera_is_covered_from_its_first_analysed_frame_to_its_last() -> None:
    one = covered("a", files(60), [0], [0, 180])
    assert (one.share, minutes(one.spans), minutes(one.missing)) == (0.5, [(0, 30)], [(30, 60)])


def test_where_there_is_no_footage_nothing_is_covered_and_nothing_is_missing() -> None:
    one = covered("a", files(10, 10), [0, 30], [0, 120])
    assert (one.share, minutes(one.spans), one.missing) == (1.0, [(0, 10), (30, 40)], ())


def test_an_unknown_clock_counts_from_the_cameras_first_frame() -> None:
    one = covered("a", files(60), [None], [0, 180])
    assert not one.known
    assert one.spans == ((0, 1790_000_000),)
    assert one.as_dict() == {
        "clock": "unknown",
        "share": 0.5,
        "spans": [[0.0, 1790.0]],
        "missing": [[1800.0, 3590.0]],
    }


def test_a_camera_whose_footage_nobody_has_read_covers_nothing() -> None:
    one = camera_coverage("a", None, 0, [])
    assert (one.share, one.spans, one.missing) == (0.0, (), ())
    assert not Coverage((one,)).whole


def test_all_cameras_are_covered_up_to_where_the_first_of_them_is_left_to_do() -> None:
    ahead, behind = covered("a", files(60), [0], [0, 240]), covered("b", files(60), [5], [0, 180])
    over = covered("c", files(20), [0], [0, 120])
    both = Coverage((ahead, behind, over))
    assert minutes(both.spans) == [(0, 35)]
    assert both.holes() == {}
    assert both.share == 540 / 840


def test_footage_that_was_left_out_within_is_named_by_its_camera() -> None:
    hole = covered("a", files(60), [0], [0, 60], [120, 240])
    both = Coverage((hole, covered("b", files(60), [0], [0, 300])))
    assert minutes(both.spans) == [(0, 40)]
    assert {name: minutes(spans) for name, spans in both.holes().items()} == {"a": [(10, 20)]}


def test_times_at_which_no_camera_has_footage_part_what_is_covered() -> None:
    night = Coverage((covered("a", files(30, 30), [0, 600], [0, 360]), covered("b", files(20), [620], [0, 120])))
    assert minutes(night.spans) == [(0, 30), (600, 640)]
    assert night.whole


def test_of_cameras_with_unknown_clocks_alone_no_hours_are_told() -> None:
    one = covered("a", files(60), [None], [0, 60], [120, 180])
    assert Coverage((one,)).spans == ()
    assert Coverage((one,)).holes() == {"a": ((600_000_000, 1_190_000_000),)}


def test_segments_that_follow_each_other_are_one_range() -> None:
    (file,) = files(60)
    segments = cut("a", [file], seconds=300, overlap=20)
    assert ranges_of(segments) == [[0, 360]]
    assert len(ranges_of(segments[:2] + segments[3:])) == 2


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_every_frame_is_either_covered_or_missing(analysed: list[bool], lengths: list[int]) -> None:
    film = files(*lengths)
    segments = cut("a", film, seconds=60, overlap=0)
    chosen = [s for s, done in zip(segments, analysed * len(segments), strict=False) if done]
    starts: list[int | None] = [20 * number for number in range(len(lengths))]
    one = covered("a", film, starts, *ranges_of(chosen))
    assert one.frames == sum(s.own_stop - s.own_first for s in chosen)
    times = Timeline(film, Clock(tuple(EIGHT + (start or 0) * MINUTE for start in starts))).utc(np.arange(one.total))
    assert times is not None
    done = {frame for s in chosen for frame in range(s.own_first, s.own_stop)}
    for frame, moment in enumerate(times.tolist()):
        within = [any(first <= moment <= last for first, last in spans) for spans in (one.spans, one.missing)]
        assert within == [frame in done, frame not in done]


@given(st.lists(st.tuples(st.integers(0, 10**10), st.integers(0, 10**9)), max_size=8))
def test_united_spans_are_apart_and_hold_all_of_them(found: list[tuple[int, int]]) -> None:
    spans = [(first, first + length) for first, length in found]
    whole = united(spans)
    assert all(later[0] - earlier[1] > PAUSE for earlier, later in itertools.pairwise(whole))
    assert all(any(one[0] <= first and last <= one[1] for one in whole) for first, last in spans)
    ends = {end for span in spans for end in span}
    assert {end for span in whole for end in span} <= ends
