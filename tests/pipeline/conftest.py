"""Runs on the small world that several tests of the pipeline share."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from vidreid.footage.cameras import Site, read_site
from vidreid.pipeline.progress import Silent
from vidreid.pipeline.run import Options, Report
from vidreid.pipeline.run import run as run_pipeline
from vidreid.store.folder import RunFolder


@pytest.fixture(scope="session")
def settings(finished: Path) -> dict[str, dict[str, Any]]:
    """The settings of the finished run."""
    found: dict[str, dict[str, Any]] = json.loads((finished / "run.json").read_text(encoding="utf-8"))["settings"]
    return found


@pytest.fixture
def settings_file(settings: dict[str, dict[str, Any]], tmp_path: Path) -> Path:
    """The same as a YAML."""
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return tmp_path / "settings.yaml"


@pytest.fixture(scope="session")
def go(settings: dict[str, dict[str, Any]]) -> Callable[..., Report]:
    """``go(run folder, footage words...)``: run on it as the finished run was; returns the report."""

    def run(folder: Path, *words: object, reporter: Silent | None = None, **options: Any) -> Report:
        overrides = {**settings, **options.pop("settings", {})}
        site = read_site([str(word) for word in words]) if words else Site()
        return run_pipeline(RunFolder(folder), site, overrides, Options(**options), reporter or Silent())

    return run
