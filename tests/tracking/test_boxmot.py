"""Options of boxmot's trackers, and time in seconds."""

import numpy as np
import pytest
from boxmot.trackers.registry import TRACKER_DEFINITIONS
from walkers import CONFIGS, Walker, follow, ids, scene

from vidreid.errors import InputError
from vidreid.tracking import boxmot
from vidreid.types import Detections, Frame

ONE = (Walker(x=10, y=30, speed=20),)


def bytetrack(rate=10.0, **options):
    return boxmot.make("bytetrack", options, rate=rate, dim=None)


def test_every_tracker_that_takes_boxes_has_a_yaml():
    assert set(CONFIGS) >= set(TRACKER_DEFINITIONS) - {"sam2mot"}  # takes masks


@pytest.mark.parametrize(
    ("name", "options", "message", "hint"),
    [
        ("bytetrak", {}, "bytetrak", "bytetrack"),
        ("sam2mot", {}, "sam2mot", "bytetrack"),
        ("bytetrack", {"track_tresh": 0.5}, "track_tresh", "track_thresh"),
        ("bytetrack", {"min_hits": 3}, "min_hits", "min_conf"),  # of other trackers: bytetrack would ignore it
        ("bytetrack", {"track_thresh": "high"}, "not a number", "0.6"),
        ("bytetrack", {"track_thresh": True}, "not a number", "0.6"),
        ("botsort", {"use_embeddings": 1}, "not true or false", "true"),
        ("ocsort", {"asso_func": "gioux"}, "gioux", "giou"),
        ("ocsort", {"lost_seconds": 1.0, "max_age": 30}, "say the same", "max_age"),
        ("sfsort", {"match_th_first": 0.9}, "out of its range", "0.67"),
        ("bytetrack", {"kf_reference_dt_s": -1.0}, "kf_reference_dt_s", ""),
    ],
)
def test_a_wrong_option_is_named(name, options, message, hint):
    with pytest.raises(InputError, match=message) as caught:
        boxmot.check(name, options)
    assert hint in caught.value.hint


@pytest.mark.parametrize("rate", [5.0, 25.0])
@pytest.mark.parametrize(("lost_seconds", "people"), [(0.5, 2), (2.0, 1)])
def test_lost_seconds_are_seconds_at_any_frame_rate(rate, lost_seconds, people):
    steps = scene(ONE, np.arange(0, 5, 1 / rate), hidden=(2.01, 3.19))
    assert len(ids(follow(bytetrack(rate, lost_seconds=lost_seconds), steps))) == people


@pytest.mark.parametrize(("variable_dt", "people"), [(True, 1), (False, 2)])
def test_motion_is_predicted_in_real_time(variable_dt, people):
    """Three frames of a fast walker are lost: only who knows the true time step looks for them far enough ahead."""
    times = np.delete(np.arange(24) / 10, [14, 15, 16])
    steps = scene((Walker(x=0, y=30, speed=60),), times)
    assert len(ids(follow(bytetrack(variable_dt=variable_dt), steps))) == people


def test_a_faint_detection_continues_a_track_and_begins_none():
    faint = (Walker(x=10, y=30, speed=20, score=0.2),)
    assert ids(follow(bytetrack(), scene(faint, np.arange(20) / 10))) == []
    seen, unseen = scene(ONE, np.arange(10) / 10), scene(faint, np.arange(20) / 10)[10:]
    answers = follow(bytetrack(), seen + unseen)
    assert len(ids(answers)) == 1
    assert len(answers[-1].ids) == 1


def test_empty_boxes_are_passed_over():
    boxes = np.array([[50, 50, 50, 90], [10, 30, 26, 70], [20, 20, 30, 10]], np.float32)
    frame = Frame(camera="c1", index=0, file=0, pts=0, time=0.0, image=np.zeros((120, 160, 3), np.uint8))
    answer = bytetrack().update(Detections(boxes, np.full(3, 0.9, np.float32)), frame)
    assert answer.rows.tolist() == [1]


def test_vectors_are_never_made_by_the_library():
    tracker = boxmot.make("botsort", {}, rate=10.0, dim=16)
    detections, frame = scene(ONE, [0.0])[0]
    with pytest.raises(ValueError, match="vectors"):
        tracker.update(Detections(detections.boxes, detections.scores), frame)
