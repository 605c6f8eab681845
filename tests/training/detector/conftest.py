"""What tests of detectors' training share: drawn scenes, a recipe for them, and a network, which takes ultralytics."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from drawn_scenes import RECIPE, write_scenes
from torch import nn

from vidreid.training.detector.network import build_detector
from vidreid.training.detector.recipe import DetectorRecipe, read_detector_recipe


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled pictures in YOLO's layout, and two without labels. Read only."""
    return write_scenes(tmp_path_factory.mktemp("data") / "scenes")


@pytest.fixture(scope="session")
def detector_yaml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe that takes a second."""
    path = tmp_path_factory.mktemp("recipe") / "red.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


@pytest.fixture
def recipe(detector_yaml: Path) -> Callable[..., DetectorRecipe]:
    """``recipe("schedule.steps=3")`` is that recipe, changed."""
    return lambda *changes: read_detector_recipe(str(detector_yaml), changes)


@pytest.fixture
def detector() -> Callable[..., nn.Module]:
    """``detector(seed)`` is a small detector with random weights."""

    def make(seed: int = 0) -> nn.Module:
        torch.manual_seed(seed)
        return build_detector("yolo26n")

    return make
