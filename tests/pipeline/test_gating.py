"""The motion gate spares the detector frames in which nobody can be; whatever it does, nobody is lost."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.pipeline.gating import BEFORE, BURST, HOLD, LAG, Gated
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.run import Report
from vidreid.tracking import boxmot
from vidreid.types import Detections, Frame, Tracked, Tracker

RATE = 25.0
LOOK_EVERY = 4.0
STARTING = LAG + 1  # frames that are looked at whatever they show
SIDE = 20  # of a person


class Seen:
    """A detector that finds, in frame ``i``, a person of ``score`` at ``places[i]`` (None: nobody).

    It holds ``ahead`` frames, as real ones do while their networks work; ``looks`` are the frames that it was given.
    """

    def __init__(self, places: list[int | None], ahead: int = 4, score: float = 0.9) -> None:
        self.looks: list[int] = []
        self._places = places
        self._ahead = ahead
        self._score = score

    def detect(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        held: deque[Frame] = deque()
        for frame in frames:
            self.looks.append(frame.index)
            held.append(frame)
            if len(held) > self._ahead:
                yield self._found(held.popleft())
        while held:
            yield self._found(held.popleft())

    def _found(self, frame: Frame) -> tuple[Frame, Detections]:
        place = self._places[frame.index]
        boxes = [] if place is None else [[place, 10, place + SIDE, 10 + SIDE]]
        return frame, Detections(np.array(boxes, np.float32).reshape(-1, 4), np.full(len(boxes), self._score, "f4"))


def frames(places: list[int | None], hidden: bool = False) -> Iterator[Frame]:
    """Grey pictures with a bright square at each frame's place; ``hidden`` without."""
    for index, place in enumerate(places):
        image = np.full((48, 96, 3), 90, np.uint8)
        if place is not None and not hidden:
            image[10 : 10 + SIDE, place : place + SIDE] = 200
        yield Frame("c0", index, 0, index, index / RATE, image)


class Believer:
    """A tracker that follows whatever was surely found twice in a row."""

    def __init__(self) -> None:
        self._before = 0

    def update(self, detections: Detections, frame: Frame) -> Tracked:
        sure = int((detections.scores > 0.5).sum())
        rows = np.arange(min(sure, self._before))
        self._before = sure
        return Tracked(detections.boxes[rows], rows, rows)


def bytetrack() -> Tracker:
    return boxmot.make("bytetrack", {"lost_seconds": 3.0}, rate=RATE, dim=None)


def gated(detector: Seen, tracker: Tracker | None = None) -> Gated:
    return Gated(detector, tracker or Believer(), LOOK_EVERY)


def tracked(gate: Gated, footage: Iterable[Frame]) -> tuple[list[int], list[int]]:
    """Run to the end; the frames in the order in which they came out, and those with a track."""
    order, followed = [], []
    for frame, detections in gate.detect(footage):
        order.append(frame.index)
        if len(gate.update(detections, frame).ids):
            followed.append(frame.index)
    return order, followed


def walk(first: int, frames: int, total: int) -> list[int | None]:
    """Someone who walks through from frame ``first`` on, for so many frames of all."""
    return [(i - first) % 70 if first <= i < first + frames else None for i in range(total)]


@settings(deadline=None, max_examples=20)
@given(
    stays=st.lists(st.tuples(st.integers(1, 80), st.integers(1, 60)), max_size=4),
    ahead=st.integers(0, 2 * LAG),
)
def test_every_frame_comes_once_in_order_and_the_looks_depend_on_the_footage_alone(
    stays: list[tuple[int, int]], ahead: int
) -> None:
    places: list[int | None] = []
    for empty, stay in stays:
        places += [None] * empty + [i % 70 for i in range(stay)]
    reference, other = Seen(places, ahead=0), Seen(places, ahead=ahead)
    order, followed = tracked(gated(reference), frames(places))
    assert order == list(range(len(places)))
    assert tracked(gate := gated(other), frames(places)) == (order, followed)
    assert other.looks == reference.looks
    assert gate.skipped == len(places) - len(other.looks)


