"""Detectors of ultralytics as runs need them: persons alone, of pictures of any size."""

import pytest
import torch

from vidreid.engines.runtimes.torch import hush_ultralytics
from vidreid.errors import InputError
from vidreid.networks.weights.ultralytics import Finished, boxes_of, most_boxes, persons_alone


@pytest.fixture(scope="module")
def of_several_classes():
    """A YOLO26 of three classes with random weights."""
    hush_ultralytics()
    from ultralytics.nn import tasks

    torch.manual_seed(0)
    return tasks.DetectionModel({**tasks.yaml_model_load("yolo26n.yaml"), "nc": 3}, verbose=False).eval()


def test_without_the_other_classes_persons_are_found_as_before(of_several_classes):
    picture = torch.rand(1, 3, 64, 96)
    most = boxes_of((64, 96))
    with torch.inference_mode():
        before = Finished(of_several_classes, most)(picture)
        network = persons_alone(of_several_classes, "w.pt")
        torch.testing.assert_close(Finished(network, most)(picture), before)
    head = network.model[-1]
    assert [scores[-1].out_channels for scores in head.one2one_cv3] == [1, 1, 1]
    assert of_several_classes.model[-1].nc == 3


def test_a_network_whose_boxes_need_suppression_is_refused():
    hush_ultralytics()
    from ultralytics.nn import tasks

    older = tasks.DetectionModel("yolo11n.yaml", nc=1, verbose=False)
    with pytest.raises(InputError, match=r"w\.pt: its boxes need suppression"):
        persons_alone(older, "w.pt")


def test_the_smallest_pictures_say_how_many_boxes_there_are():
    assert most_boxes([(480, 640), (64, 64)]) == boxes_of((64, 64)) == 84
