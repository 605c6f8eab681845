import av
import cv2
import numpy as np
import pytest

from vidreid.engines.runtimes.openvino import shared_core

SIDE = 640


@pytest.fixture(scope="module")
def persons(shared):
    """Finds persons with a COCO detector: RGB image to boxes (n, 4) of score 0.25 and more."""
    model = shared / "weights" / "detector" / "yolo26n_int8_openvino_model" / "yolo26n.xml"
    network = shared_core().compile_model(model, "CPU")

    def find(image):
        scale = SIDE / max(image.shape[:2])
        small = cv2.resize(image, None, fx=scale, fy=scale)
        canvas = np.full((SIDE, SIDE, 3), 114, np.uint8)
        canvas[: small.shape[0], : small.shape[1]] = small
        rows = network(canvas.transpose(2, 0, 1)[None].astype(np.float32) / 255)[0][0]
        return rows[(rows[:, 4] >= 0.25) & (rows[:, 5] == 0), :4] / scale

    return find


def overlap(box, boxes):
    """IoU of one box with each of ``boxes``."""
    corners = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared_area = np.prod(np.clip(corners[1] - corners[0], 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return shared_area / (areas - shared_area)


@pytest.mark.shared
def test_a_detector_of_real_people_finds_four_of_five(site, persons):
    found = []
    for camera, stride in (("north", 25), ("hall", 15), ("yard", 12)):
        truth = np.loadtxt(site / "gt" / f"{camera}.txt", delimiter=",", ndmin=2)
        for number, frame in enumerate(av.open(str(site / f"{camera}.mp4")).decode(video=0), 1):
            rows = truth[(truth[:, 0] == number) & (truth[:, 5] >= 60) & (truth[:, 8] >= 0.95)]
            if number % stride or not len(rows):
                continue
            boxes = persons(frame.to_ndarray(format="rgb24"))
            found += [bool(np.any(overlap(np.append(r[2:4], r[2:4] + r[4:6]), boxes) >= 0.5)) for r in rows]

    assert len(found) > 15
    assert np.mean(found) >= 0.8
