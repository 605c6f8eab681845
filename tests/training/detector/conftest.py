"""What tests of detectors' training share: drawn scenes, a recipe for them, and a network, which takes ultralytics."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
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


@pytest.fixture
def teacher_files(detector: Callable[..., nn.Module], own_home: Path, tmp_path: Path) -> list[Path]:
    """Checkpoints of ``detector(7)`` and ``detector(8)`` as ultralytics writes them, which the user has registered."""
    models, paths = {}, []
    for seed in (7, 8):
        paths.append(tmp_path / f"teacher{seed}.pt")
        torch.save({"model": detector(seed)}, paths[-1])
        models[f"teacher{seed}"] = {
            "kind": "detector",
            "family": "yolo",
            "files": {paths[-1].name: hashlib.sha256(paths[-1].read_bytes()).hexdigest()},
            "input": {"size": [64, 64]},
        }
    (own_home / "models.yaml").write_text(yaml.safe_dump({"models": models}))
    return paths


@pytest.fixture
def teacher_file(teacher_files: list[Path]) -> Path:
    return teacher_files[0]
