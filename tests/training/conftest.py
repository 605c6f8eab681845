"""What the tests of training share: drawn people as data, and a network that learns them in seconds."""

from collections.abc import Callable
from pathlib import Path

import pytest
from drawn_people import write_people
from threads import one_thread  # noqa: F401 - a fixture for all

from vidreid.training.datasets import Dataset
from vidreid.training.datasets.csv import open_dataset
from vidreid.training.recipe import Recipe, read_recipe

TINY = """
backbone: {name: slim, options: {widths: [4, 8], blocks: [1, 2], instance: [1]}}
network: {name: afa, options: {feature: bn, metric: cosine}}
data: {size: [32, 16], frames: 2, people: 3, clips: 2}
augmentation: {flip: 0.5, colour: 0.5}
losses: {classification: 1.0, triplet: 0.5, coherence: 0.1}
optimizer: {rate: 1.0e-2, decay: 0.0}
schedule: {steps: 20}
average: 0.9
precision: fp32
"""


@pytest.fixture(scope="session")
def people_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of six people by two cameras, four pictures of each. Read only."""
    return write_people(tmp_path_factory.mktemp("people"))


@pytest.fixture
def people(people_csv: Path) -> Dataset:
    return open_dataset(people_csv, tracklets=True)


@pytest.fixture(scope="session")
def tiny_yaml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe that takes seconds."""
    path = tmp_path_factory.mktemp("recipe") / "tiny.yaml"
    path.write_text(TINY, encoding="utf-8")
    return path


@pytest.fixture
def tiny(tiny_yaml: Path) -> Callable[..., Recipe]:
    """``tiny("schedule.steps=3")`` is that recipe, changed."""
    return lambda *changes: read_recipe(str(tiny_yaml), changes)
