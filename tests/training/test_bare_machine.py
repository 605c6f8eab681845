"""Training on a machine that has torch, NumPy, OpenCV and PyYAML alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MISSING = ("pydantic", "click", "scipy", "rich", "av", "onnx", "openvino", "platformdirs", "pyarrow", "pandas")
BARE = f"""
import sys

class Bare:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {(*MISSING, "matplotlib", "torchvision", "ultralytics", "boxmot")}:
            return self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Bare(finder) for finder in sys.meta_path]
"""
TRAINING = "import runpy; sys.argv[0] = 'vidreid.training'; runpy.run_module('vidreid.training', run_name='__main__')"


def on_a_bare_machine(code: str, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BARE + code, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )


@pytest.mark.parametrize("name", MISSING[:3])
def test_the_bare_machine_is_bare(name: str) -> None:
    assert "No module named" in on_a_bare_machine(f"import {name}").stderr


def test_every_module_of_networks_and_training_imports() -> None:
    found = on_a_bare_machine(
        """
import importlib, pkgutil
import vidreid.networks, vidreid.training
for package in (vidreid.networks, vidreid.training):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""
    )
    assert found.returncode == 0, found.stderr


def test_help_says_how_to_call_it() -> None:
    found = on_a_bare_machine(TRAINING, "--help")
    assert found.returncode == 0, found.stderr
    assert "usage: python -m vidreid.training" in found.stdout


def test_steps_of_a_real_training(people_csv: Path, tiny_yaml: Path, tmp_path: Path) -> None:
    words = (tiny_yaml, "--data", people_csv, "--output", tmp_path / "out", "--set", "schedule.steps=2")
    found = on_a_bare_machine(TRAINING, *words)
    assert found.returncode == 0, found.stderr
    said, step, curves = found.stdout.splitlines()
    assert said == "48 pictures, 6 people"
    assert step.startswith("step 2 of 2: classification ")
    assert curves == "no curves.svg: Matplotlib is not installed"
    assert (tmp_path / "out" / "weights.safetensors").is_file()


def test_a_dry_run_says_speed_memory_and_hours(people_csv: Path, tiny_yaml: Path) -> None:
    found = on_a_bare_machine(TRAINING, tiny_yaml, "--data", people_csv, "--dry-run")
    assert found.returncode == 0, found.stderr
    speed, memory, hours = found.stdout.splitlines()[-3:]
    assert speed.endswith("pictures/s on cpu")
    assert memory.endswith("GiB of memory at most")
    assert hours.endswith("h for the whole schedule")


def test_an_error_is_two_lines_and_a_status(people_csv: Path, tmp_path: Path) -> None:
    words = ("light/bose", "--data", people_csv, "--output", tmp_path / "out")
    found = on_a_bare_machine(TRAINING, *words)
    assert found.returncode == 3
    assert found.stderr == "error: no recipe 'light/bose'\nhint: did you mean light/base?\n"
