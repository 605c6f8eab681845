"""Persons from the outputs of the ultralytics family, in frames that come in and go out in order."""

import warnings

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_networks import glance

from vidreid.detection.yolo import IOU, decode, make
from vidreid.engines.registry import describe, read_registry
from vidreid.engines.runtimes import openvino
from vidreid.engines.runtimes.openvino import shared_core
from vidreid.engines.weights import FileModel
from vidreid.errors import InputError
from vidreid.types import Frame, InputSpec

SIDE = 64


def iou(a, b):
    wide = min(a[2], b[2]) - max(a[0], b[0])
    tall = min(a[3], b[3]) - max(a[1], b[1])
    inner = max(0.0, wide) * max(0.0, tall)
    return inner / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inner)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 30), st.floats(0.05, 0.95))
def test_final_boxes_are_read_row_by_row(seed, count, score):
    rng = np.random.default_rng(seed)
    rows = np.column_stack([rng.uniform(0, 640, (count, 4)), rng.random(count), rng.integers(0, 3, count)])
    boxes, scores = decode(rows.astype(np.float32), score)
    wanted = [row for row in rows.astype(np.float32) if row[5] == 0 and row[4] >= score]
    np.testing.assert_array_equal(boxes, np.array([row[:4] for row in wanted], np.float32).reshape(-1, 4))
    np.testing.assert_array_equal(scores, np.array([row[4] for row in wanted], np.float32))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 30).filter(lambda n: n != 6), st.integers(1, 4), st.floats(0.05, 0.95))
def test_candidates_are_suppressed_by_better_ones(seed, count, classes, score):
    rng = np.random.default_rng(seed)
    center, size = rng.uniform(100, 160, (2, count)), rng.uniform(20, 60, (2, count))
    output = np.concatenate([center, size, rng.random((classes, count))]).astype(np.float32)
    kept = []
    for x, y, width, height, sure in sorted(output[:5].T.tolist(), key=lambda column: -column[4]):
        box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
        if sure >= np.float32(score) and all(iou(box, other) <= IOU for other, _ in kept):
            kept.append((box, sure))
    boxes, scores = decode(output, score)
    np.testing.assert_allclose(boxes, np.array([box for box, _ in kept]).reshape(-1, 4), rtol=1e-5)
    np.testing.assert_array_equal(scores, np.array([sure for _, sure in kept], np.float32))


def test_an_output_of_another_shape_is_refused():
    with pytest.raises(InputError, match="shape"):
        decode(np.zeros(6, np.float32), 0.1)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """A real engine; its network finds one person, where the first two pixels of the picture say (score / 255)."""
    model = glance(tmp_path_factory.mktemp("yolo") / "glance.onnx", InputSpec((SIDE, SIDE)))
    engine = openvino.load(model, streams=2)
    yield engine
    engine.close()


def said(index, box, score=1, kind=0):
    """A frame whose first two pixels say what is to be found."""
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[0, :2] = np.array([*box, score, kind]).reshape(2, 3)
    return Frame("c1", index, 0, index, index / 25, image)


def around(engine, *, ahead=0, suppress=None, tile=0):
    """A detector whose network has one size."""
    return make(lambda picture: engine, score=0.5, suppress=suppress, tile=tile, ahead=ahead)


def test_frames_come_out_in_order_with_their_own_boxes(engine):
    frames = [said(i, (i, i, i + 10, i + 20)) for i in range(40)]
    found = list(around(engine, ahead=3).detect(iter(frames)))
    assert [frame for frame, _ in found] == frames
    for i, (_, detections) in enumerate(found):
        np.testing.assert_array_equal(detections.boxes, [[i, i, i + 10, i + 20]])
        np.testing.assert_array_equal(detections.scores, [1])


@pytest.mark.parametrize("ahead", [0, 1, 5])
def test_no_more_frames_are_taken_than_agreed(engine, ahead):
    taken = []

    def frames():
        for i in range(20):
            taken.append(i)
            yield said(i, (1, 1, 9, 9))

    for given_back, _ in enumerate(around(engine, ahead=ahead).detect(frames()), start=1):
        assert len(taken) <= given_back + ahead
    assert taken == list(range(20))


def test_every_view_goes_to_the_engine_for_its_size(engine):
    asked = []

    def engines(picture):
        asked.append(picture)
        return engine

    wide = Frame("c1", 0, 0, 0, 0.0, np.zeros((SIDE, 2 * SIDE, 3), np.uint8))
    list(make(engines, score=0.5, suppress=None, tile=SIDE, ahead=0).detect([wide, said(1, (1, 1, 9, 9))]))
    assert asked == [(SIDE, 2 * SIDE), *[(SIDE, SIDE)] * 4]


