"""Two good cameras with a person in each, and the program called as a user would."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from films import Film, write_truth


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``a.mp4`` and ``b.mp4`` of 60 frames. Read only."""
    folder = tmp_path_factory.mktemp("good")
    for name in ("a", "b"):
        Film(f"{name}.mp4").write(folder)
        write_truth(folder, name)
    return folder


@pytest.fixture
def own(good: Path, tmp_path: Path) -> Path:
    """A copy of the good footage that a test may spoil."""
    return shutil.copytree(good, tmp_path / "footage")


@pytest.fixture(scope="session")
def done(good: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on the good footage. Read only."""
    from vidreid.footage.cameras import read_site
    from vidreid.pipeline.progress import Silent
    from vidreid.pipeline.run import Options, run
    from vidreid.store.folder import RunFolder

    folder = tmp_path_factory.mktemp("done") / "run"
    settings = {"detection": {"detector": "oracle"}, "embedding": {"embedder": "colours"}}
    run(RunFolder(folder), read_site([f"a={good}/a.mp4", f"b={good}/b.mp4"]), settings, Options(), Silent())
    return folder


@pytest.fixture
def run(done: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may spoil."""
    return shutil.copytree(done, tmp_path / "run")
