"""What all tests share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("YOLO_OFFLINE", "true")
os.environ.setdefault("YOLO_AUTOINSTALL", "false")
os.environ.setdefault("YOLO_VERBOSE", "false")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development data beside the repository; a test that asks for it is skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("needs the development data in ../shared, which is not there")
    return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small world: four people, three cameras, 20 seconds. Read only."""
    from vidreid.world import write_world

    return write_world(tmp_path_factory.mktemp("site"), seed=3, seconds=20, people=4).parent


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees, or fills, the developer's own cache of networks."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("VIDREID_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def finished(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on the small world, in short segments, with the oracle and colours. Read only."""
    from vidreid.footage.cameras import parse_cameras
    from vidreid.pipeline.progress import Silent
    from vidreid.pipeline.run import Options, run
    from vidreid.store.folder import RunFolder

    folder = tmp_path_factory.mktemp("finished") / "run"
    run(RunFolder(folder), parse_cameras([str(site / "cameras.yaml")]), WORLD_SETTINGS, Options(), Silent())
    return folder


WORLD_SETTINGS = {
    "detection": {"detector": "oracle"},
    "embedding": {"embedder": "colours"},
    "segments": {"seconds": 6.0, "overlap": 2.0},
}


@pytest.fixture(scope="session")
def vidreid() -> Callable[..., "Spoken"]:
    """Runs the program in a process of its own: ``vidreid("run", ..., cwd=...)``."""
    return speak


class Spoken:
    """What the program said: ``status``, ``out``, ``err``."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


def speak(*words: object, cwd: Path | None = None, timeout: float = 300, **environment: str) -> Spoken:
    """One call of the installed program."""
    import subprocess
    import sys

    program = Path(sys.executable).with_name("vidreid")
    done = subprocess.run(
        [program, *map(str, words)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Spoken(done.returncode, done.stdout, done.stderr)
