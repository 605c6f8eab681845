"""The pictures that are kept of each track."""

import gc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vidreid.tracklets.runs import STRETCHES, Cut, RunPicker, StoredCrop, cut_crop, decode, least_worth
from vidreid.types import Frame, Tracked

CUT = Cut(margin=0.1, longest=384, jpeg=90)
IMAGE = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
HERE, BESIDE, APART = (20, 10, 40, 70), (30, 10, 50, 70), (100, 10, 120, 70)


def seen(index, time, *boxes, ids=None):
    """A frame and the boxes tracked in it."""
    count = len(boxes)
    tracked = Tracked(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(range(1, count + 1) if ids is None else ids, np.int64),
        np.arange(count),
    )
    return Frame("c1", index, 0, round(time * 1000), time, IMAGE), tracked


def pick(frames, *, runs=4, length=4, spacing=0.3):
    """The runs of every track: {track: [crops of a run, ...]}."""
    picker = RunPicker(runs=runs, length=length, spacing=spacing, cut=CUT)
    for frame, tracked in frames:
        picker.add(frame, tracked, np.ones(len(tracked.ids), np.float32))
    found = {}
    for track, number, crops in picker.finish():
        assert number == len(found.setdefault(track, []))
        found[track].append(crops)
    return found


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.sampled_from([0.04, 0.04, 0.1, 0.5, 2.0]), min_size=1, max_size=120),
    st.integers(1, 3),
    st.integers(1, 4),
    st.sampled_from([0.1, 0.3]),
)
def test_runs_are_few_full_of_distance_and_in_order_of_time(steps, runs, length, spacing):
    times = np.cumsum(steps)  # a variable frame rate
    found = pick([seen(i, t, HERE) for i, t in enumerate(times)], runs=runs, length=length, spacing=spacing)[1]
    assert 1 <= len(found) <= runs
    assert all(1 <= len(run) <= length for run in found)
    for run in found:
        for before, after in pairwise(run):
            assert spacing - 1e-3 <= after.time - before.time <= 2.5 * spacing
    crops = [crop for run in found for crop in run]
    assert [crop.time for crop in crops] == sorted(crop.time for crop in crops)
    assert all(crop.time == times[crop.frame] and crop.pts == round(times[crop.frame] * 1000) for crop in crops)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_nothing_is_kept_of_a_contact_and_no_run_goes_over_one(touches):
    frames = [seen(i, i * 0.1, HERE, BESIDE if touch else APART) for i, touch in enumerate(touches)]
    found = pick(frames, spacing=0.2)
    for run in (run for track in found.values() for run in track):
        assert not any(touches[run[0].frame : run[-1].frame + 1])


def test_both_sides_of_a_contact_are_kept():
    frames = [seen(i, i * 0.1, HERE, BESIDE if 20 <= i < 25 else APART) for i in range(60)]
    found = pick(frames, runs=1)[1]
    assert len(found) == 2
    assert found[0][-1].frame < 20 <= 25 <= found[1][0].frame


def test_in_a_crowd_the_pictures_of_a_person_stay_few():
    # Somebody brushes past every half second for five minutes.
    frames = [seen(i, i / 10, HERE, BESIDE if i % 5 == 0 else APART) for i in range(3000)]
    found = pick(frames, runs=2)[1]
    assert len(found) == STRETCHES * 2
    assert found[0][0].time < 60
    assert found[-1][-1].time > 240


def test_of_a_long_even_stretch_pictures_from_all_over_it_remain():
    (runs,) = pick([seen(i, i / 10, HERE) for i in range(3000)]).values()
    starts = [run[0].time for run in runs]
    assert starts[0] == 0
    assert starts[-1] > 200
    assert max(after - before for before, after in pairwise(starts)) < 180


def test_two_tracks_do_not_know_of_each_other():
    both = pick([seen(i, i * 0.1, HERE, APART) for i in range(50)])
    alone = pick([seen(i, i * 0.1, APART, ids=[2]) for i in range(50)])
    assert [[crop.jpeg for crop in run] for run in both[2]] == [[crop.jpeg for crop in run] for run in alone[2]]


def test_no_more_crops_are_held_than_are_kept_and_under_way():
    def held():
        return sum(type(thing) is StoredCrop for thing in gc.get_objects())

    before = held()
    picker = RunPicker(runs=3, length=2, spacing=0.1, cut=CUT)
    for i in range(400):
        frame, tracked = seen(i, i * 0.1, HERE)
        picker.add(frame, tracked, np.ones(1, np.float32))
        if i % 20 == 19:
            assert 3 * 2 <= held() - before <= 3 * 2 + 1


