"""The detector that ships: its file is what torch computes, and it finds people whom it never saw."""

from dataclasses import replace

import numpy as np
import torch

from vidreid.engines.runtimes import openvino
from vidreid.engines.weights import find_model
from vidreid.networks.weights.ultralytics import Finished
from vidreid.pipeline.progress import Silent
from vidreid.training.detector.network import begin
from vidreid.training.detector.scoring import open_detector, open_sets, score_set

NAME = "detector-yolo26n"


def scene(site, every):
    (labelled,), _ = open_sets([f"footage={site}"])
    return replace(labelled, pictures=labelled.pictures[::every])


def test_it_finds_what_torch_finds_with_its_weights(site):
    model = find_model(NAME, "detector", offline=True, announce=print)
    network = begin("yolo26n", str(model.path), 0, print).eval()
    engine = openvino.load(model, streams=1)
    pictures = scene(site, 50)
    sure = 0
    for key, _ in pictures.pictures:
        image = np.full((1, *model.spec.input.size, 3), 114, np.uint8)
        seen = pictures.read(key)
        image[0, : seen.shape[0], : seen.shape[1]] = seen
        (found,) = engine.run({"images": image}).values()
        with torch.inference_mode():
            wanted = Finished(network)(torch.from_numpy(image).permute(0, 3, 1, 2).float() / 255).numpy()
        for box in wanted[0][wanted[0, :, 4] > 0.5]:
            # Some processors compute with eight bits of mantissa.
            nearest = np.abs(found[0, :, :4] - box[:4]).max(1).argmin()
            assert np.abs(found[0, nearest, :4] - box[:4]).max() < 4
            assert abs(found[0, nearest, 4] - box[4]) < 0.1
            sure += 1
    engine.close()
    assert sure >= 3


def test_it_finds_the_people_of_a_world_that_it_was_not_trained_on(site):
    with open_detector(NAME) as detector:
        score = score_set(detector, scene(site, 25), Silent())
    assert score.ap50 is not None
    assert score.ap50 > 0.85
    assert score.boxes > 30
