"""The example that runs a plan with tensorrt and NumPy alone."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pretend_cuda
import pytest
from pretend_tensorrt import TEN
from standard_networks import SIZE, embedded, order

EXAMPLE = Path(__file__).resolve().parents[3] / "docs/run_plan.py"


@pytest.fixture
def example():
    described = importlib.util.spec_from_file_location("run_plan", EXAMPLE)
    found = importlib.util.module_from_spec(described)
    described.loader.exec_module(found)
    return found


@pytest.fixture
def engine(machine, version, tmp_path, folder):
    """An engine's folder, as far as the example reads it; its golden inputs are more than fit into a batch."""
    built = machine(version).build(order(tmp_path / "tiny.onnx"), folder, lambda words, share: None)
    name = "tensorrt-rtx" if version.startswith("1.") else "tensorrt"
    said = {"files": {built.main: ""}, "runtime": name, "batch": [1, 2, 4]}
    (folder / "card.json").write_text(json.dumps(said))
    images = np.random.default_rng(0).integers(0, 256, (7, *SIZE, 3), np.uint8)
    size = "x".join(map(str, SIZE))
    np.savez(folder / "golden.npz", **{f"images/{size}": images, f"embedding/{size}": embedded(images)})
    return folder


def test_it_says_how_far_the_plan_is_from_torch(example, engine, capsys):
    example.main(engine)
    line = capsys.readouterr().out
    assert line.startswith("12x20 embedding: largest difference from torch ")
    assert float(line.split()[-1]) < 1e-4


def test_it_gives_back_the_memory_of_the_gpu(example, engine):
    plan = example.Plan(
        engine / "engine.plan", sys.modules["tensorrt" if "tensorrt" in sys.modules else "tensorrt_rtx"]
    )
    before = pretend_cuda.driver().held
    plan.run(np.zeros((2, *SIZE, 3), np.uint8))
    assert pretend_cuda.driver().held == before


@pytest.mark.parametrize("version", [TEN])
def test_pictures_of_another_size_are_refused(example, engine):
    plan = example.Plan(engine / "engine.plan", sys.modules["tensorrt"])
    with pytest.raises(SystemExit, match=r"no profile for \(9, 12, 20, 3\)"):
        plan.run(np.zeros((9, *SIZE, 3), np.uint8))


def test_it_needs_neither_torch_nor_vidreid():
    text = EXAMPLE.read_text()
    assert "import torch" not in text
    assert "import vidreid" not in text
    assert "from vidreid" not in text