def crops(*times, quality=0.5):
    return [StoredCrop(0, 0, time, quality, np.zeros(4), b"") for time in times]


def slow_worth(runs):
    """Mean quality by the longest run, times the root of the time between the neighbours (a missing one mirrored)."""
    middles = [(run[0].time + run[-1].time) / 2 for run in runs]
    worths = []
    for i, run in enumerate(runs):
        around = [abs(middles[i] - middles[j]) for j in (i - 1, i + 1) if 0 <= j < len(runs)]
        time = 2 * sum(around) / len(around)
        worths.append(sum(crop.quality for crop in run) / max(map(len, runs)) * time**0.5)
    return worths


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.1, 5), st.integers(1, 4), st.floats(0.01, 1)), min_size=2, max_size=8),
)
def test_the_run_that_is_dropped_is_worth_least(drawn):
    runs, now = [], 0.0
    for wait, length, quality in drawn:
        now += wait + 1.2
        runs.append(crops(*(now + 0.3 * i for i in range(length)), quality=quality))
    worths = slow_worth(runs)
    assert worths[least_worth(runs)] == pytest.approx(min(worths), rel=2e-3)


def test_of_two_that_are_close_in_time_one_goes_and_of_two_the_worse():
    spread = [crops(0, 1), crops(10, 11), crops(12, 13), crops(30, 31)]
    assert least_worth(spread) in {1, 2}
    assert least_worth([crops(0, 1), crops(10, 11, quality=0.2), crops(20, 21)]) == 1
    assert least_worth([crops(0, 1), crops(10), crops(20, 21)]) == 1


# The geometry of a crop.


@settings(deadline=None, max_examples=60)
@given(
    st.integers(20, 700),
    st.integers(20, 700),
    st.tuples(*[st.floats(-0.2, 1.2)] * 2),
    st.tuples(*[st.floats(0.05, 1.5)] * 2),
    st.sampled_from([0.0, 0.1, 0.5]),
)
def test_the_box_within_the_crop_is_the_persons(height, width, center, size, margin):
    """A white person on black: where the box says, the crop is white, to a pixel of it."""
    x, y, w, h = center[0] * width, center[1] * height, size[0] * width, size[1] * height
    box = np.round([x - w / 2, y - h / 2, x + w / 2, y + h / 2]).astype(np.float32)
    x1, y1, x2, y2 = np.clip(box, 0, [width, height, width, height]).astype(int)
    image = np.zeros((height, width, 3), np.uint8)
    image[y1:y2, x1:x2] = 255

    crop = cut_crop(Frame("c1", 7, 0, 70, 0.7, image), box, 1.0, 1.0, Cut(margin, 128, 95))

    if x1 >= x2 or y1 >= y2:
        assert crop is None
        return
    assert crop is not None
    assert (crop.frame, crop.pts, crop.time) == (7, 70, 0.7)
    picture = decode(crop.jpeg).astype(int)
    assert max(picture.shape) <= 128
    assert (crop.box[:2] >= 0).all()
    assert (crop.box[2:] <= [picture.shape[1], picture.shape[0]]).all()
    assume((crop.box[2:] - crop.box[:2]).min() >= 3)  # of less, a pixel more or less is all there is
    white = picture.mean(2) > 127
    rows, columns = np.flatnonzero(white.any(1)), np.flatnonzero(white.any(0))
    np.testing.assert_allclose(crop.box, [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], atol=1)


def test_the_crop_has_a_margin_of_the_boxs_sides():
    frame = Frame("c1", 0, 0, 0, 0.0, IMAGE)
    crop = cut_crop(frame, np.array([40, 20, 80, 70], np.float32), 1.0, 1.0, Cut(0.1, 384, 90))
    assert decode(crop.jpeg).shape == (60, 48, 3)
    np.testing.assert_array_equal(crop.box, [4, 5, 44, 55])


def test_a_box_outside_of_the_picture_gives_no_crop():
    frame = Frame("c1", 0, 0, 0, 0.0, IMAGE)
    for box in ([200, 10, 220, 50], [-30, 10, -5, 50], [10, 90, 30, 120], [50, 50, 50, 50]):
        assert cut_crop(frame, np.array(box, np.float32), 1.0, 1.0, CUT) is None
