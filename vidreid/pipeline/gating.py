"""The motion gate: the detector looks only at frames where somebody may be, the tracker sees every frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from vidreid.footage.motion import WIDTH, Motion
from vidreid.types import Detections, Detector, Frame, Tracked, Tracker

BEFORE = 6  # frames before a motion that are looked at too: it begins before it is sure
LAG = 16  # frames from the one that is decided on back to the last one whose tracks are known
HOLD = 2.0  # seconds for which it stays open after the last track
BURST = 3  # frames for which a check goes on that found somebody: trackers believe who was seen that often
MAYBE = 0.25  # score of somebody worth a second look

NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


class Gated:
    """A detector and a tracker, each as before, but that the detector is spared frames in which nothing moves.

    Made for one segment. It looks at a frame if there is motion in it, in the `BEFORE` frames after it or the `LAG`
    frames before it; if a person is followed as far as is known, or was within `HOLD` seconds; and to check, where
    it has not looked for ``look_every`` seconds. The other frames come without detections; ``skipped`` counts them.

    What is decided depends on the frames up to `BEFORE` later and on the tracks up to `LAG` earlier, never on timing
    or threads. Each frame that `detect` gives has to be handed to `update` before the next is asked for.
    """

    def __init__(self, detector: Detector, tracker: Tracker, look_every: float) -> None:
        self.skipped = 0
        self._detector = detector
        self._tracker = tracker
        self._motion = Motion()
        self._gate = _Gate(look_every)
        self._ended = False
        self._answers: deque[_Answer] = deque()  # of the tracker, that no decision knows yet
        self._waiting: deque[tuple[Frame, bool]] = deque()  # decided on, not given yet; whether it is looked at

    def update(self, detections: Detections, frame: Frame) -> Tracked:
        """The tracker's answer."""
        tracked = self._tracker.update(detections, frame)
        maybe = bool((detections.scores >= MAYBE).any())
        self._answers.append(_Answer(frame.time, len(tracked.ids) > 0, maybe))
        return tracked

    def detect(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        """Every frame of the segment with the persons found in it; none where the detector did not look."""
        source = self._compared(frames)
        while not self._ended:
            for found in self._detector.detect(self._wanted(source)):
                yield from self._passed_over()
                self._waiting.popleft()
                yield found
            yield from self._passed_over()

    def _passed_over(self) -> Iterator[tuple[Frame, Detections]]:
        while self._waiting and not self._waiting[0][1]:
            self.skipped += 1
            yield self._waiting.popleft()[0], NOTHING

    def _wanted(self, source: Iterator[Frame]) -> Iterator[Frame]:
        """Frames to look at, up to one whose decision needs the tracks of a frame that was not given yet."""
        while self._gate.number < LAG or self._answers or not self._waiting:
            frame = next(source, None)
            if frame is None:
                self._ended = True
                return
            answer = self._answers.popleft() if self._gate.number >= LAG else None
            looked = self._gate.opens(frame.time, answer)
            self._waiting.append((frame, looked))
            if looked:
                yield frame

    def _compared(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The same frames, each when it is known whether those after it move."""
        held: deque[Frame] = deque()
        for number, frame in enumerate(frames):
            if self._motion.due(frame.time) and self._moves(frame):
                self._gate.moved = number
            held.append(frame)
            if len(held) > BEFORE:
                yield held.popleft()
        yield from held

    def _moves(self, frame: Frame) -> bool:
        return self._motion.moves(frame.luma(WIDTH), frame.time, learn=not self._gate.holds(frame.time))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of a frame: whether anybody is followed in it, or may have been found."""

    time: float
    followed: bool
    maybe: bool


class _Gate:
    """Decides frame by frame. ``number`` is that of the next frame, ``moved`` that of the last one with motion."""

    def __init__(self, look_every: float) -> None:
        self.number = 0
        self.moved = 0
        self._look_every = look_every
        self._looked_at = -np.inf  # seconds, as are:
        self._followed_at = -np.inf
        self._check = -1  # number of the last frame that was looked at only to check
        self._burst = 0  # number of the frame with which the second look ends

    def holds(self, time: float) -> bool:
        """Whether somebody was followed within `HOLD` seconds, as far as is known."""
        return time - self._followed_at <= HOLD

    def opens(self, time: float, answer: _Answer | None) -> bool:
        """Whether the next frame is looked at; ``answer`` is that of the frame `LAG` earlier."""
        followed = answer is not None and answer.followed
        if answer is not None and followed:
            self._followed_at = answer.time
        elif answer is not None and answer.maybe and self._check == self.number - LAG:
            self._burst = self.number + BURST
        wanted = followed or self.holds(time) or self.number <= self.moved + LAG or self.number < self._burst
        if not wanted and time - self._looked_at >= self._look_every:
            wanted, self._check = True, self.number
        if wanted:
            self._looked_at = time
        self.number += 1
        return wanted