def test_a_walk_is_looked_at_from_before_it_begins_until_after_it_ends() -> None:
    places = walk(200, 50, 400)
    detector = Seen(places)
    tracked(gated(detector), frames(places))
    late = 4  # two pictures 0.08 s apart have to show it
    wanted = set(range(200 + late - BEFORE, 250 + LAG))
    assert wanted <= set(detector.looks)


def test_an_empty_picture_is_looked_at_now_and_then() -> None:
    places: list[int | None] = [None] * 1000
    detector = Seen(places)
    tracked(gated(detector), frames(places))
    assert detector.looks[:STARTING] == list(range(STARTING))
    assert set(np.diff(detector.looks[STARTING - 1 :])) <= {LOOK_EVERY * RATE, LOOK_EVERY * RATE + 1}


def test_tracks_are_those_without_the_gate() -> None:
    places = walk(120, 50, 200) + walk(20, 30, 80)
    _, followed = tracked(gated(Seen(places), bytetrack()), frames(places))
    tracker = bytetrack()
    plain = [f.index for f, found in Seen(places).detect(frames(places)) if len(tracker.update(found, f).ids)]
    assert followed == plain


def test_whoever_stands_still_is_followed_for_as_long_as_he_stands() -> None:
    """Long after he became part of the background."""
    places: list[int | None] = [None] * 100 + [30] * 600
    _, followed = tracked(gated(Seen(places)), frames(places))
    assert followed == list(range(101, 700))


def test_after_the_last_track_it_stays_open_for_some_seconds() -> None:
    """A person whom the detector does not see for a moment, and who does not move either."""
    pause = int(HOLD * RATE)
    places: list[int | None] = [30] * 200 + [None] * (pause + 100)
    detector = Seen(places)
    tracked(gated(detector), frames([30] * len(places)))
    assert set(range(200, 200 + pause - 1)) <= set(detector.looks)
    assert len(detector.looks) < len(places)


def test_whom_no_motion_betrayed_a_check_finds() -> None:
    places: list[int | None] = [None] * 150 + [30] * 400
    _, followed = tracked(gated(Seen(places), bytetrack()), frames(places, hidden=True))
    assert followed[0] <= 150 + LOOK_EVERY * RATE + LAG + BURST
    assert followed[-200:] == list(range(350, 550))


def test_a_faint_thing_that_no_tracker_believes_costs_only_a_second_look() -> None:
    places: list[int | None] = [30] * 1000
    detector = Seen(places, score=0.3)
    tracked(gated(detector), frames(places, hidden=True))
    assert len(detector.looks) - STARTING <= (1 + BURST) * (1000 / (LOOK_EVERY * RATE))


def test_one_frame_and_none() -> None:
    assert tracked(gated(Seen([30])), frames([30]))[0] == [0]
    assert tracked(gated(Seen([])), frames([]))[0] == []


def test_a_run_with_the_gate_says_what_it_spared_and_has_the_same_bytes_with_more_workers(
    site: Path, tmp_path: Path, go: Callable[..., Report]
) -> None:
    class Heard(Silent):
        lines: ClassVar[list[str]] = []

        def note(self, line: str) -> None:
            self.lines.append(line)

    settings = {"detection": {"detector": "oracle", "motion_gate": True}}
    for name, workers in (("one", 1), ("two", 2)):
        footage = f"yard={site / 'yard.mp4'}"
        go(tmp_path / name, footage, until="track", workers=workers, settings=settings, reporter=Heard())
    assert any(line.startswith("motion gate: ") for line in Heard.lines)
    one, two = (sorted((tmp_path / name / "track").rglob("*.parquet")) for name in ("one", "two"))
    assert [part.read_bytes() for part in one] == [part.read_bytes() for part in two]