def test_boxes_do_not_depend_on_the_neighbours(engine):
    rng = np.random.default_rng(0)
    frames = [said(i, (*rng.integers(0, 20, 2), *rng.integers(30, 60, 2))) for i in range(12)]
    together = list(around(engine, ahead=4).detect(frames))
    for frame, detections in together:
        ((_, alone),) = around(engine, ahead=0).detect([frame])
        np.testing.assert_array_equal(detections.boxes, alone.boxes)


def test_other_things_faint_ones_and_slivers_are_nobody(engine):
    frames = [
        said(0, (1, 1, 9, 9), kind=3),
        said(1, (1, 1, 9, 9), score=0),
        said(2, (1, 1, 2, 9)),
        said(3, (70, 1, 90, 9)),
        said(4, (1, 1, 9, 9)),
    ]
    assert [len(found) for _, found in around(engine, ahead=2).detect(frames)] == [
        0,
        0,
        0,
        0,
        1,
    ]


@pytest.mark.parametrize(("iou", "left"), [(None, [1, 1]), (0.9, [1, 1]), (0.7, [1])])
def test_persons_who_come_double_are_one_where_the_network_is_stated_so(iou, left, tmp_path):
    """The boxes' IoU is 0.8."""
    double = openvino.load(glance(tmp_path / "double.onnx", InputSpec((SIDE, SIDE)), shape=(1, 2, 6)), streams=1)
    frame = said(0, (10, 10, 20, 50))
    frame.image[0, 2:4] = np.array([10, 10, 20, 42, 1, 0]).reshape(2, 3)
    ((_, found),) = around(double, suppress=iou).detect([frame])
    double.close()
    assert found.scores.tolist() == left
    np.testing.assert_array_equal(found.boxes[0], [10, 10, 20, 50])


def test_boxes_of_tiles_are_moved_to_where_the_tile_lies(engine):
    image = np.zeros((SIDE, 2 * SIDE, 3), np.uint8)
    image[0, SIDE : SIDE + 2] = np.array([8, 8, 28, 48, 1, 0]).reshape(2, 3)
    frame = Frame("c1", 0, 0, 0, 0.0, image)
    ((_, found),) = around(engine, tile=SIDE).detect([frame])
    np.testing.assert_array_equal(found.boxes, [[SIDE + 8, 8, SIDE + 28, 48]])


# With the real network.


@pytest.fixture(scope="module")
def network(shared):
    path = shared / "weights/detector/yolo26n_int8_openvino_model/yolo26n.xml"
    return FileModel(describe(path, read_registry()), path)


@pytest.fixture(scope="module")
def pets(shared):
    """A frame of the PETS 2009 scene with several people."""
    import av

    with av.open(str(shared / "data/footage/pets_s2l1/vtest.avi")) as footage:
        for number, frame in enumerate(footage.decode(video=0)):
            if number == 60:
                return frame.to_ndarray(format="rgb24")
    raise AssertionError("the scene is shorter than it was")


@pytest.fixture(scope="module")
def real(network):
    engine = openvino.load(network, streams=2)
    yield engine
    engine.close()


def people(engine, image, *, score=0.3, tile=0):
    detector = make(lambda size: engine, score=score, suppress=None, tile=tile, ahead=0)
    ((_, found),) = detector.detect([Frame("c1", 0, 0, 0, 0.0, image)])
    return found


@pytest.mark.shared
def test_boxes_are_those_of_the_networks_makers(network, real, pets):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ultralytics.data.augment import LetterBox
        from ultralytics.utils.ops import scale_boxes
    picture = LetterBox((640, 640), auto=False)(image=pets).transpose(2, 0, 1)[None].astype(np.float32) / 255
    rows = shared_core().compile_model(network.path, "CPU")(picture)[0][0]
    rows = rows[(rows[:, 4] >= 0.3) & (rows[:, 5] == 0)]
    theirs = scale_boxes((640, 640), rows[:, :4].copy(), pets.shape)

    found = people(real, pets)

    assert len(found) == len(theirs) >= 5
    order = np.argsort(-rows[:, 4], kind="stable")
    np.testing.assert_allclose(found.boxes, theirs[order], atol=1)
    np.testing.assert_allclose(found.scores, rows[order, 4], atol=0.02)


@pytest.mark.shared
def test_tiles_find_people_who_are_too_small_for_the_whole_frame(real, pets):
    small = cv2.resize(pets, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    image = np.full((1080, 1920, 3), 110, np.uint8)
    image[400 : 400 + small.shape[0], 1300 : 1300 + small.shape[1]] = small
    in_place = people(real, pets, score=0.5).boxes * 0.4 + [1300, 400, 1300, 400]

    whole, tiled = people(real, image), people(real, image, tile=480)

    def found_again(answer):
        return sum(any(iou(box, other) > 0.5 for other in answer.boxes.tolist()) for box in in_place.tolist())

    assert found_again(tiled) >= 0.8 * len(in_place)
    assert found_again(whole) <= 0.3 * len(in_place)
